"""What the long run of the loops came to, as a page."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.tables import machine
from tests.reliability.jobs import Job, Outcome

RELIABILITY = Path(__file__).resolve().parent / "RELIABILITY.md"
_INTRODUCTION = """\
# Reliability

Written by `python -m benchmarks.reliability --write`, which `make soak` runs, in {minutes:.0f} minutes; where that
was too short, the table says how far it got. Each event is one `opsmail publish` (in a race four, in a pause two) in
a process of its own, from a repository of six operators in which every commit changes all of them. Two readers
(`opsmail.runtime`) look on meanwhile, but in `first calls` and both `power`. After every event these must hold: the
head verifies; each generation follows from the one before and is whole, as signed, of one commit; what was
acknowledged or seen once is there, under the same number; no commit is published twice, and no publish is in the log
twice; the log tells of each generation once; the table for SQL is that of the head; the database finds itself whole;
no publish ends with a traceback or hangs; no reader sees a generation in part, an older one, or one that does not
verify. A loop ends with a publish that nobody disturbs, which has to go well.

{machine}, {kernel}, SQLite {sqlite}, {postgres}, opsmail {opsmail}.
Load when it ended: {load:.1f}.
"""
_CANARIES = """\
## Canaries

Publishers that are broken on purpose, on SQLite. A loop that does not catch the one it is there for shows nothing.

| canary | loop | caught | after events | by |
|---|---|---|---:|---|"""
_LIMITS = """
## What this does not show

The power is cut on paper: from the recorded calls, with what was not synchronised lost, there, or torn at 512 bytes,
in any order. A disk that says it has written what it has not is not among it, and neither are errors while reading.
PostgreSQL's own disk is PostgreSQL's affair. Faults at calls are answered once, on SQLite; a random moment is not every
moment.
"""
_MEANINGS = {
    "kills": "SIGKILL at random moments, four in five of them from when it begins to write",
    "terminations": "`pg_terminate_backend` for the connections of publisher and readers at random moments",
    "race": "4 publishers that begin at the same moment, each with a commit of its own; an event is a round",
    "pauses": "SIGSTOP while it writes, another one publishes, SIGCONT",
    "answers": "the answer to a commit is lost, which the database has made or has not",
    "calls": "at each write, pwrite64, fsync, fdatasync, ftruncate, unlink, rename and link: SIGKILL, ENOSPC, EIO",
    "first calls": "the same in a first publish, which makes the store",
    "power": "publishes recorded; the power is cut after each call that writes or synchronises",
    "first power": "the same with a first publish",
}

Found = list[tuple[Job, Outcome]]


class Postgres(NamedTuple):
    """What was found, and the server's version; why there is nothing where it could not run."""

    found: Found
    version: str


def report(sqlite: Found, postgres: Postgres, canaries: Found, minutes: float) -> str:
    """Return the page."""
    introduction = _INTRODUCTION.format(
        minutes=minutes,
        machine=machine(),
        kernel=platform.release().partition("-")[0],
        sqlite=sqlite3.sqlite_version,
        postgres=postgres.version,
        opsmail=version("opsmail"),
        load=os.getloadavg()[0],
    )
    lines = [introduction, *_table("SQLite", sqlite)]
    if postgres.found:
        lines += _table("PostgreSQL", postgres.found)
    lines.append(_CANARIES)
    for job, outcome in canaries:
        caught = "yes" if outcome.violation else "**no**"
        lines.append(
            f"| {job.canary} | {job.loop} | {caught} | {outcome.counts.get('events', 0)} | {_short(outcome)} |"
        )
    return "\n".join([*lines, _LIMITS])


def _table(store: str, found: Found) -> list[str]:
    lines = [
        f"## {store}",
        "",
        "| loop | what happens | events | violations | published | without a word | not published | looks | seconds |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for job, outcome in found:
        counts = outcome.counts
        landed = counts["landed without a word"]
        lines.append(
            f"| {job.loop} | {_MEANINGS[job.loop]} | {_events(job, outcome)} | {_short(outcome) or 0} "
            f"| {counts['acknowledged'] + landed:,} | {landed:,} | {counts['not published']:,} "
            f"| {counts.get('reader looks', 0):,} | {outcome.seconds:.0f} |"
        )
    lines.append("")
    lines += [f"- {job.loop}: {_more(outcome)}" for job, outcome in found]
    return [*lines, ""]


def _events(job: Job, outcome: Outcome) -> str:
    """Return how many there were, and of how many."""
    met = f"{outcome.counts['events']:,}"
    if job.events is not None:
        return f"{met} of {job.events:,}"
    return f"{met}, not yet all" if outcome.cut else f"{met}, all"


_TOLD = frozenset(("events", "acknowledged", "landed without a word", "not published", "reader looks"))


def _more(outcome: Outcome) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in outcome.counts.items() if name not in _TOLD)


def _short(outcome: Outcome) -> str:
    """Return what was found, without the folders of this machine."""
    words = (outcome.violation or "").split()
    return " ".join("…" if word.startswith("/") else word for word in words)[:160]
