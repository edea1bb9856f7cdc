"""The command as a process, under circumstances that no machine should offer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.command import COMMAND

_KEPT = ("PATH", "LD_LIBRARY_PATH")


def plain_environment() -> dict[str, str]:
    """Return what a process needs to run at all: no home, no language, no terminal."""
    return {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith("PYTHON")}


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it wrote."""

    code: int
    out: bytes
    err: bytes


def opsmail(
    *arguments: str | bytes,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    python: Sequence[str] = COMMAND,
    prepare: Callable[[], None] | None = None,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
) -> Ended:
    """Run a command to its end, which has to come within the time limit and without a traceback.

    Args:
        arguments: after the program's name.
        folder: where it runs.
        environment: all of it.
        python: how the program is started.
        prepare: done in the new process before the program starts.
        stdout: where standard output goes; likewise `stderr`.
    """
    done = subprocess.run(
        [*python, *arguments],
        cwd=folder,
        env={**(plain_environment() if environment is None else environment)},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        preexec_fn=prepare,
        timeout=30,
        check=False,
    )
    ended = Ended(done.returncode, done.stdout or b"", done.stderr or b"")
    assert b"Traceback" not in ended.out + ended.err, ended.err.decode("utf-8", "replace")
    return ended


#: Without the check for defects of warnings, for interpreters started in another way.
PLAIN = (sys.executable, "-m", "opsmail")
