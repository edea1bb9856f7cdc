"""The programs that are measured, and one run of them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.fleet import Fleet

_SCHEMA = Path(__file__).resolve().parent.parent / "schemas" / "operator.schema.json"
#: Findings are no failure here: three files in a hundred have a mistake.
_FOUND = 1
#: What programs run without where they are installed; each writes its bytecode in the run that does not count.
_LEFT_OUT = frozenset(("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH"))
_SECONDS_BETWEEN_LOOKS = 0.02


@dataclass(frozen=True)
class Tool:
    """A program to measure.

    Args:
        name: as tables show it.
        package: the distribution that it comes from.
        arguments: how it is called; files follow where it takes them.
        takes_files: whether it is given every file by name.
        forks: whether it has processes of its own, whose memory counts.
    """

    name: str
    package: str
    arguments: tuple[str, ...]
    takes_files: bool = False
    forks: bool = False

    def command(self, fleet: Fleet) -> list[str]:
        """Return the command that checks a fleet."""
        files = [str(file.relative_to(fleet.root)) for file in fleet.files] if self.takes_files else []
        return [sys.executable, "-P", "-m", *self.arguments, *files]


COLD = Tool("opsmail check --no-cache", "opsmail", ("opsmail", "check", "--no-cache"), forks=True)
WARM = Tool("opsmail check", "opsmail", ("opsmail", "check"), forks=True)
SCHEMA_CHECK = Tool(
    "check-jsonschema", "check-jsonschema", ("check_jsonschema", "--schemafile", str(_SCHEMA)), takes_files=True
)
YAMLLINT = Tool("yamllint", "yamllint", ("yamllint", "--config-data", "relaxed", "operators"))
TOOLS = (COLD, WARM, SCHEMA_CHECK, YAMLLINT)


class Measure(NamedTuple):
    """What one run took.

    Args:
        wall: seconds on the clock.
        cpu: seconds of the processor, of all its processes together.
        memory: MiB at its peak, all its processes together.
    """

    wall: float
    cpu: float
    memory: float


def run(tool: Tool, fleet: Fleet, *, watched: bool = False) -> Measure:
    """Run a tool over a fleet once.

    Args:
        tool: what to run.
        fleet: over which files.
        watched: see `measure`.

    Raises:
        SystemExit: it failed.
    """
    cache = {"XDG_CACHE_HOME": str(fleet.root / ".cache")}
    return measure(tool.command(fleet), fleet.root, cache, accepted=(0, _FOUND), watched=watched)


def measure(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    output: Path = Path(os.devnull),
    accepted: Container[int] = (0,),
    *,
    watched: bool = False,
) -> Measure:
    """Run a command once.

    Args:
        command: what to run.
        folder: where.
        environment: beyond what it has from here.
        output: the file for what it prints.
        accepted: the exit codes that are no failure.
        watched: whether the memory of its own processes counts, too; looking at it takes time from what is measured.

    Raises:
        SystemExit: it failed.
    """
    with output.open("wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env={**inherited(), **environment}, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        watch = _Watch(process.pid)
        if watched:
            watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        if watched:
            watch.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in accepted:
        raise SystemExit(f"{' '.join(command[:6])} … ended with {process.returncode}")
    return Measure(wall, usage.ru_utime + usage.ru_stime, max(watch.peak, usage.ru_maxrss / 1024))


def inherited() -> dict[str, str]:
    """Return the environment that programs run in."""
    return {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}


class _Watch(threading.Thread):
    """Looks at the memory of a process and its children; where there is no /proc, it sees nothing.

    What processes share is counted once, in equal parts (`Pss` of proc_pid_smaps_rollup(5)).
    """

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self._process = process
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(_SECONDS_BETWEEN_LOOKS):
            self.peak = max(self.peak, sum(_memory(number) for number in _family(self._process)))

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _family(process: int) -> Sequence[int]:
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [process, *map(int, children)]


def _memory(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
