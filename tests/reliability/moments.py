"""Loops in which something happens to a publisher at a random moment: killed, raced, paused, cut off, unheard."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import psycopg
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.pool import PoolProxiedConnection

from tests.reliability.publisher import Ended, Publisher
from tests.reliability.scene import Scene
from tests.reliability.violation import ViolationError

#: How many publish at the same time in a race.
RACING = 4
#: Of the kills, how many may come before anything is written.
_ANYWHERE = 0.2
#: What the moments are spread over grows with each kill, and shrinks with each that comes too late.
_LONGER, _SHORTER = 1.05, 0.8
#: Seconds that a publisher may wait for a paused one; then that one goes on.
_PATIENCE = 1.0


def kills(scene: Scene, events: int) -> None:
    """Kill publishers at random moments, most of them while they write."""
    whole, writing = _usual(scene)
    noted = 0
    for _ in scene.rounds(range(events)):
        publisher = scene.start()
        _sleep_into(scene, publisher, whole, writing)
        publisher.signal(signal.SIGKILL)
        ended = publisher.wait()
        killed = ended.code == -signal.SIGKILL
        scene.counts["killed"] += killed
        # How fast the machine is changes with what else it does: about one in five is to come too late.
        whole, writing = (seconds * (_LONGER if killed else _SHORTER) for seconds in (whole, writing))
        scene.judge(ended)
        _require_truth(scene, ended, noted)
        noted = ended.version if scene.has_left_a_note() else noted
    scene.publish()


def _require_truth(scene: Scene, ended: Ended, noted: int) -> None:
    """See that what it said of the last version of which a note was left, whose end nobody heard, is so."""
    for said, published in (("is published", True), ("was not published", False)):
        if re.search(rf"^generation \d+, whose publish was interrupted at \S+, {said}$", ended.said, re.MULTILINE):
            scene.counts["told what came of the attempt before"] += 1
            if scene.witness.has(noted) != published:
                raise ViolationError(f"version {ended.version} said wrongly of version {noted} that it {said}")


def terminations(scene: Scene, events: int, administrator: str) -> None:
    """End a publisher's connections from the database's side at random moments.

    Args:
        scene: whose store is in PostgreSQL.
        events: how many.
        administrator: connects the database's administrator, as libpq takes it.
    """
    user = urlsplit(scene.pipeline.place.url).username
    whole, writing = _usual(scene)
    for _ in scene.rounds(range(events)):
        publisher = scene.start()
        _sleep_into(scene, publisher, whole, writing)
        with closing(psycopg.connect(administrator, autocommit=True)) as connection:
            # Those of the readers, too.
            cut = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [user]
            ).fetchall()
        scene.counts["connections ended"] += len(cut)
        ended = publisher.wait()
        scene.counts["told that the store is away"] += ended.code == 4
        scene.judge(ended)
    scene.publish()


def race(scene: Scene, events: int) -> None:
    """Have several publishers begin at the same moment, each with a version of its own; as often as `events`."""
    scene.publish()
    for _ in scene.rounds(range(events)):
        begin, go = os.pipe()
        publishers = [scene.start(prepare=_after(begin)) for _ in range(RACING)]
        os.write(go, b"." * RACING)
        ended = [publisher.wait() for publisher in publishers]
        os.close(begin)
        os.close(go)
        scene.counts["refused because the head had moved"] += sum("has moved on" in each.said for each in ended)
        scene.judge(*ended)


def pauses(scene: Scene, events: int) -> None:
    """Stop a publisher in the middle of writing, have another one publish, and let the first one go on."""
    _, writing = _usual(scene)
    for _ in scene.rounds(range(events)):
        paused = scene.start()
        if scene.wait_for_writing(paused):
            time.sleep(scene.chance.uniform(0, writing))
        paused.signal(signal.SIGSTOP)
        other = scene.start()
        # One that was stopped with the write lock stands in everybody's way: that is told, but takes its time.
        deadline = time.monotonic() + _PATIENCE
        while not other.has_ended() and time.monotonic() < deadline:
            time.sleep(0.005)
        scene.counts["published beside a paused one"] += other.has_ended()
        paused.signal(signal.SIGCONT)
        ended = [paused.wait(), other.wait()]
        scene.counts["refused because the head had moved"] += sum("has moved on" in each.said for each in ended)
        scene.judge(*ended)
    scene.publish()


def answers(scene: Scene, events: int) -> None:
    """Lose the answer to a commit, which the database has made or has not."""
    scene.publish()
    for event in scene.rounds(range(events)):
        which, made = 1 + event // 2 % 2, event % 2 == 0
        ended = scene.start(prepare=_losing(which, made=made)).wait()
        scene.counts["made, unheard" if made else "never made"] += 1
        scene.judge(ended)
    scene.publish()


def _usual(scene: Scene) -> tuple[float, float]:
    """Return the seconds of an undisturbed publish, of all of it and from when it writes."""
    scene.publish()
    started = time.perf_counter()
    publisher = scene.start()
    scene.wait_for_writing(publisher)
    writing = time.perf_counter()
    scene.judge(publisher.wait())
    ended = time.perf_counter()
    return ended - started, ended - writing


def _sleep_into(scene: Scene, publisher: Publisher, whole: float, writing: float) -> None:
    """Sleep into a random moment of a publish; at first to where it begins to write, so that no run is in vain."""
    if scene.counts["events"] == 1:
        scene.counts["hit while it wrote"] += scene.wait_for_writing(publisher)
    elif scene.chance.random() < _ANYWHERE:
        time.sleep(scene.chance.uniform(0, whole))
    elif scene.wait_for_writing(publisher):
        scene.counts["hit while it wrote"] += 1
        time.sleep(scene.chance.uniform(0, writing))


def _after(begin: int) -> Callable[[], object]:
    return lambda: os.read(begin, 1)


def _losing(which: int, *, made: bool) -> Callable[[], object]:
    """Return what makes a process lose the answer to its `which`-th commit."""

    def lose() -> None:
        commit: Callable[[DefaultDialect, PoolProxiedConnection], None] = DefaultDialect.do_commit
        left = which

        def do_commit(dialect: DefaultDialect, connection: PoolProxiedConnection) -> None:
            nonlocal left
            left -= 1
            if left:
                commit(dialect, connection)
                return
            driver: Any = connection.driver_connection
            if made:
                commit(dialect, connection)
            driver.close()
            raise dialect.loaded_dbapi.OperationalError("the answer was lost")

        DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]  # that is the fault

    return lose
