"""Waivers: findings muted for a reason, by somebody, until a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

from opsmail.check.disclosure import Disclosure
from opsmail.check.interface import Fleet, Problem
from opsmail.check.placing import FilePlacer
from opsmail.check.rules.structure import STRUCTURE_RULES
from opsmail.check.severity import Judge
from opsmail.constraints import Length
from opsmail.findings import Finding, RuleMeta, Severity, Waiver
from opsmail.messages import msg
from opsmail.settings.load import WAIVERS_NAME
from opsmail.shape import Decoder
from opsmail.source.reader import read_document

_Text = Annotated[str, Length(1, 500)]
#: A waiver ends by itself; nobody renews for longer than a year at a time.
_LONGEST_DAYS = 366


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


def apply_waivers(
    findings: Sequence[Finding], content: bytes, fleet: Fleet, today: date, judge: Judge, rules: Mapping[str, RuleMeta]
) -> list[Finding]:
    """Mute the findings that a valid waiver covers, and add what is wrong with the waivers themselves.

    Args:
        findings: of all files.
        content: the bytes of `waivers.yaml`.
        fleet: to tell unknown operators, where all of them are known.
        today: a waiver counts up to and including the day it expires.
        judge: knows which rules cannot be waived.
        rules: all rules by id.
    """
    disclosure = Disclosure.of(WaiverEntry)
    document, problems = read_document(content, top=list)
    if document is None:
        if [problem.rule for problem in problems] == ["OM001"]:
            return list(findings)  # only comments: no waivers
        placer = FilePlacer(WAIVERS_NAME, content, None, disclosure)
        broken = (placer.place_reading(STRUCTURE_RULES[problem.rule], problem, judge) for problem in problems)
        return [*findings, *(finding for finding in broken if finding is not None)]
    placer = FilePlacer(WAIVERS_NAME, content, document, disclosure)
    decoder = Decoder(WaiverEntry)
    result = list(findings)
    for index, data in enumerate(document.data):
        entry, faults = decoder.decode(data)
        if entry is None or faults:
            found: Iterator[tuple[str, Problem]] = (
                ("OM801", Problem(fault.path, fault.message, help=fault.help)) for fault in faults
            )
        else:
            found = _judged(entry, result, fleet, today, judge, rules)
        for rule_id, problem in list(found):
            path = f"{index}.{problem.path}" if problem.path else str(index)
            operator = entry.operator if entry is not None else None
            finding = placer.place(STRUCTURE_RULES[rule_id], replace(problem, path=path), judge, operator=operator)
            if finding is not None:
                result.append(finding)
    return result


def _judged(
    entry: WaiverEntry, findings: list[Finding], fleet: Fleet, today: date, judge: Judge, rules: Mapping[str, RuleMeta]
) -> Iterator[tuple[str, Problem]]:
    """Apply one entry to `findings` in place when it is valid; yield what is wrong with it otherwise."""
    covered = [index for index, finding in enumerate(findings) if finding.waived is None and entry.covers(finding)]
    fault = _fault(entry, fleet, today, judge, rules)
    if fault is not None:
        yield fault
        return
    waiver = Waiver(entry.reason, entry.approved_by, entry.expires.isoformat())
    for index in covered:
        findings[index] = replace(findings[index], waived=waiver)
    if not covered and fleet.whole:
        yield (
            "OM803",
            Problem(
                "rule",
                msg("the waiver of {rule} for `{operator}` covers nothing", rule=entry.rule, operator=entry.operator),
                label=msg("nothing to waive"),
                help=msg("delete this entry"),
            ),
        )


def _fault(
    entry: WaiverEntry, fleet: Fleet, today: date, judge: Judge, rules: Mapping[str, RuleMeta]
) -> tuple[str, Problem] | None:
    meta = rules.get(entry.rule)
    if meta is None:
        message = msg("there is no rule `{rule}`", rule=entry.rule)
        return "OM801", Problem("rule", message, help=msg("name one rule by its id, for example `OM502`"))
    if fleet.whole and entry.operator not in {member.name for member in fleet.members}:
        message = msg("there is no operator `{operator}`", operator=entry.operator)
        return "OM801", Problem("operator", message, help=msg("correct the name, or delete this entry"))
    if judge.is_unwaivable(meta):
        message = msg("{rule} cannot be waived", rule=entry.rule)
        return "OM801", Problem("rule", message, help=msg("correct what it found, and delete this entry"))
    if (entry.expires - today).days > _LONGEST_DAYS:
        message = msg("the waiver lasts longer than 12 months")
        return "OM801", Problem("expires", message, help=msg("choose a day within a year"))
    if entry.expires < today:
        message = msg("the waiver ended on {date}; what it covered counts again", date=entry.expires.isoformat())
        return "OM802", Problem("expires", message, help=msg("correct what it covered, or have the waiver renewed"))
    return None
