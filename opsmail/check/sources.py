"""The text of checked files, for outputs that know a place by what is written there."""

from __future__ import annotations

from collections.abc import Container
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

from opsmail.settings.files import WAIVERS_NAME
from opsmail.source.tree import MAX_BYTES, SourceError

if TYPE_CHECKING:
    from opsmail.check.disclosure import Disclosure


class SourceText(NamedTuple):
    """A file's text, and what of it may be told.

    Args:
        text: the whole file; bytes that are not UTF-8 replaced, a byte-order mark kept.
        masked: numbers of the lines that hold a comment, or anything else that may be a secret.
    """

    text: str
    masked: frozenset[int]


class Files(Protocol):
    """Where the files are that were checked."""

    def read(self, path: str) -> bytes | None:
        """Return the content of one file, None when there is none."""


class CheckedSources:
    """Gives the text of a file by its path; None where there is none to read.

    Args:
        tree: the files that were checked. They are read again, because only few outputs need them, and those only the
            files with findings.
        schemes: the secret schemes that are known.
    """

    def __init__(self, tree: Files, schemes: Container[str]) -> None:
        self._tree = tree
        self._schemes = schemes

    @cached_property
    def _operator(self) -> Disclosure:
        from opsmail.check.disclosure import Disclosure
        from opsmail.operator.model import Operator

        return Disclosure.of(Operator, self._schemes)

    @cached_property
    def _waiver(self) -> Disclosure:
        from opsmail.check.disclosure import Disclosure
        from opsmail.check.waivers import WaiverEntry

        return Disclosure.of(WaiverEntry)

    def __call__(self, path: str) -> SourceText | None:
        """Return the text of one file."""
        try:
            content = self._tree.read(path)
        except SourceError:  # a link, a folder, gone meanwhile: the findings about it stand without its text
            return None
        if content is None or len(content) > MAX_BYTES:
            return None
        if path == WAIVERS_NAME:
            return _source(content, list, self._waiver)
        # Of another kind of file, such as opsmail.toml, nothing is understood, so everything is masked.
        return _source(content, dict, self._operator)


def _source(content: bytes, top: type, disclosure: Disclosure) -> SourceText:
    from opsmail.check.excerpt import Excerpts
    from opsmail.source.reader import read_document

    document, _ = read_document(content, top=top)
    text = content.decode("utf-8", "replace")
    lines = text.removeprefix("\ufeff").split("\n")
    told = Excerpts("\n".join(lines), document, disclosure).lines(1, len(lines))
    masked = (item.number for item, line in zip(told, lines, strict=True) if item.text.rstrip() != line.rstrip())
    return SourceText(text, frozenset(masked))
