"""How GitHub's code scanning recognises a line again when others move it.

Source: github/codeql-action, src/fingerprints.ts. An upload that carries other values is warned about.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator
from typing import NamedTuple

#: So many characters from the start of a line tell it from others.
WINDOW = 100
_BASE = 37
_MASK = (1 << 64) - 1
_LEAVING = pow(_BASE, WINDOW, 1 << 64)
_LINE_FEED, _END = 0x0A, 0xFFFF
_BLANKS = str.maketrans("", "", " \t")


class LineHash(NamedTuple):
    """What a line is recognised by.

    Args:
        value: the hash in hexadecimal, and how often it has come up so far: `c129715d7a2bc9a3:1`.
        last: the number of the last line of which a part is hashed too.
    """

    value: str
    last: int


def line_hashes(text: str, lines: Collection[int]) -> dict[int, LineHash]:
    """Return the hashes of some lines of a file by their numbers; those that the file does not have are left out.

    The file is taken as UTF-16 units without blanks and tabs, each line end as one line feed, and a last unit of ones.
    A line's hash is the number that its first hundred units are in base 37, modulo 2 to the power of 64.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n").translate(_BLANKS)
    data = plain.encode("utf-16-le", "surrogatepass")
    units = [*struct.unpack(f"<{len(data) // 2}H", data), _END, *[0] * WINDOW]
    starts = [0, *(index + 1 for index, unit in enumerate(units) if unit == _LINE_FEED)]
    seen: Counter[int] = Counter()
    hashes = {}
    for number, value in enumerate(_rolling(units, starts[: max(lines, default=0)]), 1):
        seen[value] += 1
        if number in lines:
            last = bisect_right(starts, starts[number - 1] + WINDOW - 1)
            hashes[number] = LineHash(f"{value:x}:{seen[value]}", last)
    return hashes


def _rolling(units: list[int], starts: list[int]) -> Iterator[int]:
    """Yield the hash of the window at each of the starts, made from the one before."""
    value = 0
    for unit in units[:WINDOW]:
        value = (value * _BASE + unit) & _MASK
    position = 0
    for start in starts:
        while position < start:
            value = (value * _BASE + units[position + WINDOW] - _LEAVING * units[position]) & _MASK
            position += 1
        yield value
