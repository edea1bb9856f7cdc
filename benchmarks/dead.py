"""What one dead server costs everybody else: a run with an operator whose server takes no connection, one without."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.place import Senders, Server, write_senders
from benchmarks.running import inherited

#: What each operator may take: the slot of the dead one.
SLOT = 10
_OPERATORS = 100
_PASSED = b"\xe2\x9c\x93"
#: What a run with an operator that could not be tested ends with.
_INCONCLUSIVE = 4


class Run(NamedTuple):
    """Seconds until the last operator with a living server was done, and until the run had ended."""

    others: float
    whole: float


class Delay(NamedTuple):
    """When the others were done and when the run had ended, in seconds from its start.

    Args:
        operators: all together.
        without: with everybody's server alive.
        beside: with one that is dead.
    """

    operators: int
    without: Run
    beside: Run


def delay(folder: Path, server: Server) -> Delay:
    """Measure it.

    Args:
        folder: for two repositories.
        server: everybody else's.
    """
    alive = write_senders(folder / "alive", server, _OPERATORS - 1, seconds=SLOT)
    without = _run(alive, expected=0)
    with _black_hole() as port:
        mixed = write_senders(folder / "mixed", server, _OPERATORS, dead_port=port, seconds=SLOT)
        beside = _run(mixed, expected=_INCONCLUSIVE)
    return Delay(_OPERATORS, without, beside)


@contextmanager
def _black_hole() -> Iterator[int]:
    """A port that answers no connection, as behind a firewall that drops: its queue is full, and nobody takes any."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def _run(senders: Senders, expected: int) -> Run:
    environment = inherited() | senders.environment | {"PYTHONUNBUFFERED": "1"}
    started = last = time.perf_counter()
    passed = 0
    with (
        Path(os.devnull).open("wb") as nowhere,
        subprocess.Popen(
            senders.command, cwd=senders.root, env=environment, stdout=subprocess.PIPE, stderr=nowhere
        ) as run,
    ):
        for line in run.stdout or ():
            if line.startswith(_PASSED):
                last, passed = time.perf_counter(), passed + 1
        run.wait()
        ended = time.perf_counter()
    alive = senders.count - (expected == _INCONCLUSIVE)
    if (run.returncode, passed) != (expected, alive):
        raise SystemExit(f"opsmail test ended with {run.returncode}, {passed} of {alive} passed")
    return Run(last - started, ended - started)
