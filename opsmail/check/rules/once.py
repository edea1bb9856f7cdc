"""One cause is told once: where two rules see the same mistake, the one that helps most speaks.

Each rule looks by itself and knows nothing of the others; what they have in common is written down here alone. A
finding is left out only when another of the same file says as much, as loudly; and where its rule cannot be waived,
only when that other one is not waived either. So a policy or a waiver that silences one rule never hides another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from opsmail.check.severity import Judge
from opsmail.findings import Finding


class _Said(NamedTuple):
    """Findings of `rule` at `path` (None: anywhere) are not told beside one of `by` at `at` (None: the same field)."""

    rule: str
    path: str | None
    by: tuple[str, ...]
    at: str | None


_IN_CLEAR = ("OM401", "OM402", "OM303")
_SAID = (
    # Another version of the format: what else is wrong with the file's shape is a guess.
    _Said("OM101", None, ("OM106",), "version"),
    _Said("OM102", None, ("OM106",), "version"),
    _Said("OM103", None, ("OM106",), "version"),
    _Said("OM104", None, ("OM106",), "version"),
    # Encryption is off: best said by what would travel in clear.
    _Said("OM303", None, ("OM401", "OM402"), "server.encryption"),
    _Said("OM201", None, _IN_CLEAR, "server.encryption"),
    _Said("OM301", None, ("OM303",), "server.encryption"),
    _Said("OM301", None, ("OM201",), "server.port"),
    # A connection that is not approved: those rules say why it is wrong, and name the approved ones.
    _Said("OM209", "server.port", ("OM201",), "server.port"),
    _Said("OM209", "server.encryption", ("OM201",), "server.port"),
    _Said("OM209", "server.port", _IN_CLEAR, "server.encryption"),
    _Said("OM209", "server.encryption", _IN_CLEAR, "server.encryption"),
    # And where they have nothing to add, the approved ones are what helps.
    _Said("OM202", None, ("OM209",), "server.port"),
    _Said("OM203", None, ("OM209",), "server.port"),
    _Said("OM301", None, ("OM209",), "server.port"),
    _Said("OM301", None, ("OM209",), "server.encryption"),
    # What is not a name is not an approved one.
    _Said("OM209", "server.host", ("OM204",), "server.host"),
    # What is not an address is neither the account's nor of an approved domain.
    _Said("OM501", None, ("OM503",), "sender.address"),
    _Said("OM502", None, ("OM503",), "sender.address"),
    _Said("OM504", None, ("OM503",), "sender.address"),
    # A reference of an unknown kind is not an approved one.
    _Said("OM604", None, ("OM602",), None),
    # A copied file that kept the operator's id.
    _Said("OM704", None, ("OM105",), "operator"),
)


def told_once(findings: Sequence[Finding], judge: Judge) -> list[Finding]:
    """Return the findings without those that others say already, in the order given.

    Args:
        findings: of all files, after waivers.
        judge: knows which rules cannot be waived.
    """
    by_place: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        by_place[finding.file, finding.rule.id, finding.path].append(finding)

    def said(finding: Finding) -> bool:
        return any(
            other.severity >= finding.severity and (other.waived is None or not judge.is_unwaivable(finding.rule))
            for row in _SAID
            if row.rule == finding.rule.id and row.path in (None, finding.path)
            for rule in row.by
            for other in by_place.get((finding.file, rule, finding.path if row.at is None else row.at), ())
        )

    return [finding for finding in findings if not said(finding)]
