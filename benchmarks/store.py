"""What stores take: a first publish beside a bare INSERT of as many rows, 100 changes of two fleets, a poll.

The store's part is the time inside `write_missing` and `swap_head` of the real publisher. Servers are started in
private folders, and spoken to by TLS.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Column, LargeBinary, MetaData, String, Table, insert

from opsmail.store.interface import Head, Store
from opsmail.store.manifest import bucket_of
from opsmail.store.sql import SqlStore
from tests.conformance.publishing import Place
from tests.servers import etcd, mariadb, postgres
from tests.servers.databases import DatabaseServer
from tests.servers.processes import UnavailableError
from tests.unit.fleets import ENVIRONMENT, Shop, documents, operator

RESULTS = Path(__file__).resolve().parent / "STORE.md"
_TEMPLATE = "o000000"
_ROWS = Table(
    "bench_rows",
    MetaData(),
    Column("operator", String(63), primary_key=True),
    Column("digest", String(64)),
    Column("document", LargeBinary(1024 * 1024)),
)


@dataclass(frozen=True)
class Figures:
    """What one store took, in seconds.

    Args:
        store: its name.
        rows: one executemany of as many rows as the first publish has operators; None where there is no SQL.
        first: the store's part of the first publish.
        small: of 100 changes in the small fleet.
        large: of 100 changes in the large fleet.
        written: blobs that those wrote in the large fleet, besides the generation.
        changed: documents and buckets that they touched there.
        poll: an unchanged `head`.
        bare: one bare SELECT over the same driver; None where there is no SQL.
    """

    store: str
    rows: float | None
    first: float
    small: float
    large: float
    written: int
    changed: int
    poll: float
    bare: float | None


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, and write them where that was asked for."""
    options = _options(arguments)
    figures = []
    for name, running, new_place in _kinds():
        if name not in options.stores:
            continue
        try:
            with (
                running as server,
                tempfile.TemporaryDirectory() as folder,
                new_place(server, Path(folder)) as measured,
            ):
                figures.append(_measure(name, measured, options))
        except UnavailableError as reason:
            print(f"{name}: {reason}")
            continue
        print(figures[-1], flush=True)
    text = _report(figures, options)
    print(text)
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    names = ["sqlite", "postgresql", "mariadb", "etcd"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__)
    parser.add_argument("stores", nargs="*", default=names, metavar="STORE", help=f"some of {', '.join(names)}")
    parser.add_argument("--first", type=int, default=10_000, help="operators of the first publish")
    parser.add_argument("--small", type=int, default=1_000, help="operators of the small fleet")
    parser.add_argument("--large", type=int, default=100_000, help="operators of the large fleet")
    parser.add_argument("--changes", type=int, default=100, help="operators that change in each")
    parser.add_argument("--repeat", type=int, default=5, help="runs of what is short; the median counts")
    parser.add_argument("--write", action="store_true", help=f"write the tables to {RESULTS.name}")
    return parser.parse_args(arguments)


_Places = Callable[[Any, Path], AbstractContextManager[Callable[[], AbstractContextManager[Place]]]]


def _kinds() -> Iterator[tuple[str, AbstractContextManager[Any], _Places]]:
    """Yield each kind of store: its name, what runs its server, and what makes a new place there."""
    yield "sqlite", _nothing(), _files
    yield "postgresql", postgres.postgres_server(), lambda server, _: _of(server, postgres.new_place)
    yield "mariadb", mariadb.mariadb_server(), lambda server, _: _of(server, mariadb.new_place)
    yield "etcd", etcd.etcd_server(), lambda server, _: _of(server, etcd.new_place)


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


@contextmanager
def _files(_: None, folder: Path) -> Iterator[Callable[[], AbstractContextManager[Place]]]:
    @contextmanager
    def new_place() -> Iterator[Place]:
        with tempfile.TemporaryDirectory(dir=folder) as below:
            yield Place(f"sqlite:///{below}/store.db")

    yield new_place


@contextmanager
def _of(
    server: DatabaseServer, new_place: Callable[[DatabaseServer], AbstractContextManager[Place]]
) -> Iterator[Callable[[], AbstractContextManager[Place]]]:
    yield lambda: new_place(server)


