"""OM605: secrets where nobody looks for them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from opsmail.check.detection import (
    FORMAL_FIELDS,
    SECRET_FIELDS,
    SHORTEST_TOKEN,
    holds_secret,
    looks_secret,
    may_hold_secret,
)
from opsmail.check.interface import Problem, document_rule
from opsmail.findings import Severity, Span
from opsmail.messages import msg
from opsmail.source.document import MAX_REPEATED, Document

#: Editors read the first; it is in every file.
_KNOWN_COMMENTS = (" yaml-language-server:", " SPDX-License-Identifier:")
_HELP = msg("change it now, since git keeps what it has seen; then delete it here")


@document_rule("OM605", "secret-in-text", Severity.ERROR, unwaivable=True)
def secret_in_text(document: Document) -> Iterator[Problem]:
    """Something that looks like a secret, in a comment or in a field that is not for secrets."""
    if not _is_worth_a_look(document):
        return
    comments = (comment.offset for comment in _comments(document) if looks_secret(comment.text))
    for offset in islice(comments, MAX_REPEATED):
        yield _in_comment(document, offset)
    fields = (path for path, value in document.texts.items() if holds_secret(path, value))
    for path in islice(fields, MAX_REPEATED):
        yield _in_field(path)


class _Comment(NamedTuple):
    """What follows a `#` that stands in no value, to the end of the line."""

    offset: int
    text: str


def _comments(document: Document) -> Iterator[_Comment]:
    text = document.text
    values = _Values(document)
    offset = text.find("#")
    while offset >= 0:
        after = offset + 1
        if offset == 0 or text[offset - 1] in " \t\n":
            inside = values.end_of(offset)
            if inside is not None:
                after = inside
            else:
                end = text.find("\n", offset)
                after = len(text) if end < 0 else end
                yield _Comment(offset, text[offset + 1 : after])
        offset = text.find("#", after)


class _Values:
    """Where the values of a document stand, for looking up an offset without going through all of them."""

    def __init__(self, document: Document) -> None:
        spans = sorted((item.start_mark.index, item.end_mark.index) for item in document.scalars.values())
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]

    def end_of(self, offset: int) -> int | None:
        """Return where the value around `offset` ends, None where there is none."""
        index = bisect_right(self._starts, offset) - 1
        return self._ends[index] if index >= 0 and offset < self._ends[index] else None


def _is_worth_a_look(document: Document) -> bool:
    """Look at everything that people write freely at once, because nearly all files have nothing to find."""
    for path, value in document.texts.items():
        if path in FORMAL_FIELDS:
            if len(value) >= SHORTEST_TOKEN and not value.islower():
                return True
        elif path not in SECRET_FIELDS and (_is_telling(path) or _may_hold(value)):
            return True
    return any(map(_may_hold, _line_ends(document.text)))


@lru_cache(maxsize=1024)  # files have the same few fields
def _is_telling(path: str) -> bool:
    """Whether a field's name alone is worth a closer look."""
    return may_hold_secret(path.rpartition(".")[2])


#: Most of what is said in a file is said in others too.
_may_hold = lru_cache(maxsize=4096)(may_hold_secret)


def _line_ends(text: str) -> Iterator[str]:
    """Yield of each line what follows its first `#`: at least all that is comment in it."""
    offset = text.find("#")
    while offset >= 0:
        end = text.find("\n", offset)
        rest = text[offset + 1 :] if end < 0 else text[offset + 1 : end]
        if not rest.startswith(_KNOWN_COMMENTS):
            yield rest
        offset = text.find("#", end) if end >= 0 else -1


def _in_comment(document: Document, offset: int) -> Problem:
    line = document.text.count("\n", 0, offset) + 1
    column = offset - document.text.rfind("\n", 0, offset)
    return Problem(
        "",
        msg("this comment holds something that looks like a password, a key or a token"),
        label=msg("not shown"),
        help=_HELP,
        span=Span(line, column, line, column + 1),
    )


def _in_field(path: str) -> Problem:
    return Problem(
        path,
        msg("this looks like a password, a key or a token, in a field that is not for secrets"),
        label=msg("the value is not shown"),
        help=_HELP,
        at_key=True,  # the value's own place would tell its length
    )
