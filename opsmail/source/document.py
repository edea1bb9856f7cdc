"""A file that was read: its data, and the place of every value in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from opsmail.findings import FIRST_CHARACTER, FileChange, Span
from opsmail.messages import Message

#: More findings of one kind in one file help nobody.
MAX_REPEATED = 20


class Mark(Protocol):
    """A position as the parser counts it: from 0, in code points."""

    @property
    def line(self) -> int:
        """Its line."""
        ...

    @property
    def column(self) -> int:
        """What stands before it in its line."""
        ...

    @property
    def index(self) -> int:
        """What stands before it in the file."""
        ...


class Marked(Protocol):
    """A key or value with its start and end: a parser event, or alike. It becomes a span when a finding needs one."""

    @property
    def start_mark(self) -> Mark:
        """Where it starts."""
        ...

    @property
    def end_mark(self) -> Mark:
        """What follows it."""
        ...


class MarkedText(Marked, Protocol):
    """A scalar value with its place."""

    @property
    def value(self) -> str:
        """Its text."""
        ...


class RelatedPlace(NamedTuple):
    """A second place in the same file."""

    message: Message
    span: Span


class ReadProblem(NamedTuple):
    """Why a file cannot be taken as an operator: the reading rules (OM0xx) before they are findings.

    Args:
        rule: the rule's id.
        message: what is wrong, without repeating text that could be secret.
        span: where.
        help: what to do.
        related: a second place.
        changes: what ends it and cannot change what is meant; empty for none.
    """

    rule: str
    message: Message
    span: Span = FIRST_CHARACTER
    help: Message | None = None
    related: tuple[RelatedPlace, ...] = ()
    changes: tuple[FileChange, ...] = ()


class Places(NamedTuple):
    """Where each part of a document stands.

    Args:
        keys: dotted path of each field to the place of its key; of each list element to the place where it starts.
        scalars: dotted path of each scalar value to its place, and to its text before that is taken for a number.
    """

    keys: Mapping[str, Marked]
    scalars: Mapping[str, MarkedText]


class Document:
    """One YAML document and where each part of it stands.

    Args:
        text: the file's text, without a byte-order mark.
        data: the mapping or list as plain values (dict, list, str, int, float, bool, None).
        texts: dotted path of each scalar value to its text before that is taken for a number.
        find: tells the places; it is asked once, and only where there is something to say about the file.
    """

    def __init__(self, text: str, data: Any, texts: Mapping[str, str], find: Callable[[], Places]) -> None:
        self.text = text
        self.data = data
        self.texts = texts
        self._find = find

    @cached_property
    def _places(self) -> Places:
        return self._find()

    @property
    def keys(self) -> Mapping[str, Marked]:
        """The places of keys and of the elements of lists, by dotted path."""
        return self._places.keys

    @property
    def scalars(self) -> Mapping[str, MarkedText]:
        """The places of scalar values, by dotted path."""
        return self._places.scalars

    def span(self, path: str) -> Span:
        """The place of the value at `path`; of its key where it is a section or empty; else of the nearest section."""
        written = self.scalars.get(path)
        if written is not None and written.start_mark.index != written.end_mark.index:
            return span_of(written)
        return self.key_span(path)

    def key_span(self, path: str) -> Span:
        """The place of the key at `path`, or of the nearest section around it that exists."""
        while path:
            key = self.keys.get(path)
            if key is not None:
                return span_of(key)
            path = path.rpartition(".")[0]
        return FIRST_CHARACTER

    def field(self, path: str) -> str:
        """Return the field's path inside its entry where the document is a list of entries; `path` itself otherwise."""
        return path.partition(".")[2] if isinstance(self.data, list) else path

    def value(self, path: str) -> Any:
        """The value at `path`; None when there is none, too."""
        value = self.data
        for name in path.split("."):
            if isinstance(value, dict):
                value = value.get(name)
            elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
                value = value[int(name)]
            else:
                return None
        return value

    def written(self, path: str) -> str:
        """The scalar at `path` exactly as it is written, quotes included; empty when there is none."""
        scalar = self.scalars.get(path)
        return "" if scalar is None else self.text[scalar.start_mark.index : scalar.end_mark.index]


def span_of(marked: Marked) -> Span:
    """The place as people count it, cut to its first line and at least one column wide."""
    start, end = marked.start_mark, marked.end_mark
    end_column = end.column if end.line == start.line and end.column > start.column else start.column + 1
    return Span(start.line + 1, start.column + 1, start.line + 1, end_column + 1)
