"""What benchmarks publish, and a pipeline that notes how long its store takes for it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsmail.store.interface import Head, Store
from tests.unit.fleets import Shop, documents, operator

#: What a server keeps at hand of a database: the default of PostgreSQL and of MariaDB.
MEMORY = "128M"
_TEMPLATE = "o000000"


class Timed:
    """A store that notes how long the publisher waits for it, and how much it is given to write."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.seconds = 0.0
        self.written = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write_missing(self, blobs: Mapping[str, bytes]) -> int:
        """Write blobs, by the clock."""
        started = time.perf_counter()
        self.written += (written := self._store.write_missing(blobs))
        self.seconds += time.perf_counter() - started
        return written

    def swap_head(self, expected: Head, **swap: Any) -> Head:
        """Move the head, by the clock."""
        started = time.perf_counter()
        head = self._store.swap_head(expected, **swap)
        self.seconds += time.perf_counter() - started
        return head


@dataclass
class Bench(Shop):
    """A pipeline that publishes to a store and notes its part."""

    timed: Timed = field(kw_only=True)

    @contextmanager
    def store(self) -> Iterator[Any]:
        """Give the one store, which stays open."""
        yield self.timed


def fleet(count: int, changed: int = 0, version: int = 0) -> dict[str, bytes]:
    """Return published documents by operator; the first `changed` of them differ by `version`."""
    template = documents([operator(_TEMPLATE, name="v0")])[_TEMPLATE]
    made = {}
    for number in range(count):
        name = f"o{number:06}"
        document = template.replace(_TEMPLATE.encode(), name.encode()).replace(
            _TEMPLATE.upper().encode(), name.upper().encode()
        )
        made[name] = document.replace(b'"v0"', f'"v{version}"'.encode()) if number < changed else document
    return made


def bench(store: Store) -> Bench:
    """Return a pipeline that publishes to `store`."""
    return Bench(Path(), timed=Timed(store))
