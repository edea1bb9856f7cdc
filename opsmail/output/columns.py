"""How wide text is on a terminal, and which part of a long line to show."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import category, east_asian_width

from opsmail.output.escape import for_terminal
from opsmail.values import dataclass

_EMOJI_STYLE = "\ufe0f"
#: Vowels and finals of Hangul in pieces, as macOS writes the names of files: they stand in the syllable before.
_IN_SYLLABLE = range(0x1160, 0x1200)
_ELLIPSIS = "…"


def columns(text: str) -> int:
    """Return how many columns of a terminal `text` takes, as it is shown there (UAX #11, UTS #51)."""
    if text.isascii() and text.isprintable():  # most lines are, and each character takes a look-up
        return len(text)
    return sum(_widths(text))


def _widths(text: str) -> Iterator[int]:
    """Yield how many columns each character adds."""
    narrow = False
    for char in text:
        if char == _EMOJI_STYLE:
            yield int(narrow)  # the sign before takes two columns now
            narrow = False
            continue
        width = _width(char)
        narrow = width not in (0, 2)  # what is written out ends with one that is
        yield width


def _width(char: str) -> int:
    shown = for_terminal(char)
    if len(shown) > 1:  # written out
        return len(shown)
    if category(char) in ("Mn", "Me") or ord(char) in _IN_SYLLABLE:
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


@dataclass(frozen=True, slots=True)
class Window:
    """What is shown of a line.

    Args:
        text: the whole line.
        first: the first character that is shown, from 0.
        last: what follows the last one.
    """

    text: str
    first: int
    last: int

    @classmethod
    def around(cls, text: str, start: int, end: int, room: int) -> Window:
        """Return a whole line where it has room, else the part with a mark, some of what is before it included.

        Args:
            text: the line.
            start: where the mark starts, from 0.
            end: what follows it.
            room: columns; more than a few.
        """
        if columns(text) <= room:
            return cls(text, 0, len(text))
        widths = list(_widths(text))
        start, end = min(start, len(text)), min(end, len(text))
        room -= 2 * len(_ELLIPSIS)
        first, left = _back(widths, start, min(room // 3, max(0, room - sum(widths[start:end]))))
        last, left = _forth(widths, first, room)
        if last == len(text):
            first, left = _back(widths, first, left)
        while first < last and _width(text[first]) == 0:  # belongs to a sign that is not shown
            first += 1
        return cls(text, first, last)

    def __str__(self) -> str:
        before = _ELLIPSIS if self.first > 0 else ""
        after = _ELLIPSIS if self.last < len(self.text) else ""
        return f"{before}{for_terminal(self.text[self.first : self.last])}{after}"

    def mark(self, start: int, end: int) -> tuple[int, int]:
        """Return the column where a mark starts and how many it takes, cut to what is shown.

        Args:
            start: where it starts in the line, from 0.
            end: what follows it.
        """
        start, end = (min(max(index, self.first), self.last) for index in (start, end))
        before = len(_ELLIPSIS) if self.first > 0 else 0
        return before + columns(self.text[self.first : start]), max(1, columns(self.text[start:end]))


def _back(widths: list[int], index: int, room: int) -> tuple[int, int]:
    """Return how far back characters fit, and the room that is left."""
    while index > 0 and widths[index - 1] <= room:
        index -= 1
        room -= widths[index]
    return index, room


def _forth(widths: list[int], index: int, room: int) -> tuple[int, int]:
    while index < len(widths) and widths[index] <= room:
        room -= widths[index]
        index += 1
    return index, room
