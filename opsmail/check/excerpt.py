"""The lines shown with a finding: only what opsmail understands and knows not to be secret."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Union

from opsmail.findings import ExcerptLine
from opsmail.operator.model import Operator
from opsmail.references import SecretReference
from opsmail.source.document import Document, Place

_MASK = "****"
_KEY = re.compile(r"\s*(?:- )?[A-Za-z_][A-Za-z0-9_.-]{0,40}\s*:(?=\s|$)")
_LONGEST = 200


class Excerpts:
    """Lines of one file as they may be shown.

    Values of fields that opsmail does not know, values of secret fields that are not references, and comments are cut off: any of them may be
    a password that somebody typed in the wrong place. What follows them on the line goes too, so that not even their length shows.

    Args:
        text: the file.
        document: what was read of it; None when it could not be, and then only the names of fields are shown.
        public: the dotted paths whose values may be shown; a trailing `*` covers one level.
    """

    def __init__(self, text: str, document: Document | None, public: frozenset[str]) -> None:
        self._lines = text.split("\n")
        self._document = document
        self._cuts = {} if document is None else _cuts(document, public)
        self._comments = [] if document is None else sorted(_occupied(document))

    def lines(self, first: int, last: int) -> tuple[ExcerptLine, ...]:
        """Return lines `first` to `last` (from 1, both included) that exist."""
        numbers = range(max(first, 1), min(last, len(self._lines)) + 1)
        return tuple(ExcerptLine(number, self._shown(number)) for number in numbers)

    def _shown(self, number: int) -> str:
        line = self._lines[number - 1].rstrip("\r")[:_LONGEST]
        if self._document is None:
            match = _KEY.match(line)
            return f"{match[0]} …" if match and line[match.end() :].strip() else (match[0] if match else "…")
        cut = self._cuts.get(number - 1)
        if cut is not None:
            return line[:cut] + _MASK
        return line[: self._comment(number - 1, line)].rstrip()

    def _comment(self, row: int, line: str) -> int:
        """Return the column where a comment starts: a `#` outside every key and value, at the start or after a space."""
        for match in re.finditer(r"(?<!\S)#", line):
            column = match.start()
            inside = any(
                (start[0], start[1]) <= (row, column) < (end[0], end[1]) for start, end in self._comments if start[0] <= row
            )
            if not inside:
                return column
        return len(line)


def _occupied(document: Document) -> list[Place]:
    return [*document.keys.values(), *document.scalars.values()]


def _cuts(document: Document, public: frozenset[str]) -> dict[int, int]:
    """Return, for each row with a value that must not be shown, the column where it starts."""
    cuts: dict[int, int] = {}
    for path, (start, end) in document.scalars.items():
        if start == end or _is_public(path, public) or _is_reference(document, path):
            continue
        cuts[start[0]] = min(start[1], cuts.get(start[0], start[1]))
        for row in range(start[0] + 1, end[0] + 1):
            cuts[row] = 0
    return cuts


def _is_public(path: str, public: frozenset[str]) -> bool:
    return path in public or f"{path.rpartition('.')[0]}.*" in public


def _is_reference(document: Document, path: str) -> bool:
    """Whether a secret field holds what it should: the place of a secret, which is no secret."""
    if path not in secret_paths():
        return False
    value: Any = document.data
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return isinstance(value, str) and not SecretReference.parse(value).is_literal


@cache
def public_paths() -> frozenset[str]:
    """Return the paths of an operator file whose values may be shown."""
    return frozenset(path for path, is_secret in _leaves(Operator, "") if not is_secret)


@cache
def secret_paths() -> frozenset[str]:
    """Return the paths of an operator file that hold secret references."""
    return frozenset(path for path, is_secret in _leaves(Operator, "") if is_secret)


def _leaves(annotation: Any, path: str) -> Sequence[tuple[str, bool]]:
    """Return each leaf path below one annotation, and whether it is a secret reference."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _leaves(typing.get_args(annotation)[0], path)
    if origin in (Union, types.UnionType):
        return [leaf for member in typing.get_args(annotation) for leaf in _leaves(member, path) if member is not type(None)]
    if annotation is SecretReference:
        return [(path, True)]
    if dataclasses.is_dataclass(annotation):
        hints = typing.get_type_hints(annotation, include_extras=True)
        prefix = f"{path}." if path else ""
        return [leaf for name, hint in hints.items() for leaf in _leaves(hint, prefix + name)]
    if origin is not None and typing.get_args(annotation)[:1] == (str,):
        return [(f"{path}.*", False)]
    return [(path, False)]
