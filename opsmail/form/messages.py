"""What the form's page and its server say to each other: JSON, its texts in the person's language."""

from __future__ import annotations

from collections.abc import Iterable
from gettext import NullTranslations
from typing import Any

from opsmail.check.fixing.difference import DifferenceLine
from opsmail.errors import OpsmailError
from opsmail.findings import Finding
from opsmail.form.editor import Shown
from opsmail.form.fields import Field, form_fields
from opsmail.live.result import Outcome, StageResult, TestResult
from opsmail.messages import Message
from opsmail.source.characters import visible


class Messages:
    """Values of the form as plain data.

    Args:
        language: of the texts.
    """

    def __init__(self, language: NullTranslations) -> None:
        self._language = language

    def say(self, message: Message) -> str:
        """Return a message as it may be shown."""
        return visible(message.render(self._language))

    def fields(self) -> list[dict[str, Any]]:
        """Return the fields of the form."""
        return [self._field(field) for field in form_fields()]

    def shown(self, shown: Shown) -> dict[str, Any]:
        """Return a file as the form shows it."""
        return {
            "path": shown.path,
            "values": dict(shown.values),
            "state": shown.state,
            "findings": self.findings(shown.findings),
        }

    def findings(self, findings: Iterable[Finding]) -> list[dict[str, Any]]:
        """Return findings for the fields that they are about."""
        return [
            {
                "path": finding.path,
                "rule": finding.rule.id,
                "severity": finding.severity.label,
                "message": self.say(finding.message),
                "help": None if finding.help is None else self.say(finding.help),
            }
            for finding in findings
            if finding.waived is None
        ]

    def difference(self, lines: Iterable[DifferenceLine]) -> list[dict[str, str]]:
        """Return the lines of a change."""
        return [{"sign": line.sign, "text": visible(line.text)} for line in lines]

    def result(self, result: TestResult) -> dict[str, Any]:
        """Return what a test send found."""
        failure = result.failure
        said = (
            {}
            if failure is None
            else {
                "cause": self.say(failure.diagnosis.cause),
                "remedy": self.say(failure.diagnosis.remedy),
                "detail": self.say(failure.detail),
            }
        )
        return {"passed": result.outcome is Outcome.PASSED, "stages": list(map(self.stage, result.stages)), **said}

    def stage(self, stage: StageResult) -> dict[str, Any]:
        """Return how a stage of a test send ended."""
        return {"stage": stage.stage.value, "outcome": stage.outcome.value, "milliseconds": stage.milliseconds}

    def error(self, error: OpsmailError) -> dict[str, Any]:
        """Return an error with what to do."""
        return {"error": self.say(error.message), "hint": None if error.hint is None else self.say(error.hint)}

    def _field(self, field: Field) -> dict[str, Any]:
        return {
            "path": field.path,
            "title": self.say(Message(field.title)),
            "help": self.say(Message(field.help)),
            "input": field.input.value,
            "choices": list(field.choices),
            "example": field.example,
            "required": field.required,
            "applies": {path: list(allowed) for path, allowed in field.applies.items()},
        }
