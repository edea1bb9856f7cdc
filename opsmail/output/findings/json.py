"""`--format json`: the findings for programs; texts stay English."""

from __future__ import annotations

from collections.abc import Mapping
from gettext import NullTranslations
from types import MappingProxyType
from typing import Literal

from opsmail.findings import Edit, Finding, Fix, Related, Severity, Span, Waiver, fingerprints
from opsmail.messages import Message
from opsmail.output.escape import for_program, json_text
from opsmail.output.findings import document
from opsmail.output.findings.interface import Report, Summary, rule_url
from opsmail.output.style import Style
from opsmail.shape import encode

_SEVERITIES: Mapping[Severity, Literal["error", "warning", "note"]] = MappingProxyType(
    {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
)


def render(report: Report, language: NullTranslations, style: Style) -> str:
    """Return the report as JSON."""
    numbered = zip(report.findings, fingerprints(report.findings), strict=True)
    whole = document.Document(
        schema=document.SCHEMA,
        summary=_summary(report.summary),
        findings=tuple(_finding(finding, fingerprint) for finding, fingerprint in numbered),
    )
    return json_text(encode(whole))


def _summary(summary: Summary) -> document.Summary:
    return document.Summary(
        files=summary.files,
        operators=summary.operators,
        errors=summary.errors,
        warnings=summary.warnings,
        notes=summary.notes,
        waived=summary.waived,
        fixable=summary.fixable,
        # Runs without a baseline or a revision look as ever.
        baselined=summary.baselined or None,
        old=summary.old or None,
    )


def _finding(finding: Finding, fingerprint: str) -> document.Finding:
    start, end = _place(finding.span)
    return document.Finding(
        rule=for_program(finding.rule.id),
        name=for_program(finding.rule.name),
        severity=_SEVERITIES[finding.severity],
        operator=None if finding.operator is None else for_program(finding.operator),
        path=for_program(finding.path),
        message=_text(finding.message),
        file=for_program(finding.file),
        start=start,
        end=end,
        related=tuple(_related(item) for item in finding.related),
        help=None if finding.help is None else _text(finding.help),
        url=rule_url(finding.rule.id),
        waived=None if finding.waived is None else _waived(finding.waived),
        fingerprint=fingerprint,
        fix=None if finding.fix is None else _fix(finding.fix),
    )


def _related(related: Related) -> document.Related:
    start, end = _place(related.span)
    return document.Related(message=_text(related.message), file=for_program(related.file), start=start, end=end)


def _waived(waiver: Waiver) -> document.Waived:
    return document.Waived(
        reason=for_program(waiver.reason),
        approved_by=for_program(waiver.approved_by),
        expires=for_program(waiver.expires),
    )


def _fix(fix: Fix) -> document.Fix:
    return document.Fix(
        safety=fix.safety, description=_text(fix.description), edits=tuple(_edit(edit) for edit in fix.edits)
    )


def _edit(edit: Edit) -> document.Edit:
    start, end = _place(edit.span)
    return document.Edit(start=start, end=end, text=edit.text)  # as it is: it is written into the file


def _text(message: Message) -> str:
    return for_program(str(message))


def _place(span: Span) -> tuple[document.Position, document.Position]:
    return document.Position(span.line, span.column), document.Position(span.end_line, span.end_column)
