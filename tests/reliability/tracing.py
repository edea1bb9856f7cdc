"""strace(1) at a publisher: what it asks of the disk, and what it is answered instead."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.reliability.publisher import SECONDS, Publisher

#: What changes a file or a folder, or makes the change last.
CALLS = (
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "unlink",
    "unlinkat",
    "rename",
    "link",
    "linkat",
)
_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)")


@dataclass(frozen=True)
class Call:
    """One call that the publisher made.

    Args:
        name: of the call.
        arguments: as strace writes them, every text in hexadecimal.
        result: what it returned.
    """

    name: str
    arguments: str
    result: int


def wait_for_tracer() -> None:
    """Stop the present process until somebody lets it go on; to be called in a publisher before it begins."""
    os.kill(os.getpid(), signal.SIGSTOP)


@contextmanager
def traced(publisher: Publisher, log: Path, *options: str) -> Iterator[None]:
    """Trace a publisher that waits for it, and let it go on; at the end `log` is whole.

    Only its own process: what git does with its files is git's affair.
    """
    command = ["strace", "-qq", "-y", "-xx", "-s", "2000000", "-o", str(log), *options, "-p", str(publisher.process)]
    _wait(lambda: _status(publisher.process, "State").startswith("T"))
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as tracer:
        try:
            _wait(lambda: _status(publisher.process, "TracerPid") != "0" or tracer.poll() is not None)
            publisher.signal(signal.SIGCONT)
            yield
            _, errors = tracer.communicate(timeout=SECONDS)
        finally:
            tracer.kill()
    assert not errors, errors.decode()


def calls_in(log: Path) -> Iterator[Call]:
    """Yield the calls in what strace wrote, in their order."""
    for line in log.read_text("ascii").splitlines():
        if found := _CALL.match(line):
            yield Call(found["name"], found["arguments"], int(found["result"]))


def _status(process: int, field: str) -> str:
    text = Path(f"/proc/{process}/status").read_text("ascii")
    return next(line for line in text.splitlines() if line.startswith(f"{field}:")).partition(":")[2].strip()


def _wait(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, "strace and the publisher do not come together"
        time.sleep(0.0005)  # nothing tells
