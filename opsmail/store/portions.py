"""Parts of a list that one request takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

_Item = TypeVar("_Item")


def portions(
    items: Sequence[_Item], count: int, size: Callable[[_Item], int] = lambda _: 0, most: int = 0
) -> Iterator[list[_Item]]:
    """Yield items in their order; one that is too large for any request stands alone.

    Args:
        items: all of them.
        count: how many one request takes.
        size: bytes of an item, where they matter.
        most: bytes that one request takes.
    """
    portion: list[_Item] = []
    taken = 0
    for item in items:
        if portion and (len(portion) == count or taken + size(item) > most):
            yield portion
            portion, taken = [], 0
        portion.append(item)
        taken += size(item)
    if portion:
        yield portion
