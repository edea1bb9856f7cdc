"""What commands say on standard error, and how results reach standard output."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import struct
import termios
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import pytest

from opsmail.cli.console import Console
from opsmail.errors import UnavailableError, UsageError
from opsmail.messages import msg
from opsmail.output.style import Style


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Shouting(NullTranslations):
    def gettext(self, message: str) -> str:
        return message.upper()


class Narrow(io.RawIOBase):
    """A pipe that takes three bytes at a time."""

    def __init__(self) -> None:
        self.written = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        taken = bytes(memoryview(data)[:3])
        self.written += taken
        return len(taken)


@pytest.mark.parametrize(
    ("option", "variables", "terminal", "colors"),
    [
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"TERM": "dumb"}, True, False),
    ],
)
def test_colours(
    option: str, variables: dict[str, str], terminal: bool, colors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Console(color=option).colors(Terminal() if terminal else io.StringIO()) is colors
    assert Console(color=option).colors(None) is (colors and not terminal)


def test_a_language() -> None:
    assert Console(Shouting()).text(msg("a sentence")) == "A SENTENCE"


def test_sentences_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.say(msg("{name}", name="a\nb\x1b[31m"))
    console.progress("rendered\nlines")
    assert capsys.readouterr().err == "a\\x0ab\\x1b[31m\nrendered\nlines\n"


def test_an_error_in_colour(capsys: pytest.CaptureFixture[str]) -> None:
    Console(color="always").error(UsageError(msg("this"), hint=msg("that")))
    assert capsys.readouterr().err == "\x1b[1;31merror\x1b[0m: this\n\x1b[36mhint\x1b[0m: that\n"


def test_a_result_is_bytes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    print("before")  # what Python still holds comes first
    Console().result("ção \udcff\n")
    assert capfdbinary.readouterr().out == b"before\n" + "ção ".encode() + b"\\udcff\n"


def test_a_result_reaches_a_pipe_that_takes_little_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As standard output is with PYTHONUNBUFFERED."""
    pipe = Narrow()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(pipe, write_through=True))  # type: ignore[type-var]  # a stand-in for the file
    Console().result("x" * 1000)
    assert pipe.written == b"x" * 1000


def test_a_pipe_that_is_full_and_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(Narrow):
        def write(self, data: Any) -> Any:
            return None

    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(Full(), write_through=True))  # type: ignore[type-var]  # a stand-in for the file
    with pytest.raises(BlockingIOError):
        Console().result("x")


def test_a_closed_output_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(UnavailableError, match="standard output is closed"):
        Console().result("x")


def test_a_terminal_tells_how_wide_it_is() -> None:
    controller, terminal = os.openpty()
    with os.fdopen(controller, "rb"), os.fdopen(terminal, "w", encoding="utf-8") as stream:
        assert Console(color="never").style_on(stream) == Style(False, None)  # it does not know
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 72, 0, 0))
        assert Console(color="never").style_on(stream) == Style(False, 72)


def test_what_is_no_terminal_has_no_width(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as stream:
        assert Console(color="always").style_on(stream) == Style(True, None)
    assert Console(color="always").style_on(None) == Style(True, None)
    assert Console(color="never").style_on(Terminal()) == Style(False, None)  # says it is one, and is none


class TestStatus:
    def test_one_line_on_a_terminal_in_place_of_the_last(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stderr", terminal := Terminal())
        monkeypatch.setenv("TERM", "xterm")
        for message in (msg("1 of 9"), msg("{text}", text="x" * 200 + "\n"), None):
            Console().status(message)
        assert terminal.getvalue().split("\r\x1b[K") == ["", "1 of 9", "x" * 79, ""]

    @pytest.mark.parametrize("stream", [io.StringIO(), None])
    def test_nothing_elsewhere(self, monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None) -> None:
        monkeypatch.setattr("sys.stderr", stream)
        Console().status(msg("1 of 9"))
        assert stream is None or not stream.getvalue()

    def test_nothing_on_a_terminal_that_cannot_go_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stderr", terminal := Terminal())
        monkeypatch.setenv("TERM", "dumb")
        Console().status(msg("1 of 9"))
        assert not terminal.getvalue()

    def test_a_terminal_that_is_gone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Gone(Terminal):
            def write(self, text: str) -> int:
                raise OSError(errno.EIO, "gone")

        abandoned: list[int] = []
        monkeypatch.setattr("sys.stderr", Gone())
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr("opsmail.cli.console.abandon", abandoned.append)
        Console().status(msg("1 of 9"))
        assert abandoned == [2]
