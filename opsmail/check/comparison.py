"""A change beside the revision that it is compared with: both are checked, in the same circumstances."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from opsmail.check.engine import check
from opsmail.check.interface import Change, Context, Fleet
from opsmail.findings import Finding, Identity
from opsmail.settings.files import DEFAULT_ENVIRONMENT
from opsmail.settings.load import Settings
from opsmail.source.tree import SourceFile

_INDEX = re.compile(r"(?<![^.])[0-9]+(?![^.])")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a change is checked with.

    Args:
        context: the circumstances, among them what is compared.
        known: the findings that the revision has.
    """

    context: Context
    known: tuple[Finding, ...]


def compare(
    context: Context,
    files: Iterable[SourceFile],
    before: Mapping[str, Settings],
    after: Mapping[str, Settings],
    *,
    waivers: bool = True,
) -> Comparison:
    """Check what there was before a change, and return what the change itself is to be checked with.

    Args:
        context: the circumstances of both checks; its settings judge both sides.
        files: all operator files before the change.
        before: the settings before it, by environment.
        after: the settings that come of it, by environment.
        waivers: whether they mute findings.
    """
    former = before.get(context.settings.environment, before[DEFAULT_ENVIRONMENT])
    result = check(files, replace(context, written=former), waivers=waivers)
    change = Change(Fleet(result.members, whole=True), before, after)
    return Comparison(replace(context, change=change), result.findings)


def judging(own: Settings, trusted: Settings) -> Settings:
    """Return the settings that a change is judged by: the trusted ones, and where there are none yet, its own.

    Waivers are trusted or they do not count, except in the very first change of all.
    """
    if trusted.present:
        return trusted
    return own if trusted.waivers is None else replace(own, waivers=trusted.waivers)


def decide_alike(some: Settings, others: Settings) -> bool:
    """Whether two settings, waivers included, decide the same; comments may differ."""
    return (some.file, some.texts, some.waivers) == (others.file, others.texts, others.waivers)


def new_findings(findings: Sequence[Finding], known: Sequence[Finding]) -> list[Finding]:
    """Return the findings that were not known: each known one stands for one, wherever its lines are now.

    Besides its fingerprint it has to be as severe, as muted, and told in the same words: another wrong value at the
    same field is another mistake.

    Args:
        findings: of a change.
        known: of the revision that it is compared with.
    """
    rest = Counter(map(_sameness, known))
    new = []
    for finding in findings:
        sameness = _sameness(finding)
        if rest[sameness]:
            rest[sameness] -= 1
        else:
            new.append(finding)
    return new


def _sameness(finding: Finding) -> tuple[Identity, int, bool, str]:
    # An entry of a list, of waivers or servers, is the same wherever it stands now; its message says which it is.
    identity = Identity.of(finding)._replace(path=_INDEX.sub("*", finding.path))
    return identity, finding.severity, finding.waived is None, str(finding.message)