def _measure(name: str, new_place: Callable[[], AbstractContextManager[Place]], options: argparse.Namespace) -> Figures:
    rows, first = [], []
    for _ in range(options.repeat):
        with new_place() as place, closing(place.open(create=True)) as store:
            # In turns, so that what else the machine does hits both.
            if isinstance(store, SqlStore):
                rows.append(_rows(store, fleet(options.first)))
            first.append(_publish(bench(store), fleet(options.first)).seconds)
    small, _, _ = _changes(new_place, options.small, options)
    large, written, changed = _changes(new_place, options.large, options)
    with new_place() as place, closing(place.open(create=True)) as store:
        _publish(bench(store), fleet(10))
        poll = _often(lambda: store.head(ENVIRONMENT))
        bare = _often(lambda: _select(store)) if isinstance(store, SqlStore) else None
    return Figures(
        store=name,
        rows=statistics.median(rows) if rows else None,
        first=statistics.median(first),
        small=small,
        large=large,
        written=written,
        changed=changed,
        poll=poll,
        bare=bare,
    )


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


def _publish(bench: Bench, wanted: Mapping[str, bytes]) -> Timed:
    """Publish the whole fleet, and return what the store noted of that."""
    bench.timed.seconds, bench.timed.written = 0.0, 0
    bench.publish_documents(wanted)
    return bench.timed


def _rows(store: SqlStore, wanted: Mapping[str, bytes]) -> float:
    """Return the seconds of one executemany of such rows, in a transaction of the same store."""
    values = [{"operator": name, "digest": "0" * 64, "document": document} for name, document in wanted.items()]
    backend = store._backend  # noqa: SLF001 - its connections, so that both are made alike
    with backend.writing() as connection:
        _ROWS.create(connection)
    with backend.writing() as connection:
        started = time.perf_counter()
        connection.execute(insert(_ROWS), values)
        connection.commit()
        seconds = time.perf_counter() - started
        connection.begin()
    return seconds


def _changes(
    new_place: Callable[[], AbstractContextManager[Place]], count: int, options: argparse.Namespace
) -> tuple[float, int, int]:
    """Return the seconds of publishing the changes, the blobs they wrote, and what they touched."""
    with new_place() as place, closing(place.open(create=True)) as store:
        pipeline = bench(store)
        _publish(pipeline, fleet(count))
        seconds, written = [], 0
        for version in range(1, options.repeat + 1):
            noted = _publish(pipeline, fleet(count, options.changes, version))
            seconds.append(noted.seconds)
            written = noted.written
    touched = {bucket_of(f"o{number:06}") for number in range(options.changes)}
    return statistics.median(seconds), written - 1, options.changes + len(touched)


def _select(store: SqlStore) -> None:
    with store._backend.reading() as connection:  # noqa: SLF001 - the driver, as the store has it
        connection.exec_driver_sql("SELECT 1").all()


def _often(act: Callable[[], object], times: int = 500) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _columns(options: argparse.Namespace) -> tuple[str, ...]:
    return (
        "store",
        f"executemany of {options.first:,} rows, s",
        "first publish of as many, s",
        "times (≤ 5)",
        f"{options.changes} changes of {options.small:,}, s",
        f"of {options.large:,}, s",
        "times (≤ 2)",
        "blobs written",
        "a poll, ms",
        "beyond a bare SELECT, ms (≤ 1)",
    )


def _report(figures: Sequence[Figures], options: argparse.Namespace) -> str:
    lines = [
        "# Stores",
        "",
        f"Written by `python -m benchmarks.store --write`; medians of {options.repeat} runs.",
        "The servers run on this machine and are spoken to by TLS.",
        "",
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, CPython {platform.python_version()}.",
        "",
        "| " + " | ".join(_columns(options)) + " |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for each in figures:
        rows = "" if each.rows is None else f"{each.rows:.3f}"
        times = "" if each.rows is None else f"{each.first / each.rows:.1f}"
        beyond = "" if each.bare is None else f"{(each.poll - each.bare) * 1000:.2f}"
        lines.append(
            f"| {each.store} | {rows} | {each.first:.3f} | {times} | {each.small:.3f} | {each.large:.3f} "
            f"| {each.large / each.small:.1f} | {each.written} of {each.changed} | {each.poll * 1000:.2f} | {beyond} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
