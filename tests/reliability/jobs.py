"""What is to be run, and what came of it, as it goes to `program.py` and comes back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

_PROGRAM = [sys.executable, "-W", "error", str(Path(__file__).with_name("program.py"))]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run of a loop.

    Args:
        loop: its name.
        events: how many; None for each there is.
        seconds: after which no further event begins.
        canary: the broken publisher; None for the sound one.
        place: the store, as `Place.dump` returns it; None for a SQLite file of its own.
        administrator: connects the administrator of its PostgreSQL, as libpq takes it.
    """

    loop: str
    events: int | None = None
    seconds: float = 600
    canary: str | None = None
    place: str | None = None
    administrator: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it.

    Args:
        violation: what happened that must not; None where nothing did.
        seed: of its chance.
        seconds: how long it took.
        cut: whether there were events left when the time was over.
        counts: of the events, and of what came of them.
    """

    violation: str | None
    seed: int
    seconds: float
    cut: bool
    counts: dict[str, int]


def run_jobs(jobs: Sequence[Job], folder: Path) -> Iterator[Outcome]:
    """Run jobs one after the other in a program of their own, and yield what comes of each.

    The seconds that one does not need the next one has besides its own.

    Raises:
        RuntimeError: the program failed, which is not what a violation is.
    """
    with (
        (folder / "errors").open("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            [*_PROGRAM, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as program,
    ):
        assert program.stdin is not None
        assert program.stdout is not None
        json.dump([asdict(job) for job in jobs], program.stdin)
        program.stdin.close()
        for line in program.stdout:
            yield Outcome(**json.loads(line))
        code = program.wait()
        errors.seek(0)
        told = errors.read()
    if code or told:
        raise RuntimeError(f"the loops ended with {code}:\n{told}")
