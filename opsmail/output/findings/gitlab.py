"""`--format gitlab`: a Code Quality report of GitLab CI, for `artifacts:reports:codequality`.

Source: docs.gitlab.com, "Code Quality report format".
"""

from __future__ import annotations

from gettext import NullTranslations
from typing import Any

from opsmail.findings import Finding, Severity, fingerprints
from opsmail.output.escape import for_program, json_text
from opsmail.output.findings.interface import Report
from opsmail.output.style import Style

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render(report: Report, language: NullTranslations, style: Style) -> str:
    """Return the findings that are not waived as a JSON list."""
    # Numbered with the waived ones, so that waiving one does not make another look new.
    numbered = zip(report.findings, fingerprints(report.findings), strict=True)
    return json_text([_issue(finding, mark, language) for finding, mark in numbered if finding.waived is None])


def _issue(finding: Finding, fingerprint: str, language: NullTranslations) -> dict[str, Any]:
    return {
        "description": for_program(f"{finding.rule.id}: {finding.message.render(language)}"),
        "check_name": for_program(f"{finding.rule.id} {finding.rule.name}"),
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": for_program(finding.file),
            "lines": {"begin": finding.span.line, "end": finding.span.end_line},
        },
    }
