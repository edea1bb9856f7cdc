"""Runs one server as root until standard input ends, then stops it and removes its folder.

Usage: python -I supervise.py FOLDER COMMAND [ARGUMENT ...]

The test session holds the other end of standard input. However that session ends (finished, interrupted, killed), the
pipe closes, so no server and no folder stays behind. Standard library only: it may run under sudo, outside the
virtual environment.
"""

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

TERMINATION_SECONDS = 5


def run_until_end_of_input(server: "subprocess.Popen[bytes]") -> int:
    exited = os.pidfd_open(server.pid)
    ready, _, _ = select.select([sys.stdin, exited], [], [])
    if exited not in ready:
        return 0
    print(f"supervise: {server.args!r} ended by itself with status {server.wait()}", file=sys.stderr)
    return 1


def stop(server: "subprocess.Popen[bytes]") -> None:
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(TERMINATION_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"supervise: {server.args!r} did not end within {TERMINATION_SECONDS} s", file=sys.stderr)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)  # whatever is left of the session that the server led
    server.wait()
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def end_of_input_decides(_signal: int, _frame: FrameType | None) -> None:
    """Outlive a signal that was meant for the terminal's process group (unlike SIG_IGN, servers do not inherit it)."""


def adopt_orphans() -> None:
    """Become the parent of what the server leaves, to wait for its end (prctl(2)): a container's init may not."""
    set_child_subreaper = 36
    ctypes.CDLL(None).prctl(set_child_subreaper, 1)


def main(folder: Path, command: list[str]) -> int:
    adopt_orphans()
    signal.signal(signal.SIGINT, end_of_input_decides)
    signal.signal(signal.SIGHUP, end_of_input_decides)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, cwd=folder)
        try:
            return run_until_end_of_input(server)
        finally:
            stop(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
