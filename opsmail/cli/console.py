"""What commands say to people, on standard error, while results go to standard output."""

from __future__ import annotations

import os
import sys
from gettext import NullTranslations
from typing import TextIO

import click

from opsmail.errors import OpsmailError
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

    def colors(self, stream: TextIO) -> bool:
        """Whether to paint on `stream`: the option, then NO_COLOR and FORCE_COLOR, then whether it is a terminal."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return stream.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def style(self) -> Style:
        """How to paint on standard error."""
        return Style(self.colors(sys.stderr))

    def text(self, message: Message) -> str:
        """Return a message as it may be printed."""
        return for_terminal(message.render(self.language))

    def say(self, message: Message) -> None:
        """Print one line on standard error."""
        click.echo(self.text(message), err=True, color=True)

    def error(self, error: OpsmailError, word: Message = msg("error")) -> None:
        """Print an error with its hint."""
        label = self.style.paint(self.text(word), "red", bold=True)
        click.echo(f"{label}: {self.text(error.message)}", err=True, color=True)
        for note in getattr(error, "__notes__", ()):
            click.echo(f"       {for_terminal(note)}", err=True)
        if error.hint is not None:
            label = self.style.paint(self.text(msg("hint")), "cyan")
            click.echo(f"{label}: {self.text(error.hint)}", err=True, color=True)

    def progress(self, text: str) -> None:
        """Print text on standard error that an output has rendered and escaped."""
        click.echo(text, err=True, color=True)

    def result(self, text: str) -> None:
        """Print a result, already escaped by its output, on standard output."""
        data = text.encode("utf-8", "backslashreplace")
        stream = getattr(sys.stdout, "buffer", None)
        if stream is None:
            click.echo(text, nl=False, color=True)
            return
        stream.write(data)
        stream.flush()
