"""A file that was read: its data, and the place of every value in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from opsmail.findings import FIRST_CHARACTER, Edit, Span
from opsmail.messages import Message


class Place(NamedTuple):
    """Where a key or value stands: (line, column, index) of its start and end as the parser counts them, from 0."""

    start: tuple[int, int, int]
    end: tuple[int, int, int]

    @property
    def span(self) -> Span:
        """The place as people count it."""
        return Span(self.start[0] + 1, self.start[1] + 1, self.end[0] + 1, self.end[1] + 1)


@dataclass(frozen=True, slots=True)
class RelatedPlace:
    """A second place in the same file."""

    message: Message
    span: Span


@dataclass(frozen=True, slots=True)
class ReadProblem:
    """Why a file cannot be taken as an operator: the reading rules (OM0xx) before they are findings.

    Args:
        rule: the rule's id.
        message: what is wrong, without repeating text that could be secret.
        span: where.
        help: what to do.
        related: a second place.
        edits: a safe change that ends it; empty for none.
    """

    rule: str
    message: Message
    span: Span = FIRST_CHARACTER
    help: Message | None = None
    related: tuple[RelatedPlace, ...] = ()
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document and where each part of it stands.

    Args:
        text: the file's text, without a byte-order mark.
        data: the mapping or list as plain values (dict, list, str, int, float, bool, None).
        keys: dotted path of each field to the place of its key.
        scalars: dotted path of each scalar value to its place.
    """

    text: str
    data: Any
    keys: Mapping[str, Place]
    scalars: Mapping[str, Place]

    def span(self, path: str) -> Span:
        """The place of the value at `path`; of its key when it is a section or empty; of the nearest section that exists otherwise."""
        place = self.scalars.get(path)
        if place is not None and place.start != place.end:
            return place.span
        return self.key_span(path)

    def key_span(self, path: str) -> Span:
        """The place of the key at `path`, or of the nearest section around it that exists."""
        while path:
            place = self.keys.get(path)
            if place is not None:
                return place.span
            path = path.rpartition(".")[0]
        return FIRST_CHARACTER

    def written(self, path: str) -> str:
        """The scalar at `path` exactly as it is written, quotes included; empty when there is none."""
        place = self.scalars.get(path)
        return "" if place is None else self.text[place.start[2] : place.end[2]]
