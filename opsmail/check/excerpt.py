"""The lines shown with a finding, and how exactly a place may be told."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from opsmail.check.disclosure import Disclosure
from opsmail.expressions import expression
from opsmail.findings import ExcerptLine, Span
from opsmail.source.document import Document, Marked

#: Stands for what is not shown, however long that is.
MASK = "****"
_KEY = expression(r"\s*(?:- +)?([A-Za-z_][A-Za-z0-9_-]*)[ \t]*:(?=\s|$)")
#: Longer lines are cut, and so is what is looked at; a whole operator on one line is shorter.
_LONGEST = 1000


class Excerpts:
    """Lines of one file as they may be shown.

    Whatever may be a secret is masked together with all that follows it on its line, so that not even its length shows;
    comments are left out. Places are cut to what is shown, because a column behind a secret tells its length too.

    Args:
        text: the file.
        document: what was read of it; None when it could not be, and then only the known names of fields are shown.
        disclosure: what may be shown.
    """

    def __init__(self, text: str, document: Document | None, disclosure: Disclosure) -> None:
        self._lines = text.split("\n")
        self._disclosure = disclosure
        self._shown = _Unread(disclosure) if document is None else _Read(document, disclosure)

    def lines(self, first: int, last: int) -> tuple[ExcerptLine, ...]:
        """Return lines `first` to `last` (from 1, both included) that exist."""
        numbers = range(max(first, 1), min(last, len(self._lines)) + 1)
        return tuple(ExcerptLine(number, self._shown.text(number - 1, self._line(number))) for number in numbers)

    def place(self, span: Span) -> Span:
        """Return `span` without what it tells of masked text: a place in or behind a mask becomes the mask's start."""
        if span.line > len(self._lines):
            return span
        most = self._shown.exact_until(span.line - 1, self._line(span.line))
        if most is None or span.end_column - 1 <= most:
            return span
        column = min(span.column, most + 1)
        return Span(span.line, column, span.line, max(column + 1, most + 1))

    def _line(self, number: int) -> str:
        return self._lines[number - 1].rstrip("\r")


class _Row(NamedTuple):
    """The columns where a line is cut, None for nowhere, and where its comment starts or it ends."""

    cut: int | None
    end: int


class _Read:
    """Lines of a file that could be read: each key and value is known with its place."""

    def __init__(self, document: Document, disclosure: Disclosure) -> None:
        self._document = document
        self._disclosure = disclosure
        self._keys: dict[int, list[tuple[str, Marked]]] = defaultdict(list)
        self._values: dict[int, list[tuple[str, Marked]]] = defaultdict(list)
        for rows, places in ((self._keys, document.keys), (self._values, document.scalars)):
            for path, marked in places.items():
                rows[marked.start_mark.line].append((path, marked))
        self._rows: dict[int, _Row] = {}

    def text(self, row: int, line: str) -> str:
        cut, end = self._row(row, line)
        return line[:end].rstrip() if cut is None or cut >= _LONGEST else line[:cut] + MASK

    def exact_until(self, row: int, line: str) -> int | None:
        return self._row(row, line).cut

    def _row(self, row: int, line: str) -> _Row:
        if row not in self._rows:  # of few rows only is it asked, of some again and again
            marks = [marked for _, marked in self._keys[row] + self._values[row]]
            columns = [(marked.start_mark.column, marked.end_mark.column) for marked in marks]
            occupied = [place for place in columns if place[0] < _LONGEST]
            self._rows[row] = _Row(min(self._hidden(row), default=None), _comment(line[:_LONGEST], occupied))
        return self._rows[row]

    def _hidden(self, row: int) -> Iterator[int]:
        """Yield the columns where something starts that must not be shown."""
        document, disclosure = self._document, self._disclosure
        for path, key in self._keys[row]:
            field = document.field(path)
            if field and not disclosure.shows_key(field):
                yield key.start_mark.column
        for path, value in self._values[row]:
            written = document.written(path)
            shown = disclosure.shown_part(document.field(path), document.value(path), written)
            if shown < len(written):
                yield value.start_mark.column + shown


def _comment(line: str, occupied: Sequence[tuple[int, int]]) -> int:
    """Return the column where a comment starts, at a `#` that is in no key or value, or where the line ends."""
    for match in re.finditer("#", line):
        column = match.start()
        if not any(start <= column < end for start, end in occupied):
            return column
    return len(line)


class _Unread:
    """Lines of a file that could not be read: anything but the name of a known field may be a secret, or its rest."""

    def __init__(self, disclosure: Disclosure) -> None:
        self._names = {name for names in disclosure.names.values() for name in names}
        secret = "|".join(re.escape(path.rpartition(".")[2]) for path in disclosure.secret)
        self._secret = expression(rf"\b(?:{secret or '(?!)'})\b")

    def text(self, row: int, line: str) -> str:
        line = line[:_LONGEST]
        if not line.strip():
            return ""
        key = _KEY.match(line)
        if key is None or key[1] not in self._names:
            return f"{_indentation(line)}…"
        return f"{key[0]} …" if line[key.end() :].strip() else key[0]

    def exact_until(self, row: int, line: str) -> int | None:
        if not line.strip() or line.lstrip().startswith("#"):
            return None
        key = _KEY.match(line)
        if key is None or key[1] not in self._names:
            return len(_indentation(line))
        secret = self._secret.search(line)
        return None if secret is None else secret.end()


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
