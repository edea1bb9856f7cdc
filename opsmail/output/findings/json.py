"""`--format json`: the findings for programs; texts stay English."""

from __future__ import annotations

from gettext import NullTranslations
from typing import Any

from opsmail.findings import Finding, Span, fingerprints
from opsmail.messages import Message
from opsmail.output.escape import for_program, json_text
from opsmail.output.findings.interface import RULES_URL, Report
from opsmail.output.style import Style

SCHEMA = "opsmail/findings/v1"


def render(report: Report, language: NullTranslations, style: Style) -> str:
    """Return the report as JSON."""
    summary = report.summary
    document = {
        "schema": SCHEMA,
        "summary": {
            "files": summary.files,
            "operators": summary.operators,
            "errors": summary.errors,
            "warnings": summary.warnings,
            "notes": summary.notes,
            "waived": summary.waived,
            "fixable": summary.fixable,
        },
        "findings": [
            _finding(finding, fingerprint)
            for finding, fingerprint in zip(report.findings, fingerprints(report.findings), strict=True)
        ],
    }
    return json_text(document)


def _finding(finding: Finding, fingerprint: str) -> dict[str, Any]:
    return {
        "rule": finding.rule.id,
        "name": finding.rule.name,
        "severity": finding.severity.label,
        "operator": finding.operator,
        "path": finding.path,
        "message": _text(finding.message),
        "file": for_program(finding.file),
        **_place(finding.span),
        "related": [
            {"message": _text(item.message), "file": for_program(item.file), **_place(item.span)}
            for item in finding.related
        ],
        "help": None if finding.help is None else _text(finding.help),
        "url": f"{RULES_URL}{finding.rule.id}/",
        "waived": _waived(finding),
        "fingerprint": fingerprint,
        "fix": _fix(finding),
    }


def _waived(finding: Finding) -> dict[str, Any] | None:
    waiver = finding.waived
    if waiver is None:
        return None
    return {
        "reason": for_program(waiver.reason),
        "approved_by": for_program(waiver.approved_by),
        "expires": waiver.expires,
    }


def _fix(finding: Finding) -> dict[str, Any] | None:
    fix = finding.fix
    if fix is None:
        return None
    return {
        "safety": fix.safety.value,
        "description": _text(fix.description),
        "edits": [{**_place(edit.span), "text": edit.text} for edit in fix.edits],
    }


def _text(message: Message) -> str:
    return for_program(str(message))


def _place(span: Span) -> dict[str, dict[str, int]]:
    return {
        "start": {"line": span.line, "column": span.column},
        "end": {"line": span.end_line, "column": span.end_column},
    }
