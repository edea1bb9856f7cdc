"""What readers cost a PostgreSQL server that they ask once a second whether there is something newer.

Each reader has a connection of its own, by TLS, as `opsmail.runtime` has: an unchanged `refresh` is one `stands_at`.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.pipeline import MEMORY, bench, fleet
from opsmail.store.sql import SqlStore
from tests.conformance.publishing import Place
from tests.servers.databases import DatabaseServer
from tests.servers.postgres import new_place, postgres_server
from tests.unit.fleets import ENVIRONMENT

#: Of the server's connections, those that are not for readers.
_SPARE = 20
#: Questions of each reader that are not measured: psycopg has a statement prepared at its sixth execution
#: (https://www.psycopg.org/psycopg3/docs/advanced/prepare.html), and PostgreSQL settles on a plan five later
#: (https://www.postgresql.org/docs/15/sql-prepare.html, Notes).
_WARMING = 12
#: Turns that the questions take, so that what else the machine does hits all of them.
_TURNS = 5


@dataclass(frozen=True)
class Polling:
    """What was measured of one question.

    Args:
        what: it is.
        readers: how many ask, each with its connection.
        questions: in all.
        server: seconds of the processor that all processes of the server needed meanwhile.
    """

    what: str
    readers: int
    questions: int = 0
    server: float = 0.0

    @property
    def share(self) -> float:
        """The part of a core that the server needs for these readers once a second."""
        return self.server / self.questions * self.readers


def measure(readers: int, seconds: float) -> Sequence[Polling]:
    """Have so many readers ask once a second for about `seconds`: a poll first, then what it is compared with.

    Raises:
        UnavailableError: PostgreSQL cannot run here.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with postgres_server(readers + _SPARE, MEMORY) as server, new_place(server) as place, ExitStack() as stack:
        published = _publish_small(place)
        opened = (stack.enter_context(closing(place.open(read_only=True))) for _ in range(readers))
        stores = [store for store in opened if isinstance(store, SqlStore)]
        questions: dict[str, Callable[[SqlStore], object]] = {
            "a poll": lambda store: store.stands_at(ENVIRONMENT, published),
            "`SELECT 1`": select,
            "an empty statement": _nothing,
        }
        for ask in questions.values():
            for store in stores * _WARMING:
                ask(store)
        processes = list(_processes(server))
        found = {what: Polling(what, readers) for what in questions}
        for _ in range(_TURNS):
            for what, ask in questions.items():
                before = _used(processes)
                asked = _ask([partial(ask, store) for store in stores], seconds / _TURNS)
                so_far = found[what]
                server_s = so_far.server + _used(processes) - before
                found[what] = replace(so_far, questions=so_far.questions + asked, server=server_s)
        return tuple(found.values())


def _publish_small(place: Place) -> str:
    """Make a store there with a few operators; return the digest of the generation."""
    with closing(place.open(create=True)) as store:
        bench(store).publish_documents(fleet(10))
        return str(store.head(ENVIRONMENT).digest)


def select(store: SqlStore) -> None:
    """Ask what costs a database next to nothing, over the same driver."""
    with store._backend.reading() as connection:  # noqa: SLF001 - the driver, as the store has it
        connection.exec_driver_sql("SELECT 1").all()


def _nothing(store: SqlStore) -> None:
    """Ask for nothing at all: what is left are the round trip and its processes."""
    with store._backend.reading() as connection:  # noqa: SLF001 - the driver, as the store has it
        connection.exec_driver_sql("")


def _ask(questions: Sequence[Callable[[], object]], seconds: float) -> int:
    """Ask each once a second, evenly over the second; return how often anything was asked."""
    started = time.monotonic()
    asked = 0
    while (due := started + asked / len(questions)) <= started + seconds and time.monotonic() < started + 3 * seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        questions[asked % len(questions)]()
        asked += 1
    return asked


def _processes(server: DatabaseServer) -> Iterator[int]:
    """Yield the server's processes: the first one, whose number its lock file has, and its children."""
    first = int((server.folder / "data" / "postmaster.pid").read_text("ascii").split()[0])
    yield first
    yield from map(int, Path(f"/proc/{first}/task/{first}/children").read_text("ascii").split())


def _used(processes: Sequence[int]) -> float:
    """Return the seconds of the processor that processes have had, to the nanosecond (proc(5), `schedstat`)."""
    return sum(int(Path(f"/proc/{number}/schedstat").read_text("ascii").split()[0]) for number in processes) / 1e9
