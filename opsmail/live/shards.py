"""A big fleet in parts, one for each CI job."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from opsmail.values import dataclass

_SHARD = re.compile(r"([1-9][0-9]{0,4})/([1-9][0-9]{0,4})")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of so many parts.

    Args:
        number: which, from 1.
        total: how many there are.
    """

    number: int
    total: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that `I/N` names.

        Raises:
            ValueError: it names none.
        """
        match = _SHARD.fullmatch(text)
        if match is None or int(match[1]) > int(match[2]):
            raise ValueError(text)
        return cls(int(match[1]), int(match[2]))

    def pick(self, names: Iterable[str]) -> frozenset[str]:
        """Return the names of this part; each name is in exactly one.

        They stand in the order of their digests and are cut into parts that differ by one at most. Whoever is added or
        taken away moves no more than one name over each cut, where dealing them out would move nearly all.

        Args:
            names: of the whole fleet, the same in every job, in any order.
        """
        ordered = sorted(set(names), key=lambda name: hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest())
        start, end = ((part * len(ordered)) // self.total for part in (self.number - 1, self.number))
        return frozenset(ordered[start:end])

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"
