"""Readers: applications that use `opsmail.runtime` all the time, each in a process of its own."""

from __future__ import annotations

import json
import logging
import os
import select
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from opsmail.runtime import NothingPublishedError, Operators
from opsmail.store.interface import StoreDamaged, StoreMissing, StoreUnavailable
from tests.reliability.pipeline import ENVIRONMENT, OPERATORS, Pipeline
from tests.reliability.violation import ViolationError

#: Seconds between two looks: the time is for the publishers.
_PAUSE = 0.02
#: Looks after which it starts anew.
_ANEW = 25


@dataclass
class Reader:
    """An application that reads all the time.

    Args:
        process: its id.
        stop: the end of a pipe that it reads until something comes.
        told: the end of a pipe for its report.
    """

    process: int
    stop: int
    told: int

    def end(self) -> dict[str, Any]:
        """Stop it and return its report.

        Raises:
            ViolationError: it saw what no reader may see.
        """
        with suppress(BrokenPipeError):  # it has ended by itself
            os.write(self.stop, b".")
        os.close(self.stop)
        with os.fdopen(self.told, encoding="utf-8") as told:
            report = told.read()
        os.waitpid(self.process, 0)
        found: dict[str, Any] = json.loads(report or '{"violation": "the reader died"}')
        if "violation" in found:
            raise ViolationError(f"a reader saw it: {found['violation']}")
        return found

    def has_ended(self) -> bool:
        """Tell whether it has ended by itself, which is what it does upon a violation."""
        return os.waitid(os.P_PID, self.process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


@contextmanager
def reading(pipeline: Pipeline, count: int = 2) -> Iterator[list[Reader]]:
    """Run readers while the context lasts; whoever ends it takes their reports."""
    readers = [_start_reader(pipeline, number) for number in range(count)]
    try:
        yield readers
    finally:
        for reader in readers:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(reader.process, signal.SIGKILL)
                os.waitpid(reader.process, 0)


def _start_reader(pipeline: Pipeline, number: int) -> Reader:
    stopped, stop = os.pipe()
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        os.close(stop)
        os.close(told)
        _be_reader(pipeline, number, stopped, tell)
    os.close(stopped)
    os.close(tell)
    return Reader(child, stop, told)


def _be_reader(pipeline: Pipeline, number: int, stopped: int, tell: int) -> NoReturn:
    report: dict[str, Any]
    try:
        os.environ.update(pipeline.variables)
        logging.disable()  # what a reader makes of a store that is away is not for the screen
        report = _Looking(pipeline, pipeline.root.parent / f"snapshot-{number}.json").until(stopped)
    except ViolationError as error:
        report = {"violation": str(error)}
    except BaseException as error:  # noqa: BLE001 - nothing of the parent's runs on in the fork
        report = {"violation": f"{type(error).__name__}: {error}"}
    os.write(tell, json.dumps(report).encode())
    os._exit(0)


class _Looking:
    """What a reader does, and what it has seen."""

    def __init__(self, pipeline: Pipeline, snapshot: Path) -> None:
        self._pipeline = pipeline
        self._snapshot = snapshot
        self._parent = os.getppid()
        #: The newest generation that it had, with a snapshot and without: as if these were two applications.
        self._newest = {True: 0, False: 0}
        self._versions: dict[int, str] = {}
        self._report = {"looks": 0, "starts": 0, "generations": 0, "unavailable": 0}

    def until(self, stopped: int) -> dict[str, Any]:
        """Look until something comes through the pipe `stopped`, or nobody is left to say so."""
        while not self._stopped(stopped):
            # In turns with what was kept and from nothing.
            kept = self._snapshot if self._report["starts"] % 2 else None
            operators = self._open(kept)
            if operators is None:
                continue
            with closing(operators):
                self._look_at(operators, stopped, kept=kept is not None)
        return {**self._report, "generations": len(self._versions)}

    def _stopped(self, stopped: int) -> bool:
        return bool(select.select([stopped], [], [], _PAUSE)[0]) or os.getppid() != self._parent

    def _open(self, kept: Path | None) -> Operators | None:
        place = self._pipeline.place
        try:
            operators = Operators.open(
                place.url,
                environment=ENVIRONMENT,
                keys=[self._pipeline.public_key],
                password=None if place.password is None else "env://OPSMAIL_STORE_PASSWORD",
                ca=self._pipeline.authority,
                snapshot=kept,
            )
        except NothingPublishedError as error:
            self._excuse(error.__cause__)
            return None
        self._report["starts"] += 1
        return operators

    def _look_at(self, operators: Operators, stopped: int, *, kept: bool) -> None:
        for _ in range(_ANEW):
            self._compare(operators, kept=kept)
            if self._stopped(stopped):
                return
            operators.refresh()
            self._excuse(operators._standing.store)

    def _compare(self, operators: Operators, *, kept: bool) -> None:
        """See that it is a whole generation, no older than the last, and the same as last time under this number."""
        found = list(operators.values())
        versions = {operator.settings.labels["version"] for operator in found}
        numbers = {operator.generation for operator in found}
        if len(found) != len(OPERATORS) or len(versions) != 1 or len(numbers) != 1:
            raise ViolationError(f"generation {numbers} is torn: {len(found)} operators of versions {versions}")
        (version,), (number,) = versions, numbers
        # Where the store does not answer, what one application goes on with may be older than what the other one saw.
        stale = operators._standing.store is not None
        least = self._newest[kept] if stale else max(self._newest.values())
        if number < least:
            raise ViolationError(f"generation {number} came after generation {least}")
        if self._versions.setdefault(number, version) != version:
            raise ViolationError(f"generation {number} was version {self._versions[number]} and is {version}")
        self._newest[kept] = number
        self._report["looks"] += 1

    def _excuse(self, problem: BaseException | None) -> None:
        """Let pass a store that is away or not there yet, and nothing else that may be wrong with one."""
        if problem is None:
            return
        away = isinstance(problem, StoreUnavailable) and not isinstance(problem, StoreDamaged)
        nothing_yet = isinstance(problem, StoreMissing | NothingPublishedError) and not any(self._newest.values())
        if not (away and not isinstance(problem, StoreMissing)) and not nothing_yet:
            raise ViolationError(f"{type(problem).__name__}: {problem}")
        self._report["unavailable"] += 1
