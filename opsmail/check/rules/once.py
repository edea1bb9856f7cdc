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
    """Findings of `rule` at `path` (None: anywhere) are not told beside one of `by` at `at` (None: the same field).

    `louder`: only beside one of higher severity. Two rules may so speak for each other, never both be silent.
    """

    rule: str
    path: str | None
    by: tuple[str, ...]
    at: str | None
    louder: bool = False


_IN_CLEAR = ("OM401", "OM402", "OM303")
_HOST, _PORT, _ENCRYPTION = "server.host", "server.port", "server.encryption"
_SENDER, _LOGIN, _TENANT = "sender.address", "authentication.type", "authentication.tenant"
_SAID = (
    # Another version of the format: what else is wrong with the file's shape is a guess.
    _Said("OM101", None, ("OM106",), "version"),
    _Said("OM102", None, ("OM106",), "version"),
    _Said("OM103", None, ("OM106",), "version"),
    _Said("OM104", None, ("OM106",), "version"),
    # Encryption is off: best said by what would travel in clear.
    _Said("OM303", None, ("OM401", "OM402"), _ENCRYPTION),
    _Said("OM201", None, _IN_CLEAR, _ENCRYPTION),
    _Said("OM301", None, ("OM303",), _ENCRYPTION),
    _Said("OM301", None, ("OM201",), _PORT),
    # A connection that is not approved: those rules say why it is wrong, and name the approved ones.
    _Said("OM209", _PORT, ("OM201",), _PORT),
    _Said("OM209", _ENCRYPTION, ("OM201",), _PORT),
    _Said("OM209", _PORT, _IN_CLEAR, _ENCRYPTION),
    _Said("OM209", _ENCRYPTION, _IN_CLEAR, _ENCRYPTION),
    # And where they have nothing to add, the approved ones are what helps.
    _Said("OM202", None, ("OM209",), _PORT),
    _Said("OM203", None, ("OM209",), _PORT),
    _Said("OM301", None, ("OM209",), _PORT),
    _Said("OM301", None, ("OM209",), _ENCRYPTION),
    # What a provider does not serve: it says why, and names what is served and approved.
    _Said("OM205", _PORT, ("OM201",), _PORT),
    _Said("OM205", _PORT, _IN_CLEAR, _ENCRYPTION),
    _Said("OM209", _PORT, ("OM205",), _PORT),
    _Said("OM209", _ENCRYPTION, ("OM205",), _PORT),
    _Said("OM205", _PORT, ("OM209",), _PORT, louder=True),
    _Said("OM202", None, ("OM205",), _PORT),
    _Said("OM203", None, ("OM205",), _PORT),
    _Said("OM305", None, ("OM201", "OM205", "OM209"), _PORT),
    # What is not a name is nobody's name, and one that only looks right is not the right one misspelt.
    _Said("OM204", None, ("OM208",), _HOST),
    _Said("OM209", _HOST, ("OM204", "OM208", "OM205"), _HOST),
    _Said("OM205", _HOST, ("OM209",), _HOST, louder=True),
    _Said("OM206", None, ("OM204", "OM208", "OM209"), _HOST),
    _Said("OM207", None, ("OM204", "OM208", "OM209"), _HOST),
    _Said("OM210", None, ("OM204", "OM206", "OM207", "OM208", "OM209"), _HOST),
    # Another server may be one that takes these tokens.
    _Said("OM404", None, ("OM204", "OM208", "OM209"), _HOST),
    # A login that cannot work there: the rest of it is not approved either.
    _Said("OM209", _LOGIN, ("OM404", "OM410"), _LOGIN),
    _Said("OM209", _TENANT, ("OM404", "OM209"), _LOGIN),
    _Said("OM209", "authentication.client_id", ("OM404", "OM209"), _LOGIN),
    _Said("OM209", _TENANT, ("OM405", "OM406"), _TENANT),
    # Personal accounts and organisations' servers: the account says it better than the address.
    _Said("OM505", None, ("OM205",), _HOST),
    # What is not an address is neither the account's nor of an approved domain.
    _Said("OM501", None, ("OM503",), _SENDER),
    _Said("OM502", None, ("OM503",), _SENDER),
    _Said("OM504", None, ("OM503",), _SENDER),
    _Said("OM505", None, ("OM503", "OM504"), _SENDER),
    _Said("OM502", None, ("OM505",), _SENDER),
    _Said("OM506", None, ("OM503",), "sender.reply_to"),
    # A reference of an unknown kind is not an approved one.
    _Said("OM604", None, ("OM602",), None),
    # A secret of another operator's.
    _Said("OM603", None, ("OM604",), None),
    # A copied file that kept the operator's id.
    _Said("OM704", None, ("OM105",), "operator"),
)


def told_once(findings: Sequence[Finding], judge: Judge) -> list[Finding]:
    """Return the findings without those that others say already, in the order given.

    Args:
        findings: of all files, after waivers.
        judge: knows which rules cannot be waived.
    """
    rows: dict[str, list[_Said]] = defaultdict(list)
    for row in _SAID:
        rows[row.rule].append(row)
    by_place: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        by_place[finding.file, finding.rule.id, finding.path].append(finding)

    def said(finding: Finding) -> bool:
        return any(
            other.severity >= finding.severity + row.louder
            and (other.waived is None or not judge.is_unwaivable(finding.rule))
            for row in rows.get(finding.rule.id, ())
            if row.path in (None, finding.path)
            for rule in row.by
            for other in by_place.get((finding.file, rule, finding.path if row.at is None else row.at), ())
        )

    return [finding for finding in findings if not said(finding)]
