"""From what a fix means to the pieces of text that it replaces."""

from __future__ import annotations

import re
from collections.abc import Iterable

from opsmail.check.fixing.entries import entry_span
from opsmail.check.fixing.writing import written
from opsmail.findings import Deletion, Edit, FileChange, MarkRemoval, Renaming, Replacement, SchemeReplacement, Span
from opsmail.source.document import Document, span_of

_QUOTES = ("'", '"')


def edits_of(changes: Iterable[FileChange], document: Document) -> tuple[Edit, ...] | None:
    """Return how `changes` are written; None where a line would have to be invented, or it is not clear where."""
    edits = []
    for change in changes:
        if isinstance(change, MarkRemoval):
            continue  # it is no part of the text
        edit = _edit(change, document)
        if edit is None:
            return None
        edits.append(edit)
    return tuple(edits)


def splice(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` with pieces of it replaced, from the last to the first; they must not overlap."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
        start = starts[edit.span.line - 1] + edit.span.column - 1
        end = starts[edit.span.end_line - 1] + edit.span.end_column - 1
        text = f"{text[:start]}{edit.text}{text[end:]}"
    return text


def _edit(change: Replacement | Renaming | SchemeReplacement | Deletion, document: Document) -> Edit | None:
    if isinstance(change, Replacement):
        before = document.written(change.path)
        return Edit(span_of(document.scalars[change.path]), written(change.value, before)) if before else None
    if isinstance(change, Renaming):
        return _renaming(change, document)
    if isinstance(change, SchemeReplacement):
        return _scheme(change, document)
    span = entry_span(document, change.path)
    return None if span is None else Edit(span, "")


def _renaming(change: Renaming, document: Document) -> Edit | None:
    key = document.keys.get(change.path)
    if key is None or change.path.rpartition(".")[2].isdecimal():
        return None  # nothing, or an entry of a list
    first = document.text[key.start_mark.index]
    quote = first if first in _QUOTES else ""
    return Edit(span_of(key), f"{quote}{change.name}{quote}")


def _scheme(change: SchemeReplacement, document: Document) -> Edit | None:
    before = document.written(change.path)
    start = 1 if before.startswith(_QUOTES) else 0
    end = before.find("://")
    if end <= start:
        return None
    place = span_of(document.scalars[change.path])
    return Edit(Span(place.line, place.column + start, place.line, place.column + end), change.scheme)
