"""What is published and what git says, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import NullTranslations

from opsmail.messages import Message, msg
from opsmail.output.escape import for_program, for_terminal, json_text
from opsmail.output.results import marks
from opsmail.output.style import Style
from opsmail.publish.drift import Item, ItemKind, State, state_of
from opsmail.publish.marks import Marks
from opsmail.values import dataclass

SCHEMA = "opsmail/drift/v1"
_COLOURS = {ItemKind.DRIFT: "red", ItemKind.REVOKED: "red", ItemKind.PENDING: "yellow", ItemKind.HELD: "yellow"}


@dataclass(frozen=True, slots=True)
class Report:
    """A comparison.

    Args:
        environment: of what.
        generation: the number of the published one; 0 before the first.
        commit: what git says, full id.
        items: every difference.
        marks: what is to be known of operators besides.
    """

    environment: str
    generation: int
    commit: str
    items: Sequence[Item]
    marks: Marks

    @property
    def state(self) -> State:
        """What the items come to."""
        return state_of(self.items)


def as_text(report: Report, language: NullTranslations, style: Style) -> str:
    """Return the state, each difference, and what is to be known besides."""

    def say(message: Message) -> str:
        return for_terminal(message.render(language))

    heading = msg(
        "environment {environment}, generation {number}, commit {commit}: {state}",
        environment=report.environment,
        number=report.generation,
        commit=report.commit[:12],
        state=report.state.value,
    )
    lines = [say(heading)]
    for item in report.items:
        word = style.paint(item.kind.value.ljust(8), _COLOURS[item.kind], bold=True)
        whose = "" if item.operator is None else f"{for_terminal(item.operator)}: "
        lines.append(f"{word} {whose}{say(item.message)}")
    lines += [say(marks.told(operator, mark)) for operator, items in sorted(report.marks.items()) for mark in items]
    return "\n".join(lines) + "\n"


def as_json(report: Report) -> str:
    """Return the same for programs."""
    items = [
        {"kind": item.kind.value, "operator": item.operator, "message": for_program(str(item.message))}
        for item in report.items
    ]
    return json_text(
        {
            "schema": SCHEMA,
            "environment": report.environment,
            "generation": report.generation,
            "commit": report.commit,
            "state": report.state.value,
            "items": items,
            "marks": list(marks.as_plain(report.marks)),
        }
    )
