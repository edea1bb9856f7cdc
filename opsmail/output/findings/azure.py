"""`--format azure`: issues of an Azure Pipelines task.

Azure keeps the first ten errors and warnings of a task, so the most severe come first; all of them are in the log. It
knows no notes: they are plain lines.
"""

from __future__ import annotations

from gettext import NullTranslations

from opsmail.findings import Finding, Severity
from opsmail.output.escape import for_azure, for_azure_property
from opsmail.output.findings.concise import concise_line
from opsmail.output.findings.interface import Report, most_severe_first
from opsmail.output.findings.text import Page
from opsmail.output.style import Style


def render(report: Report, language: NullTranslations, style: Style) -> str:
    """Return a logging command for each error and warning, and a line for each note."""
    page = Page(language, Style(color=False))
    return "".join(f"{_line(finding, page)}\n" for finding in most_severe_first(report.active))


def _line(finding: Finding, page: Page) -> str:
    if finding.severity is Severity.NOTE:
        return concise_line(finding, page)
    properties = {
        "type": finding.severity.label,
        "sourcepath": finding.file,
        "linenumber": finding.span.line,
        "columnnumber": finding.span.column,
        "code": finding.rule.id,
    }
    listed = "".join(f"{name}={for_azure_property(str(value))};" for name, value in properties.items())
    return f"##vso[task.logissue {listed}]{for_azure(page.advice(finding))}"
