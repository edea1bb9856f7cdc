"""What fixes change in a file, line by line, with everything masked that is masked elsewhere."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

from opsmail.check.disclosure import Disclosure
from opsmail.check.excerpt import MASK, Excerpts
from opsmail.check.fixing.rounds import FixedFile
from opsmail.check.waivers import WaiverEntry
from opsmail.operator.model import Operator
from opsmail.settings.files import WAIVERS_NAME
from opsmail.source.reader import read_document

_MARK = "\ufeff"


class DifferenceLine(NamedTuple):
    """A line as it may be shown: `-` for one that goes, `+` for one that comes, a blank for one that stays."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that change, with three around them that do not.

    Args:
        before: number of the first line in the file as it is, and how many they are there.
        after: the same in the fixed file.
        lines: all of them.
    """

    before: tuple[int, int]
    after: tuple[int, int]
    lines: tuple[DifferenceLine, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What fixes change in one file."""

    path: str
    hunks: tuple[Hunk, ...]


def difference(file: FixedFile, schemes: Container[str]) -> Difference:
    """Return what changes in a file.

    Args:
        file: before and after.
        schemes: the secret schemes that are known.
    """
    is_waivers = file.path == WAIVERS_NAME
    disclosure = Disclosure.of(WaiverEntry) if is_waivers else Disclosure.of(Operator, schemes)
    top = list if is_waivers else dict
    before, after = (_Lines(content, disclosure, top) for content in (file.before, file.after))
    groups = SequenceMatcher(None, before.written, after.written).get_grouped_opcodes()
    return Difference(file.path, tuple(_hunk(group, before, after) for group in groups))


class _Lines:
    """The lines of a file, to compare as they are written and to show as they may be."""

    def __init__(self, content: bytes, disclosure: Disclosure, top: type) -> None:
        whole = content.decode("utf-8")
        text = whole.removeprefix(_MARK)
        self.written = [line.rstrip("\r") for line in whole.removesuffix("\n").split("\n")]
        document, _ = read_document(content, top)
        told = Excerpts(text, document, disclosure).lines(1, len(self.written))
        mark = whole[: len(whole) - len(text)]
        first, *rest = (_shown(line.text, written) for line, written in zip(told, text.split("\n"), strict=False))
        self.shown = [f"{mark}{first}", *rest]
        self.hidden = [_hidden(shown, written) for shown, written in zip(self.shown, self.written, strict=True)]


def _shown(told: str, written: str) -> str:
    """Return a line with a sign for the comment, or for the rest of a long line, that is left out."""
    rest = written.rstrip().removeprefix(told) if written.startswith(told) else ""
    comment = rest.lstrip()
    if not comment:
        return told
    return f"{told}{rest[: len(rest) - len(comment)]}{'# …' if comment.startswith('#') else '…'}"


def _hidden(shown: str, written: str) -> str:
    """Return what stands behind the mask of a line; empty where there is none."""
    return "" if written.startswith(shown) or not shown.endswith(MASK) else written[len(shown) - len(MASK) :]


def _hunk(group: Sequence[tuple[str, int, int, int, int]], before: _Lines, after: _Lines) -> Hunk:
    lines: list[DifferenceLine] = []
    for kind, start, end, other_start, other_end in group:
        if kind == "equal":
            lines += (DifferenceLine(" ", text) for text in before.shown[start:end])
            continue
        lines += (DifferenceLine("-", text) for text in before.shown[start:end])
        hidden = [tail for tail in before.hidden[start:end] if tail]
        come = zip(after.written[other_start:other_end], after.shown[other_start:other_end], strict=True)
        lines += (DifferenceLine("+", _still_masked(written, shown, hidden)) for written, shown in come)
    (_, start, _, other_start, _), (_, _, end, _, other_end) = group[0], group[-1]
    return Hunk(_lines_from(start, end), _lines_from(other_start, other_end), tuple(lines))


def _still_masked(written: str, shown: str, hidden: Sequence[str]) -> str:
    """Return a line with masked what was: under its right name, a value would be shown that may still be a secret."""
    for tail in hidden:
        if written.endswith(tail) and len(_hidden(shown, written)) < len(tail):
            shown = f"{written.removesuffix(tail)}{MASK}"
    return shown


def _lines_from(start: int, end: int) -> tuple[int, int]:
    """Return the first line and how many there are; where there are none, the line before (POSIX, diff -u)."""
    return start + (end > start), end - start
