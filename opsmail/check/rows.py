"""Findings as plain tuples, for another process or for the next run: what outputs may show, and nothing else."""

from __future__ import annotations

from typing import Any, get_args

from opsmail.findings import (
    Edit,
    ExcerptLine,
    FileChange,
    Finding,
    Fix,
    FixSafety,
    Related,
    RuleMeta,
    Severity,
    Span,
    Waiver,
)
from opsmail.messages import Message

#: Arguments that stay what they are; any other, such as a date, becomes the text that a message shows for it.
_PLAIN = (str, int, float, bool, type(None))
#: What a fix may mean, by name.
_CHANGES = {kind.__name__: kind for kind in get_args(FileChange)}


def finding_row(finding: Finding) -> tuple[Any, ...]:
    """Return a finding as tuples, texts and numbers."""
    fix, waived, rule = finding.fix, finding.waived, finding.rule
    return (
        (rule.id, rule.name, int(rule.severity), rule.unwaivable, rule.ruleset),
        int(finding.severity),
        finding.file,
        tuple(finding.span),
        _message_row(finding.message),
        finding.operator,
        finding.path,
        _message_row(finding.label),
        tuple((_message_row(item.message), item.file, tuple(item.span)) for item in finding.related),
        _message_row(finding.help),
        None
        if fix is None
        else (
            fix.safety.value,
            _message_row(fix.description),
            tuple((tuple(edit.span), edit.text) for edit in fix.edits),
            tuple(
                (type(change).__name__, *(getattr(change, name) for name in change.__slots__)) for change in fix.changes
            ),
        ),
        None if waived is None else tuple(waived),
        tuple(map(tuple, finding.excerpt)),
    )


def finding_of(row: tuple[Any, ...]) -> Finding:
    """Return the finding that a row tells."""
    rule, severity, file, span, message, operator, path, label, related, help_, fix, waived, excerpt = row
    rule_id, name, usual, unwaivable, ruleset = rule
    return Finding(
        rule=RuleMeta(rule_id, name, Severity(usual), unwaivable, ruleset),
        severity=Severity(severity),
        file=file,
        span=Span(*span),
        message=_told(message),
        operator=operator,
        path=path,
        label=_message(label),
        related=tuple(Related(_told(said), where, Span(*place)) for said, where, place in related),
        help=_message(help_),
        fix=None if fix is None else _fix(*fix),
        waived=None if waived is None else Waiver(*waived),
        excerpt=tuple(ExcerptLine(*line) for line in excerpt),
    )


def _fix(safety: str, description: tuple[Any, ...], edits: tuple[Any, ...], changes: tuple[Any, ...]) -> Fix:
    return Fix(
        FixSafety(safety),
        _told(description),
        tuple(Edit(Span(*span), text) for span, text in edits),
        tuple(_CHANGES[name](*values) for name, *values in changes),
    )


def _message_row(message: Message | None) -> tuple[Any, ...] | None:
    if message is None:
        return None
    arguments = tuple((name, _argument(value)) for name, value in message.arguments)
    return message.template, arguments, message.plural, message.count


def _argument(value: object) -> Any:
    if isinstance(value, Message):
        return _message_row(value)
    return value if type(value) in _PLAIN else format(value, "")


def _message(row: tuple[Any, ...] | None) -> Message | None:
    return None if row is None else _told(row)


def _told(row: tuple[Any, ...]) -> Message:
    template, arguments, plural, count = row
    values = tuple((name, _told(value) if isinstance(value, tuple) else value) for name, value in arguments)
    return Message(template, values, plural, count)
