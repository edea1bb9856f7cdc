"""What stores take: a first publish beside a bare INSERT of as many rows, 100 changes of two fleets, gate, polls.

The store's part is the time inside `write_missing` and `swap_head` of the real publisher. Servers are started in
private folders, and spoken to by TLS.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Column, LargeBinary, MetaData, String, Table, insert

from benchmarks.gate import gate
from benchmarks.pipeline import MEMORY, Bench, Timed, bench, fleet
from benchmarks.polling import Polling, measure, select
from benchmarks.store_results import STORE, Figures, report
from opsmail.store.manifest import bucket_of
from opsmail.store.sql import SqlStore
from tests.conformance.publishing import Place
from tests.servers import etcd, mariadb, postgres
from tests.servers.databases import DatabaseServer
from tests.servers.processes import UnavailableError
from tests.unit.fleets import ENVIRONMENT

_ROWS = Table(
    "bench_rows",
    MetaData(),
    Column("operator", String(63), primary_key=True),
    Column("digest", String(64)),
    Column("document", LargeBinary(1024 * 1024)),
)


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
    judged = gate(options.first, options.repeat) if options.gate else None
    text = report(figures, judged, _polling(options), options)
    print(text)
    if options.write:
        STORE.write_text(text, encoding="utf-8")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    names = ["sqlite", "postgresql", "mariadb", "etcd"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__)
    parser.add_argument("stores", nargs="*", default=names, metavar="STORE", help=f"some of {', '.join(names)}")
    parser.add_argument("--first", type=int, default=10_000, help="operators of the first publish")
    parser.add_argument("--small", type=int, default=1_000, help="operators of the small fleet")
    parser.add_argument("--large", type=int, default=100_000, help="operators of the large fleet")
    parser.add_argument("--changes", type=int, default=100, help="operators that change in each")
    parser.add_argument("--repeat", type=int, default=5, help="runs of what is short; the median counts")
    parser.add_argument(
        "--gate", action=argparse.BooleanOptionalAction, default=True, help="measure gate and plan, too [default: yes]"
    )
    parser.add_argument("--readers", type=int, default=1_000, help="that poll PostgreSQL; 0 leaves them out")
    parser.add_argument("--seconds", type=float, default=20, help="for which they poll")
    parser.add_argument("--write", action="store_true", help=f"write the tables to {STORE.name}")
    return parser.parse_args(arguments)


def _polling(options: argparse.Namespace) -> Sequence[Polling]:
    """Return what readers cost, where that was asked for and PostgreSQL can run."""
    if not options.readers or "postgresql" not in options.stores:
        return ()
    try:
        return measure(options.readers, options.seconds)
    except UnavailableError as reason:
        print(f"readers: {reason}")
        return ()


_Places = Callable[[Any, Path], AbstractContextManager[Callable[[], AbstractContextManager[Place]]]]


def _kinds() -> Iterator[tuple[str, AbstractContextManager[Any], _Places]]:
    """Yield each kind of store: its name, what runs its server, and what makes a new place there."""
    yield "sqlite", _nothing(), _files
    yield "postgresql", postgres.postgres_server(memory=MEMORY), lambda server, _: _of(server, postgres.new_place)
    yield "mariadb", mariadb.mariadb_server(memory=MEMORY), lambda server, _: _of(server, mariadb.new_place)
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
        published = str(store.head(ENVIRONMENT).digest)
        poll = _often(lambda: store.stands_at(ENVIRONMENT, published))
        bare = _often(lambda: select(store)) if isinstance(store, SqlStore) else None
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
        published = pipeline.published().generation
        buckets = {} if published is None else published.buckets
    touched = {bucket_of(f"o{number:06}", buckets) for number in range(options.changes)}
    return statistics.median(seconds), written - 1, options.changes + len(touched)


def _often(act: Callable[[], object], times: int = 500) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
