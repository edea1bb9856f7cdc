"""A person at a terminal: reads what a program says, and types."""

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.acceptance.command import COMMAND, SECONDS

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """The command on a terminal of its own.

    Args:
        arguments: after the program's name.
        folder: where it runs.
        environment: all of it.
        program: what runs, if it is not opsmail.
    """

    def __init__(
        self, *arguments: str, folder: Path, environment: Mapping[str, str], program: Sequence[str] = COMMAND
    ) -> None:
        self._screen, side = pty.openpty()
        self._process = subprocess.Popen(
            [*program, *arguments],
            cwd=folder,
            env={**environment, "TERM": "xterm"},
            stdin=side,
            stdout=side,
            stderr=side,
            start_new_session=True,
        )
        os.close(side)
        self.said = ""

    def until(self, wanted: str) -> str:
        """Wait for a text, and return what was said up to it since the last wait."""
        deadline = time.monotonic() + SECONDS
        while wanted not in self.said:
            ready, _, _ = select.select([self._screen], [], [], deadline - time.monotonic())
            assert ready, (wanted, self.said)
            assert self._read(), (wanted, self.said)
        before, _, self.said = self.said.partition(wanted)
        return before + wanted

    def type(self, text: str) -> None:
        """Type a line and press Enter."""
        self.press(f"{text}\n")

    def press(self, keys: str) -> None:
        """Press keys, and no Enter."""
        os.write(self._screen, keys.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C, again when nothing comes of it: one that arrives just before the program waits is not noticed.

        The terminal is nobody's, so the signal is sent as the terminal would.
        """
        for _ in range(10):
            self._process.send_signal(signal.SIGINT)
            if select.select([self._screen], [], [], 5)[0]:
                return
        raise AssertionError(f"nothing came of Ctrl-C: {self.said}")

    def end(self) -> tuple[int, str]:
        """Wait for the end, and return the exit code and the rest of what was said."""
        while self._read():
            pass
        code = self._process.wait(SECONDS)
        os.close(self._screen)
        return code, self.said

    def _read(self) -> bool:
        try:
            piece = os.read(self._screen, 4096)
        except OSError:  # Linux: everybody else has left the terminal
            return False
        self.said += _ESCAPES.sub("", piece.decode("utf-8", "replace").replace("\r\n", "\n"))
        return bool(piece)
