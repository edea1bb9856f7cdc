"""The lines of a list's entry, with what belongs to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from opsmail.findings import Span
from opsmail.source.document import Document, Marked


def entry_span(document: Document, path: str) -> Span | None:
    """Return the lines that go when the entry at `path` of a list is deleted; None where they hold more than it.

    Comments on lines of their own go with it where they stand directly above, and where they are indented like its
    fields; not those at the top of the file, which speak of all of it. Of the blank lines around it, one is left.
    """
    entry = document.keys.get(path)
    if entry is None or not path.rpartition(".")[2].isdecimal():
        return None
    lines = document.text.split("\n")
    first = entry.start_mark.line
    before = lines[first][: entry.start_mark.column]
    if before.strip(" ") != "-":
        return None  # in brackets, or behind a dash on a line of its own
    last = max(marked.end_mark.line for marked in (entry, *_inside(document, path, document.value(path))))
    dash = before.index("-")
    start, end = _above(lines, first, dash), _below(lines, last + 1, dash)
    size = len(lines) if lines[-1] else len(lines) - 1
    if end < size and not lines[end].strip() and (start == 0 or not lines[start - 1].strip()):
        end += 1
    while end >= size and start > 0 and not lines[start - 1].strip():
        start -= 1  # the file ends with what is left
    if end < len(lines):
        return Span(start + 1, 1, end + 1, 1)
    return Span(start + 1, 1, len(lines), len(lines[-1]) + 1)


def _inside(document: Document, path: str, value: Any) -> Iterator[Marked]:
    """Yield every key and value below a path; no deeper than the reader lets a file be."""
    if isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield document.keys[f"{path}.{name}"]
            yield from _inside(document, f"{path}.{name}", item)
    else:
        yield document.scalars[path]


def _above(lines: Sequence[str], first: int, indentation: int) -> int:
    """Return the first of the lines of comment right above a line, or that line itself."""
    start = first
    while start > 0 and _comment_at(lines[start - 1]) == indentation:
        start -= 1
    return start if start > 0 else first


def _below(lines: Sequence[str], end: int, indentation: int) -> int:
    """Return the line behind those of comment that are indented further."""
    while end < len(lines) and _comment_at(lines[end]) > indentation:
        end += 1
    return end


def _comment_at(line: str) -> int:
    """Return the column (from 0) of a comment that has its line to itself; -1 for any other line."""
    return line.index("#") if line.lstrip(" ").startswith("#") else -1
