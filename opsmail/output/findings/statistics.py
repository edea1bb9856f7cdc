"""`--statistics`: how many findings of each rule, instead of the findings, as text and as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from gettext import NullTranslations

from opsmail.findings import Finding, RuleMeta, Severity
from opsmail.messages import msg
from opsmail.output.escape import for_program, for_terminal, json_text
from opsmail.output.findings.interface import Report
from opsmail.output.findings.text import COLOURS, Page
from opsmail.output.style import Style

SCHEMA = "opsmail/statistics/v1"


@dataclass(frozen=True, slots=True)
class Row:
    """What one rule found, with one severity: date-bound rules have two.

    Args:
        rule: the rule.
        severity: of all these findings.
        count: how many, waived ones left out.
        fixable: how many of them have a fix.
    """

    rule: RuleMeta
    severity: Severity
    count: int
    fixable: int


def rows(findings: Sequence[Finding]) -> list[Row]:
    """Return the figures, the largest first."""
    groups: dict[tuple[str, Severity], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.rule.id, finding.severity].append(finding)
    made = [
        Row(group[0].rule, severity, len(group), sum(finding.fix is not None for finding in group))
        for (_, severity), group in groups.items()
    ]
    return sorted(made, key=lambda row: (-row.count, row.rule.id, -row.severity))


def render(report: Report, language: NullTranslations, style: Style) -> str:
    """Return one line for each rule: count, id, severity, name and how many can be fixed; and the line that sums up."""
    page = Page(language, style)
    table = rows(report.active)
    words = [page.word(row.severity) for row in table]
    count_width = max([0, *(len(str(row.count)) for row in table)])
    id_width = max([0, *(len(row.rule.id) for row in table)])
    word_width = max([0, *map(len, words)])
    lines = []
    for row, word in zip(table, words, strict=True):
        severity = style.paint(word, COLOURS[row.severity]) + " " * (word_width - len(word))
        rule = f"{for_terminal(row.rule.id):{id_width}}"
        fixable = f"  ({page.say(msg('{count} fixable', count=row.fixable))})" if row.fixable else ""
        lines.append(f"{row.count:{count_width}}  {rule}  {severity}  {for_terminal(row.rule.name)}{fixable}\n")
    gap = "\n" if lines else ""
    return "".join(lines) + f"{gap}{page.closing(report.summary)}\n"


def render_json(report: Report, language: NullTranslations, style: Style) -> str:
    """Return the same for programs."""
    document = {
        "schema": SCHEMA,
        "rules": [
            {
                "rule": for_program(row.rule.id),
                "name": for_program(row.rule.name),
                "severity": row.severity.label,
                "count": row.count,
                "fixable": row.fixable,
            }
            for row in rows(report.active)
        ],
    }
    return json_text(document)
