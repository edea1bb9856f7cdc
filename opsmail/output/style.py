"""How texts are shown: the few ANSI codes that they use, and how wide they may be."""

from __future__ import annotations

from typing import NamedTuple

_CODES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}


class Style(NamedTuple):
    """Paints text, or leaves it alone.

    Args:
        color: whether the output may contain escape codes.
        width: columns of the terminal that it goes to; None where it goes elsewhere.
    """

    color: bool
    width: int | None = None

    def paint(self, text: str, colour: str = "", *, bold: bool = False) -> str:
        """Return `text` in a colour, bold or both."""
        if not self.color or not text:
            return text
        codes = [code for code in ("1" if bold else "", _CODES.get(colour, "")) if code]
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes else text
