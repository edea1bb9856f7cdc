"""What readers cost a PostgreSQL server that they ask once a second whether there is something newer.

Each reader has a connection of its own, by TLS, as `opsmail.runtime` has: an unchanged `refresh` is one `head`.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from benchmarks.store import bench, fleet
from opsmail.store.interface import Store
from tests.conformance.publishing import Place
from tests.servers.databases import DatabaseServer
from tests.servers.postgres import new_place, postgres_server
from tests.unit.fleets import ENVIRONMENT

#: Of the server's connections, those that are not for readers.
_SPARE = 20
#: Polls of each reader that are not measured: psycopg has a statement prepared at its sixth execution
#: (https://www.psycopg.org/psycopg3/docs/advanced/prepare.html).
_WARMING = 8


@dataclass(frozen=True)
class Polling:
    """What was measured.

    Args:
        readers: how many, each with its connection.
        polls: in all.
        seconds: that these took.
        server: seconds of the processor that all processes of the server needed meanwhile.
        idle: the same for as long without a poll.
    """

    readers: int
    polls: int
    seconds: float
    server: float
    idle: float

    @property
    def share(self) -> float:
        """The part of a core that the server needs for these readers once a second."""
        return self.server / self.polls * self.readers


def measure(readers: int, seconds: float) -> Polling:
    """Have so many readers poll once a second for about `seconds`.

    Raises:
        UnavailableError: PostgreSQL cannot run here.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with postgres_server(readers + _SPARE) as server, new_place(server) as place, ExitStack() as stack:
        _publish_small(place)
        stores = [stack.enter_context(closing(place.open(read_only=True))) for _ in range(readers)]
        for _ in range(_WARMING):
            for store in stores:
                store.head(ENVIRONMENT)
        processes = list(_processes(server))
        before = _used(processes)
        time.sleep(seconds / 4)
        idle = (_used(processes) - before) * 4
        before, started = _used(processes), time.monotonic()
        polls = _poll(stores, seconds)
        return Polling(readers, polls, time.monotonic() - started, _used(processes) - before, idle)


def _publish_small(place: Place) -> None:
    """Make a store there with a few operators."""
    with closing(place.open(create=True)) as store:
        bench(store).publish_documents(fleet(10))


def _poll(stores: list[Store], seconds: float) -> int:
    """Let each poll once a second, evenly over the second; return how many polls there were."""
    started = time.monotonic()
    for number, store in enumerate(cycle(stores)):
        due = started + number / len(stores)
        if due > started + seconds or time.monotonic() > started + 3 * seconds:
            return number
        time.sleep(max(0.0, due - time.monotonic()))
        store.head(ENVIRONMENT)
    return 0


def _processes(server: DatabaseServer) -> Iterator[int]:
    """Yield the server's processes: the first one, whose number its lock file has, and its children."""
    first = int((server.folder / "data" / "postmaster.pid").read_text("ascii").split()[0])
    yield first
    yield from map(int, Path(f"/proc/{first}/task/{first}/children").read_text("ascii").split())


def _used(processes: list[int]) -> float:
    """Return the seconds of the processor that processes have had, to the nanosecond (proc(5), `schedstat`)."""
    return sum(int(Path(f"/proc/{number}/schedstat").read_text("ascii").split()[0]) for number in processes) / 1e9


def section(polling: Polling) -> list[str]:
    """Return the part of the page."""
    reached = "yes" if polling.share < 0.1 else "no"
    return [
        "## Readers that poll",
        "",
        f"{polling.readers:,} readers of PostgreSQL, each with its connection by TLS, ask once a second for the head:",
        f"{polling.polls:,} polls in {polling.seconds:.0f} s took {polling.server:.2f} s of the processor from all",
        f"processes of the server (as long without a poll: {polling.idle:.2f} s), which is",
        f"**{polling.share:.1%} of a core** (wanted: under 10%; reached: {reached}).",
        "",
    ]


def main() -> None:
    """Measure and print."""
    print("\n".join(section(measure(1_000, 20))), os.getloadavg()[0])


if __name__ == "__main__":
    main()
