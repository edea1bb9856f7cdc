"""SMTP replies: their strict grammar, within limits that no server can stretch."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from opsmail.messages import Message, msg
from opsmail.values import dataclass

#: Turns the lines of a reply, as bytes, into lines without secrets. It must return as many lines as it got.
Redact = Callable[[Sequence[bytes]], list[bytes]]

#: What is shown of a reply at most, in characters.
SHOWN = 500

# RFC 5321 section 4.2: no reply begins with 1, and the second digit goes to 5.
_LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])([^\r\n]*))?\r\n")
_CODE_DIGITS = (b"2345", b"012345", b"0123456789")
# RFC 3463 section 2; RFC 2034 section 4 puts it first in the text.
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?: |$)")


class ReplySyntaxError(ValueError):
    """Bytes that are not a reply.

    Args:
        reason: says why, and repeats none of them.
    """

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a reply is accepted, in octets and lines; RFC 5321 allows lines of 512, real servers send more."""

    line: int = 8 * 1024
    lines: int = 100
    reply: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    r"""What a server answered.

    Args:
        code: three digits.
        enhanced: the enhanced status code (RFC 3463) such as `5.7.8`, None where there is none or it contradicts the
            code.
        lines: the text of each line without codes; characters that could act on a terminal and bytes that are not UTF-8
            are written as `\xNN`.
    """

    code: int
    enhanced: str | None
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All lines as one, at most `SHOWN` characters of them."""
        return _cut(self.whole_text)

    @property
    def whole_text(self) -> str:
        """All lines as one, up to the 64 KiB that a server may send; for looking into, not for showing."""
        return " ".join(line for line in self.lines if line)

    @property
    def severity(self) -> int:
        """The first digit: 2 done, 3 go on, 4 not now, 5 no."""
        return self.code // 100

    def __str__(self) -> str:
        words = [str(self.code), self.enhanced or "", self.text]
        return _cut(" ".join(word for word in words if word))


class ReplyParser:
    """Cuts a stream of bytes into replies, one at a time.

    Args:
        limits: how much is accepted.
    """

    def __init__(self, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._code: bytes | None = None
        self._lines: list[bytes] = []
        self._size = 0
        #: Set once a secret has been said: every later reply goes through it before anybody sees it.
        self.redact: Redact | None = None

    @property
    def begun(self) -> bool:
        """Whether part of a reply has arrived."""
        return bool(self._buffer or self._lines)

    def feed(self, data: bytes) -> tuple[Reply | None, bytes]:
        """Return the reply that `data` completes, if any, and the bytes behind it.

        Raises:
            ReplySyntaxError: it is no reply, or more than the limits allow. The parser is of no use afterwards.
        """
        position = 0
        while position < len(data):
            # Never more than one line is held, whatever is thrown at us.
            room = self._limits.line - len(self._buffer)
            end = data.find(b"\n", position, position + room)
            if end < 0:
                self._buffer += data[position : position + room]
                self._check_start(self._buffer)
                if len(self._buffer) >= self._limits.line:
                    raise ReplySyntaxError(msg("a line of more than {limit} octets", limit=self._limits.line))
                return None, b""
            line = bytes(self._buffer) + data[position : end + 1]
            self._buffer.clear()
            position = end + 1
            reply = self._take(line)
            if reply is not None:
                return reply, data[position:]
        return None, b""

    def _check_start(self, line: bytes | bytearray) -> None:
        """Refuse a line by its first four octets, without waiting for its end that may never come."""
        for octet, allowed in zip(line, _CODE_DIGITS, strict=False):
            if octet not in allowed:
                raise ReplySyntaxError(msg("a line that does not begin with a reply code"))
        if self._code is not None and not self._code.startswith(bytes(line[:3])):
            raise ReplySyntaxError(msg("a reply whose code changes from line to line"))
        if len(line) > 3 and line[3] not in b" -\r":
            raise ReplySyntaxError(msg("a line that does not begin with a reply code"))

    def _take(self, line: bytes) -> Reply | None:
        """Return the reply that a whole line completes."""
        match = _LINE.fullmatch(line)
        if match is None or match[1] != (self._code or match[1]):
            self._check_start(line)
            if not line.endswith(b"\r\n"):
                raise ReplySyntaxError(msg("a line that does not end in CR LF"))
            raise ReplySyntaxError(msg("a line with a CR inside"))
        self._code, more, text = match.groups(b"")
        self._size += len(line)
        self._lines.append(text)
        if len(self._lines) > self._limits.lines:
            raise ReplySyntaxError(msg("a reply of more than {limit} lines", limit=self._limits.lines))
        if self._size > self._limits.reply:
            raise ReplySyntaxError(msg("a reply of more than {limit} octets", limit=self._limits.reply))
        if more == b"-":
            return None
        reply = _read(int(self._code), self._lines if self.redact is None else self.redact(self._lines))
        self._code, self._lines, self._size = None, [], 0
        return reply


def readable(data: bytes) -> str:
    r"""Return `data` as text; what is not UTF-8 or would act on a terminal is written as `\xNN` or `\uNNNN`."""
    text = data.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _read(code: int, lines: Sequence[bytes]) -> Reply:
    texts = [readable(line) for line in lines]
    match = _ENHANCED.match(texts[0])
    # RFC 2034 section 4: its class is the reply's. One that says otherwise is only text.
    if match is None or int(match[1]) != code // 100:
        return Reply(code, None, tuple(text.strip() for text in texts))
    enhanced = match[0].rstrip()
    return Reply(code, enhanced, tuple(_without(text, enhanced).strip() for text in texts))


def _without(text: str, enhanced: str) -> str:
    return text[len(enhanced) :] if text == enhanced or text.startswith(enhanced + " ") else text
