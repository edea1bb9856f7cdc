"""`--format github`: annotations of GitHub Actions.

The summary of a job takes Markdown: `--format github --format markdown:"$GITHUB_STEP_SUMMARY"`. GitHub gives each step
an empty file for it, so that replacing the file takes nothing away.
"""

from __future__ import annotations

from collections import Counter
from gettext import NullTranslations

from opsmail.findings import Finding, Severity
from opsmail.messages import msg, msgn
from opsmail.output.escape import for_github, for_github_property
from opsmail.output.findings.interface import Report, most_severe_first
from opsmail.output.findings.text import Page
from opsmail.output.style import Style

#: GitHub shows this many annotations of each kind for a step (actions/runner ExecutionContext.cs).
SHOWN = 10

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(report: Report, language: NullTranslations, style: Style) -> str:
    """Return a workflow command for each finding that GitHub shows, and a line that counts the others."""
    page = Page(language, Style(color=False))
    counts: Counter[Severity] = Counter()
    lines = []
    for finding in most_severe_first(report.active):
        counts[finding.severity] += 1
        if counts[finding.severity] <= SHOWN:
            lines.append(_command(finding, page))
    more = _more(counts, page)
    return "".join(f"{line}\n" for line in [*lines, *more])


def _command(finding: Finding, page: Page) -> str:
    span = finding.span
    properties = {"file": finding.file, "line": span.line, "endLine": span.end_line}
    if span.line == span.end_line:  # otherwise GitHub drops the columns and says so in the log
        properties |= {"col": span.column, "endColumn": span.end_column}
    properties["title"] = f"{finding.rule.id} {finding.rule.name}"
    listed = ",".join(f"{name}={for_github_property(str(value))}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {listed}::{for_github(page.advice(finding))}"


def _more(counts: Counter[Severity], page: Page) -> list[str]:
    hidden = {severity: max(0, count - SHOWN) for severity, count in counts.items()}
    if not any(hidden.values()):
        return []
    parts = (
        msgn("{count} error", "{count} errors", hidden.get(Severity.ERROR, 0)),
        msgn("{count} warning", "{count} warnings", hidden.get(Severity.WARNING, 0)),
        msgn("{count} note", "{count} notes", hidden.get(Severity.NOTE, 0)),
    )
    listed = ", ".join(page.say(part) for part in parts if part.count)
    return [page.say(msg("GitHub shows {shown} of each kind, so left out are: {listed}", shown=SHOWN, listed=listed))]
