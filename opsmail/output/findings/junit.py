"""`--format junit`: a test report, in which each file is a test case that passes without errors.

The shape is that of Jenkins' schema junit-10, which GitLab and Azure read too. A case has at most one `failure`: some
readers show only the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from gettext import NullTranslations

from opsmail.findings import Finding, Severity
from opsmail.messages import msgn
from opsmail.output.escape import for_xml
from opsmail.output.findings.concise import concise_line
from opsmail.output.findings.interface import Report
from opsmail.output.findings.text import Page
from opsmail.output.style import Style


def render(report: Report, language: NullTranslations, style: Style) -> str:
    """Return the report as XML, without times: the same files give the same bytes."""
    page = Page(language, Style(color=False))
    cases: defaultdict[str, list[Finding]] = defaultdict(list)
    for member in report.members:
        cases[member.file] = []
    for finding in report.findings:  # those of settings and waivers have files that are no operators
        cases[finding.file].append(finding)
    failures = sum(1 for findings in cases.values() if any(map(_fails, findings)))
    counts = f'name="opsmail {report.command}" tests="{len(cases)}" failures="{failures}" errors="0"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites {counts}>",
        f'<testsuite {counts} skipped="0">',
        *(line for file, findings in cases.items() for line in _case(report.command, file, findings, page)),
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(command: str, file: str, findings: Sequence[Finding], page: Page) -> list[str]:
    head = f'<testcase classname="opsmail.{command}" name="{for_xml(file)}"'
    if not findings:
        return [f"{head}/>"]
    errors = [finding for finding in findings if _fails(finding)]
    lines = [f"{head}>"]
    if errors:
        count = page.say(msgn("{count} error", "{count} errors", len(errors)))
        kind = for_xml(errors[0].rule.id)
        text = "\n".join(for_xml(line) for finding in errors for line in (*page.finding(finding), ""))
        lines.append(f'<failure message="{for_xml(count)}" type="{kind}">{text}</failure>')
    others = [finding for finding in findings if not _fails(finding)]
    if others:
        text = "\n".join(for_xml(_remark(finding, page)) for finding in others)
        lines.append(f"<system-out>{text}</system-out>")
    return [*lines, "</testcase>"]


def _fails(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR and finding.waived is None


def _remark(finding: Finding, page: Page) -> str:
    line = concise_line(finding, page)
    return line if finding.waived is None else f"{line} ({page.waiver(finding.waived)})"
