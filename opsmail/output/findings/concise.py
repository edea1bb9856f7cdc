"""`--format concise`: one line for each finding, as editors and `grep` read it."""

from __future__ import annotations

from gettext import NullTranslations

from opsmail.findings import Finding
from opsmail.output.escape import for_terminal
from opsmail.output.findings.interface import Report
from opsmail.output.findings.text import COLOURS, Page
from opsmail.output.style import Style


def render(report: Report, language: NullTranslations, style: Style) -> str:
    """Return the findings that are not waived."""
    page = Page(language, style)
    return "".join(f"{concise_line(finding, page)}\n" for finding in report.active)


def concise_line(finding: Finding, page: Page) -> str:
    """Return `file:line:column: severity[ID] message`."""
    where = for_terminal(f"{finding.file}:{finding.span.line}:{finding.span.column}")
    what = f"{page.word(finding.severity)}[{for_terminal(finding.rule.id)}]"
    return f"{where}: {page.style.paint(what, COLOURS[finding.severity], bold=True)} {page.say(finding.message)}"
