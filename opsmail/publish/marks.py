"""What is to be known of single operators beside their documents: that they are held, or went live unproven.

Marks are part of the signed generation, split into buckets as the manifest is, so nobody sets one by writing to the
store.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Annotated, Any

from opsmail.constraints import Length, Range
from opsmail.messages import msg
from opsmail.shape import Decoder, encode
from opsmail.store.generation import Blobs, Generation
from opsmail.store.interface import StoreDamaged
from opsmail.store.manifest import join
from opsmail.values import dataclass

_Text = Annotated[str, Length(0, 2000)]


class MarkKind(StrEnum):
    """What a mark says."""

    HELD = "held"
    BREAK_GLASS = "break-glass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One mark of one operator.

    Args:
        kind: what it says.
        generation: the number of the one that set it.
        actor: who set it.
        time: when, RFC 3339 in UTC.
        reason: in words; may be empty.
    """

    kind: MarkKind
    generation: Annotated[int, Range(1, 2**53)]
    actor: _Text
    time: _Text
    reason: _Text = ""


#: Operator to its marks, one of a kind.
Marks = Mapping[str, tuple[Mark, ...]]
_MARK = Decoder(Mark)


def read_marks(blobs: Blobs, generation: Generation | None) -> Marks:
    """Return the marks of a generation; none before the first.

    Raises:
        StoreDamaged: what is there cannot be read.
    """
    if generation is None or not generation.marks:
        return {}
    contents = blobs.read(set(generation.marks.values()))
    try:
        told = join((name, contents[digest]) for name, digest in generation.marks.items())
        return {operator: tuple(map(_decoded, items)) for operator, items in told.items()}
    except (ValueError, TypeError) as error:
        raise StoreDamaged(
            msg(
                "the marks of generation {number} in {place} cannot be read",
                number=generation.number,
                place=blobs.location,
            ),
            hint=msg("upgrade opsmail if a newer one wrote them; else restore the store from a backup"),
        ) from error


def _decoded(data: object) -> Mark:
    mark, _ = _MARK.decode(data)
    if mark is None:
        raise ValueError("no mark")
    return mark


def plain(marks: Marks) -> dict[str, Any]:
    """Return marks as plain data, as a generation carries them."""
    return {operator: [encode(mark) for mark in items] for operator, items in marks.items() if items}


def marked(marks: Marks, kind: MarkKind) -> dict[str, Mark]:
    """Return the operators that have a mark of this kind, each with it, in the order of names."""
    return {operator: mark for operator, items in sorted(marks.items()) for mark in items if mark.kind is kind}


def with_mark(marks: Marks, operators: Collection[str], mark: Mark) -> Marks:
    """Return marks with this one on each of these operators, in place of one of its kind."""
    others = without(marks, operators, mark.kind)
    return {**others, **{operator: (*others.get(operator, ()), mark) for operator in operators}}


def without(marks: Marks, operators: Collection[str], kind: MarkKind) -> Marks:
    """Return marks without those of this kind on these operators."""
    left = {
        operator: tuple(mark for mark in items if operator not in operators or mark.kind is not kind)
        for operator, items in marks.items()
    }
    return {operator: items for operator, items in left.items() if items}
