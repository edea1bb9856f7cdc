"""`--format json`: the findings for programs; texts stay English."""

from __future__ import annotations

import json
from gettext import NullTranslations
from typing import Any

from opsmail.findings import Finding, Span
from opsmail.output.findings.interface import RULES_URL, Report

SCHEMA = "opsmail/findings/v1"


def render(report: Report, language: NullTranslations, color: bool) -> str:
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
        "findings": [finding_document(finding) for finding in report.findings],
    }
    return json.dumps(document, ensure_ascii=True, indent=1, allow_nan=False) + "\n"


def finding_document(finding: Finding) -> dict[str, Any]:
    """Return one finding as plain data."""
    return {
        "rule": finding.rule.id,
        "name": finding.rule.name,
        "severity": finding.severity.label,
        "operator": finding.operator,
        "path": finding.path,
        "message": str(finding.message),
        "file": finding.file,
        **_place(finding.span),
        "related": [
            {"message": str(item.message), "file": item.file, **_place(item.span)} for item in finding.related
        ],
        "help": None if finding.help is None else str(finding.help),
        "url": f"{RULES_URL}{finding.rule.id}/",
        "waived": None
        if finding.waived is None
        else {
            "reason": finding.waived.reason,
            "approved_by": finding.waived.approved_by,
            "expires": finding.waived.expires,
        },
        "fingerprint": finding.fingerprint,
        "fix": None
        if finding.fix is None
        else {
            "safety": finding.fix.safety.value,
            "description": str(finding.fix.description),
            "edits": [{**_place(edit.span), "text": edit.text} for edit in finding.fix.edits],
        },
    }


def _place(span: Span) -> dict[str, dict[str, int]]:
    return {
        "start": {"line": span.line, "column": span.column},
        "end": {"line": span.end_line, "column": span.end_column},
    }
