"""From what a fix means to the pieces of text that it replaces."""

from __future__ import annotations

import re
from collections.abc import Iterable

from opsmail.check.fixing.entries import entry_span
from opsmail.check.fixing.writing import written
from opsmail.findings import Change, Deletion, Edit, MarkRemoval, Renaming, Replacement, SchemeReplacement, Span
from opsmail.source.document import Document, span_of

_QUOTES = ("'", '"')


def edits_of(changes: Iterable[Change], document: Document) -> tuple[Edit, ...] | None:
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
    match change:
        case Replacement(path, value):
            before = document.written(path)
            return Edit(span_of(document.scalars[path]), written(value, before)) if before else None
        case Renaming(path, name):
            return _renaming(path, name, document)
        case SchemeReplacement(path, scheme):
            return _scheme(path, scheme, document)
        case Deletion(path):
            span = entry_span(document, path)
            return None if span is None else Edit(span, "")


def _renaming(path: str, name: str, document: Document) -> Edit | None:
    key = document.keys.get(path)
    if key is None:
        return None
    first = document.text[key.start_mark.index]
    quote = first if first in _QUOTES else ""
    return Edit(span_of(key), f"{quote}{name}{quote}")


def _scheme(path: str, scheme: str, document: Document) -> Edit | None:
    before = document.written(path)
    start = 1 if before.startswith(_QUOTES) else 0
    end = before.find("://")
    if end <= start:
        return None
    place = span_of(document.scalars[path])
    return Edit(Span(place.line, place.column + start, place.line, place.column + end), scheme)
