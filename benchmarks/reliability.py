"""The long run of the loops in tests/reliability, on real stores.

Publishers are killed, raced, paused, cut off and unheard. Each loop runs the real command in processes of its own; the
witness judges the store after every event, and readers look on. At the end stands a canary for each kind of mistake,
which has to be caught.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

from benchmarks.reliability_results import RELIABILITY, Found, Postgres, report
from tests.reliability.jobs import Job, run_jobs
from tests.servers.postgres import ADMINISTRATOR, DATABASE, administer, new_place, postgres_server
from tests.servers.processes import UnavailableError


class _Loop(NamedTuple):
    """A loop of the long run.

    Args:
        name: of the loop.
        events: how many; None for each there is.
        share: of the time that its store has, in percent.
    """

    name: str
    events: int | None
    share: int


# Shares by what a loop takes with all its events, kills with room to spare.
_SQLITE = (
    _Loop("kills", 1_000, 40),
    _Loop("calls", None, 18),
    _Loop("first calls", None, 8),
    _Loop("power", 5, 8),
    _Loop("first power", 1, 1),
    _Loop("race", 200, 21),
    _Loop("pauses", 20, 2),
    _Loop("answers", 20, 2),
)
_POSTGRES = (
    _Loop("kills", 1_000, 58),
    _Loop("terminations", 300, 14),
    _Loop("race", 200, 22),
    _Loop("pauses", 20, 4),
    _Loop("answers", 20, 2),
)
#: A canary, and the loop that has to catch it.
_CANARIES = (
    ("head-first", "kills"),
    ("head-first", "calls"),
    ("no-transaction", "kills"),
    ("no-transaction", "calls"),
    ("no-comparison", "race"),
    ("no-comparison", "pauses"),
    ("blind-retry", "answers"),
    ("no-sync", "power"),
)
_CANARY_EVENTS = 200


def main(arguments: Sequence[str] | None = None) -> None:
    """Run everything, print the page, and write it where that was asked for.

    Raises:
        SystemExit: there was a violation, or a canary was not caught.
    """
    options = _options(arguments)
    started = time.monotonic()
    with ThreadPoolExecutor(2) as stores:
        one, other = stores.submit(_on_sqlite, options.minutes * 60), stores.submit(_on_postgres, options.minutes * 60)
        sqlite, postgres = one.result(), other.result()
    canaries = _canaries()
    page = report(sqlite, postgres, canaries, (time.monotonic() - started) / 60)
    print(page)
    if options.write:
        RELIABILITY.write_text(page, encoding="utf-8")
    if any(outcome.violation for _, outcome in (*sqlite, *postgres.found)) or not all(
        outcome.violation for _, outcome in canaries
    ):
        raise SystemExit("a loop found a violation, or let a canary live")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=120, help="for the loops; what they do not get to is left out [default: 120]"
    )
    parser.add_argument("--write", action="store_true", help=f"write the page to {RELIABILITY.name}")
    return parser.parse_args(arguments)


def _on_sqlite(seconds: float) -> Found:
    jobs = [Job(loop=loop.name, events=loop.events, seconds=seconds * loop.share / 100) for loop in _SQLITE]
    return _run("SQLite", jobs)


def _on_postgres(seconds: float) -> Postgres:
    try:
        with postgres_server() as server, closing(administer(server)) as connection, ExitStack() as places:
            administrator = f"host={server.folder} port={server.port} user={ADMINISTRATOR} dbname={DATABASE}"
            jobs = [
                Job(
                    loop=loop.name,
                    events=loop.events,
                    seconds=seconds * loop.share / 100,
                    place=places.enter_context(new_place(server)).dump(),
                    administrator=administrator if loop.name == "terminations" else None,
                )
                for loop in _POSTGRES
            ]
            number = connection.execute("SHOW server_version").fetchone()
            return Postgres(_run("PostgreSQL", jobs), f"PostgreSQL {str(number[0] if number else '').split()[0]}")
    except UnavailableError as reason:
        return Postgres([], f"without PostgreSQL: {reason}")


def _canaries() -> Found:
    jobs = [Job(loop=loop, events=_CANARY_EVENTS, canary=canary) for canary, loop in _CANARIES]
    return _run("canaries", jobs)


def _run(where: str, jobs: Sequence[Job]) -> Found:
    found = []
    with tempfile.TemporaryDirectory(prefix="opsmail-soak-") as folder:
        for job, outcome in zip(jobs, run_jobs(jobs, Path(folder)), strict=True):
            found.append((job, outcome))
            print(f"{where}: {job.loop} {job.canary or ''} {outcome}", flush=True)
    return found


if __name__ == "__main__":
    main()
