"""What an output of `check` gets, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from gettext import NullTranslations

from opsmail.findings import Finding, Severity
from opsmail.messages import Message, msg, msgn

#: Where rules are explained.
RULES_URL = "https://opsmail.readthedocs.io/rules/"


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a run.

    Args:
        files: files looked at.
        operators: operators among them.
        affected: operators (or files that are none) with at least one finding that is not waived.
        errors: findings by severity, waived ones left out; likewise `warnings` and `notes`.
        waived: findings that a waiver mutes.
        fixable: findings with a fix.
    """

    files: int
    operators: int
    affected: int
    errors: int
    warnings: int
    notes: int
    waived: int
    fixable: int

    @classmethod
    def of(cls, findings: Sequence[Finding], *, files: int, operators: int) -> Summary:
        """Count the findings of a run."""
        active = [finding for finding in findings if finding.waived is None]
        by_severity = {severity: sum(1 for item in active if item.severity is severity) for severity in Severity}
        return cls(
            files=files,
            operators=operators,
            affected=len({finding.operator or finding.file for finding in active}),
            errors=by_severity[Severity.ERROR],
            warnings=by_severity[Severity.WARNING],
            notes=by_severity[Severity.NOTE],
            waived=len(findings) - len(active),
            fixable=sum(1 for finding in active if finding.fix is not None),
        )

    def sentence(self) -> tuple[Message, ...]:
        """Return the parts of the closing line, for an output to join."""
        parts = [
            msgn("{count} error", "{count} errors", self.errors) if self.errors else None,
            msgn("{count} warning", "{count} warnings", self.warnings) if self.warnings else None,
            msgn("{count} note", "{count} notes", self.notes) if self.notes else None,
        ]
        return tuple(part for part in parts if part is not None) or (msg("no findings"),)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found, as outputs get it."""

    findings: tuple[Finding, ...]
    summary: Summary


#: Renders a report in one language; colour only where the format has any.
FindingsFormat = Callable[[Report, NullTranslations, bool], str]
