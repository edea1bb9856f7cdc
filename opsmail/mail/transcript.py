"""What was said in a conversation, for people to read: secrets and the message are left out before a line gets here."""

from __future__ import annotations

from typing import Protocol

from opsmail.values import dataclass

#: A transcript ends here; a conversation of one message has some thirty lines.
LINES = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Args:
        speaker: `C` for us, `S` for the server, `*` for what happened to the connection.
        text: without line end, printable.
    """

    speaker: str
    text: str

    def __str__(self) -> str:
        return f"{self.speaker}: {self.text}"


class Observer(Protocol):
    """Who wants to know what is said."""

    def __call__(self, line: Line) -> None:
        """Take one line. It is called in the thread that talks, between two steps: be quick and do not raise."""


class Transcript:
    """An observer that keeps the lines, at most `LINES` of them."""

    def __init__(self) -> None:
        self._lines: list[Line] = []

    def __call__(self, line: Line) -> None:
        """Keep `line`."""
        if len(self._lines) < LINES:
            self._lines.append(line)

    @property
    def lines(self) -> tuple[Line, ...]:
        """What was said so far."""
        return tuple(self._lines)

    def __str__(self) -> str:
        return "\n".join(str(line) for line in self._lines)
