"""Results of `policy test`: the tests of the organisation's own rules, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import NullTranslations

from opsmail.check.organisation.trials import Outcome, Trial
from opsmail.messages import Message, msg
from opsmail.output.escape import for_program, for_terminal, json_text
from opsmail.output.style import Style

SCHEMA = "opsmail/policy-tests/v1"

_MARKS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.UNUSABLE: "✗"}
_COLOURS = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.UNUSABLE: "red"}


def render_text(trials: Sequence[Trial], language: NullTranslations, style: Style) -> str:
    """Return one line for each test."""
    lines = []
    for trial in trials:
        mark = style.paint(_MARKS[trial.outcome], _COLOURS[trial.outcome], bold=True)
        expectation = msg("expected to {expect}", expect=trial.test.expect.value)
        said = for_terminal(_line(trial, expectation).render(language))
        lines.append(f"{mark} {said}\n")
    return "".join(lines)


def _line(trial: Trial, expectation: Message) -> Message:
    reason = expectation if trial.reason is None else trial.reason
    return msg("{rule}  {file}: {reason}", rule=trial.rule, file=trial.test.file, reason=reason)


def closing_line(trials: Sequence[Trial]) -> Message:
    """Return the sentence that sums up."""
    return msg("{passed} passed, {failed} failed, {unusable} unusable", **_count(trials))


def render_json(trials: Sequence[Trial], untested: Sequence[str]) -> str:
    """Return the results as JSON; texts stay English.

    Args:
        trials: in the order of the settings.
        untested: ids of the rules without tests.
    """
    results = [
        {
            "rule": trial.rule,
            "file": for_program(trial.test.file),
            "expect": trial.test.expect.value,
            "outcome": trial.outcome.value,
            "reason": None if trial.reason is None else for_program(str(trial.reason)),
        }
        for trial in trials
    ]
    return json_text({"schema": SCHEMA, "summary": _count(trials), "results": results, "untested": list(untested)})


def _count(trials: Sequence[Trial]) -> dict[str, int]:
    return {outcome.value: sum(trial.outcome is outcome for trial in trials) for outcome in Outcome}
