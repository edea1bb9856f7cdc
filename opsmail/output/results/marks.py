"""Marks of operators in words and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opsmail.messages import Message, msg
from opsmail.output.escape import for_program
from opsmail.publish.marks import Mark, MarkKind, Marks


def told(operator: str, mark: Mark) -> Message:
    """Return what a mark says of an operator."""
    facts = {
        "operator": operator,
        "number": mark.generation,
        "actor": mark.actor,
        "reason": mark.reason or "–",
    }
    if mark.kind is MarkKind.HELD:
        return msg("`{operator}` is held since generation {number}, by {actor}: {reason}", **facts)
    return msg("`{operator}` went live unproven with generation {number}, by {actor}: {reason}", **facts)


def as_plain(marks: Marks) -> Iterator[dict[str, Any]]:
    """Yield each mark for programs, in the order of names."""
    for operator, items in sorted(marks.items()):
        for mark in items:
            yield {
                "operator": for_program(operator),
                "kind": mark.kind.value,
                "generation": mark.generation,
                "actor": for_program(mark.actor),
                "time": for_program(mark.time),
                "reason": for_program(mark.reason),
            }
