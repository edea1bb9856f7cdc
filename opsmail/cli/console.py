"""What commands say to people, on standard error, while results go to standard output."""

from __future__ import annotations

import errno
import os
import sys
from gettext import NullTranslations
from typing import TextIO

import click

from opsmail.errors import OpsmailError, UnavailableError
from opsmail.messages import Message, msg
from opsmail.output.escape import for_terminal
from opsmail.output.style import Style


class Console:
    """Progress, summaries and errors.

    Args:
        language: what messages are rendered in.
        color: `auto`, `always` or `never`.
    """

    def __init__(self, language: NullTranslations | None = None, color: str = "auto") -> None:
        self.language = language or NullTranslations()
        self.color = color

    def colors(self, stream: TextIO | None) -> bool:
        """Whether to paint on `stream`: the option, then NO_COLOR and FORCE_COLOR, then whether it is a terminal.

        Args:
            stream: standard output or error; None when it is closed.
        """
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def style(self) -> Style:
        """How to write on standard error."""
        return self.style_on(sys.stderr)

    def style_on(self, stream: TextIO | None) -> Style:
        """Return how to write on `stream`, standard output or error; None when it is closed."""
        return Style(self.colors(stream), _width(stream))

    def text(self, message: Message) -> str:
        """Return a message as it may be printed."""
        return for_terminal(message.render(self.language))

    def say(self, message: Message) -> None:
        """Print one line on standard error."""
        self._tell(self.text(message))

    def error(self, error: OpsmailError, word: Message = msg("error")) -> None:
        """Print an error with its hint."""
        label = self.style.paint(self.text(word), "red", bold=True)
        self._tell(f"{label}: {self.text(error.message)}")
        for note in getattr(error, "__notes__", ()):
            self._tell(f"       {for_terminal(note)}")
        if error.hint is not None:
            label = self.style.paint(self.text(msg("hint")), "cyan")
            self._tell(f"{label}: {self.text(error.hint)}")
        for other in error.further:
            self.error(other, word)

    def progress(self, text: str) -> None:
        """Print text on standard error that an output has rendered and escaped."""
        self._tell(text)

    def status(self, message: Message | None) -> None:
        """Show how far long work is, on a terminal only, in place of what was shown before; None clears it."""
        stream = sys.stderr
        if stream is None or not stream.isatty() or os.environ.get("TERM") == "dumb":
            return
        text = "" if message is None else self.text(message)[: (_width(stream) or 80) - 1]
        try:
            stream.write(f"\r\x1b[K{text}")
            stream.flush()
        except OSError:  # as in `_tell`
            abandon(2)

    def result(self, text: str) -> None:
        """Print a result, already escaped by its output, on standard output.

        Raises:
            UnavailableError: standard output is closed.
        """
        if sys.stdout is None:
            raise UnavailableError(
                msg("standard output is closed, so the result cannot be printed"),
                hint=msg("name a file: `--format json:findings.json`"),
            )
        sys.stdout.flush()
        # With PYTHONUNBUFFERED there is no buffer, and a write takes what fits into the pipe.
        rest = memoryview(text.encode("utf-8", "backslashreplace"))
        while rest:
            written: int | None = sys.stdout.buffer.write(rest)
            if written is None:  # a full pipe that does not let its writer wait
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            rest = rest[written:]
        sys.stdout.buffer.flush()

    def _tell(self, text: str) -> None:
        try:
            click.echo(text, err=True, color=True)
        except OSError:  # standard error is full or gone: the exit code is all that can be told
            abandon(2)


def _width(stream: TextIO | None) -> int | None:
    """Return how many columns a terminal has; None for files and pipes, which get the same everywhere."""
    if stream is None or not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except OSError:  # it may be gone by now
        return None


def abandon(descriptor: int) -> None:
    """Let a standard stream lead nowhere, so that what is left in its buffer does not fail again when the process ends.

    Args:
        descriptor: 1 for standard output, 2 for standard error.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
