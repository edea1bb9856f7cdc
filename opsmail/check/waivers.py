"""Waivers: findings muted for a reason, by somebody, until a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated

from opsmail.check.disclosure import Disclosure
from opsmail.check.interface import Context, Fleet, Problem, ProposedFix
from opsmail.check.placing import FilePlacer
from opsmail.check.rules.structure import STRUCTURE_RULES
from opsmail.check.severity import Judge
from opsmail.constraints import Length
from opsmail.findings import Deletion, Finding, FixSafety, RuleMeta, Severity, Waiver
from opsmail.messages import msg
from opsmail.settings.files import DEFAULT_ENVIRONMENT, WAIVERS_NAME
from opsmail.settings.load import Settings
from opsmail.shape import Decoder, ProblemKind, shown
from opsmail.shape import Problem as ShapeProblem
from opsmail.source.reader import read_document
from opsmail.values import dataclass

_Text = Annotated[str, Length(1, 500)]
#: A waiver ends by itself; nobody renews for longer than a year at a time.
_LONGEST_DAYS = 366
_DELETE = msg("delete this entry")


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverEntry:
    """One entry of `waivers.yaml`."""

    operator: _Text
    rule: _Text
    path: _Text | None = None
    reason: _Text
    approved_by: _Text
    expires: date

    def covers(self, finding: Finding) -> bool:
        """Whether this is the finding that the entry speaks of."""
        return (
            finding.operator == self.operator
            and finding.rule.id == self.rule
            and self.path in (None, finding.path)
            and finding.severity >= Severity.WARNING
        )

    def is_within(self, other: WaiverEntry) -> bool:
        """Whether the other one covers all that this one does, and for as long."""
        return (
            (other.operator, other.rule) == (self.operator, self.rule)
            and other.path in (None, self.path)
            and other.expires >= self.expires
        )


def muted(
    findings: Sequence[Finding], context: Context, fleet: Fleet, judge: Judge, rules: Mapping[str, RuleMeta]
) -> list[Finding]:
    """Apply the waivers that stand beside the files that are checked, and add what is wrong with them.

    Where other settings judge, a finding is muted only when their waivers mute it too, and by those: a change can take
    waivers back, not grant them.
    """

    def applied(settings: Settings) -> list[Finding]:
        return apply_waivers(findings, settings, fleet, context.today, judge, rules)

    result = applied(context.own)
    if context.written is None:
        return result
    trusted = applied(context.settings)
    count = len(findings)
    both = [
        finding if finding.waived is None else replace(finding, waived=other.waived)
        for finding, other in zip(result[:count], trusted[:count], strict=True)
    ]
    return both + result[count:]


def new_waivers(context: Context, fleet: Fleet, judge: Judge) -> list[Finding]:
    """Return a finding for each waiver that a change adds: one that no earlier waiver covers."""
    content = context.own.waivers
    if context.change is None or content is None:
        return []
    document, _ = read_document(content, top=list)
    placer = FilePlacer(WAIVERS_NAME, content, document, Disclosure.of(WaiverEntry))
    earlier = [entry for _, entry in _entries(context.change.before[DEFAULT_ENVIRONMENT].waivers or b"")]
    names = frozenset(member.name for member in fleet.members)
    placed = [
        placer.place(STRUCTURE_RULES["OM804"], _added(index, entry), judge, operator=entry.operator)
        for index, entry in _entries(content)
        if (fleet.whole or entry.operator in names) and not any(entry.is_within(other) for other in earlier)
    ]
    return [finding for finding in placed if finding is not None]


def _added(index: int, entry: WaiverEntry) -> Problem:
    return Problem(
        f"{index}.rule",
        msg(
            "{rule} is waived for `{operator}` until {date}; the waiver is new",
            rule=shown(entry.rule),
            operator=shown(entry.operator),
            date=entry.expires.isoformat(),
        ),
        label=msg("new"),
        help=msg("whoever may approve waivers looks at it; until it is merged, what it covers counts"),
    )


def _entries(content: bytes) -> Iterator[tuple[int, WaiverEntry]]:
    """Yield the entries that have the shape of one, by their index."""
    document, _ = read_document(content, top=list)
    decoder = Decoder(WaiverEntry)
    for index, data in enumerate(document.data if document is not None else ()):
        entry, faults = decoder.decode(data)
        if entry is not None and not faults:
            yield index, entry


def apply_waivers(
    findings: Sequence[Finding],
    settings: Settings,
    fleet: Fleet,
    today: date,
    judge: Judge,
    rules: Mapping[str, RuleMeta],
) -> list[Finding]:
    """Mute the findings that a valid waiver covers, and add what is wrong with the waivers themselves.

    Args:
        findings: of all files.
        settings: those that `waivers.yaml` stands beside.
        fleet: to tell unknown operators, where all of them are known; of a part of it, the others are left alone.
        today: a waiver counts up to and including the day it expires.
        judge: knows which rules cannot be waived.
        rules: all rules by id.
    """
    content = settings.waivers
    if content is None:
        return list(findings)
    document, problems = read_document(content, top=list)
    placer = FilePlacer(WAIVERS_NAME, content, document, Disclosure.of(WaiverEntry))
    result = list(findings)
    examiner = _Examiner(frozenset(member.name for member in fleet.members), settings, fleet.whole, today, judge, rules)
    placed: list[Finding | None] = []
    if [problem.rule for problem in problems] != ["OM001"]:  # only comments: no waivers
        placed += [placer.place_reading(STRUCTURE_RULES[problem.rule], problem, judge) for problem in problems]
    decoder = Decoder(WaiverEntry)
    for index, data in enumerate(document.data if document is not None else ()):
        entry, faults = decoder.decode(data)
        if entry is None or faults:
            found = [_misshapen(fault) for fault in faults]
        elif examiner.is_elsewhere(entry):
            continue
        else:
            found = _applied(entry, index, result, examiner)
        for rule_id, problem in found:
            here = replace(problem, path=f"{index}.{problem.path}" if problem.path else str(index))
            name = entry.operator if entry is not None else None
            placed.append(placer.place(STRUCTURE_RULES[rule_id], here, judge, operator=name))
    told = [finding for finding in placed if finding is not None]
    return [*result, *(_proven(told, content) if any(finding.fix is not None for finding in told) else told)]


def _proven(findings: Sequence[Finding], content: bytes) -> Sequence[Finding]:
    """Return findings without the fixes that cannot be proven; a waiver that is gone is not an unused one any more."""
    from opsmail.check.fixing.proof import proven  # most files need none

    return proven(findings, content, lambda _: (), list)


def _misshapen(fault: ShapeProblem) -> tuple[str, Problem]:
    at_key = fault.kind in (ProblemKind.UNKNOWN_FIELD, ProblemKind.MISSING_FIELD)
    return "OM801", Problem(fault.path, fault.message, help=fault.help, at_key=at_key)


def _applied(entry: WaiverEntry, index: int, findings: list[Finding], examiner: _Examiner) -> list[tuple[str, Problem]]:
    """Mute what `entry` covers, in `findings`, when it is valid; return what is wrong with it."""
    fault = examiner.fault(entry)
    if fault is not None:
        return [fault]
    waiver = Waiver(entry.reason, entry.approved_by, entry.expires.isoformat())
    covered = [place for place, finding in enumerate(findings) if finding.waived is None and entry.covers(finding)]
    for place in covered:
        findings[place] = replace(findings[place], waived=waiver)
    return [] if covered else examiner.unused(entry, index)


@dataclass(frozen=True, slots=True)
class _Examiner:
    """Judges waivers by themselves; see `apply_waivers`."""

    names: frozenset[str | None]
    settings: Settings
    whole: bool
    today: date
    judge: Judge
    rules: Mapping[str, RuleMeta]

    def is_elsewhere(self, entry: WaiverEntry) -> bool:
        """Whether the entry is for an operator that this run does not look at."""
        return not self.whole and entry.operator not in self.names

    def fault(self, entry: WaiverEntry) -> tuple[str, Problem] | None:
        """Return why the entry does not count."""
        meta = self.rules.get(entry.rule)
        if meta is None:
            message = msg("there is no rule `{rule}`", rule=shown(entry.rule))
            return "OM801", Problem("rule", message, help=msg("name one rule by its id, for example `OM502`"))
        if entry.operator not in self.names:
            message = msg("there is no operator `{operator}`", operator=shown(entry.operator))
            return "OM801", Problem("operator", message, help=msg("correct the name, or delete this entry"))
        if self.judge.is_unwaivable(meta):
            message = msg("{rule} cannot be waived", rule=entry.rule)
            return "OM801", Problem("rule", message, help=msg("correct what it found, and delete this entry"))
        if (entry.expires - self.today).days > _LONGEST_DAYS:
            message = msg("the waiver lasts longer than 12 months")
            return "OM801", Problem("expires", message, help=msg("choose a day within a year"))
        if entry.expires < self.today:
            message = msg("the waiver ended on {date}; what it covered counts again", date=entry.expires.isoformat())
            return "OM802", Problem("expires", message, help=msg("correct what it covered, or have the waiver renewed"))
        return None

    def unused(self, entry: WaiverEntry, index: int) -> list[tuple[str, Problem]]:
        """Return the problem of an entry that covers nothing; what this run does not look at, it may cover."""
        if not self.whole or self.judge.is_passed_over(self.rules[entry.rule]):
            return []
        message = msg("the waiver of {rule} for `{operator}` covers nothing", rule=entry.rule, operator=entry.operator)
        # What covers nothing here may cover something in another environment.
        safety = FixSafety.UNSAFE if len(self.settings.environments) > 1 else FixSafety.SAFE
        fix = ProposedFix(safety, _DELETE, (Deletion(str(index)),))
        return [("OM803", Problem("rule", message, label=msg("nothing to waive"), help=_DELETE, fix=fix))]
