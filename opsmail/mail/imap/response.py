"""What an IMAP server says: lines with literals in them (RFC 3501, section 4.3), within limits."""

from __future__ import annotations

import re
from dataclasses import field

from opsmail.mail.reply import Redact, readable
from opsmail.values import dataclass

#: Every tag of ours begins so, and whatever a server says begins with one of these.
TAG = "o"
_FIRST = b"*+" + TAG.encode("ascii")
_LITERAL = re.compile(rb"\{(\d{1,6})\}\r\n\Z")


class ResponseSyntaxError(ValueError):
    """Bytes that are no response; the text says why and repeats none of them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a response is accepted, in octets: a line of it, and all of it with its literals."""

    line: int = 8 * 1024
    response: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    r"""One response.

    Args:
        tag: `*` for what nobody or everybody asked for, `+` where the server wants more, else our command's.
        text: what follows the tag, without its literals; what could act on a terminal is written as `\xNN`.
        literals: in their order.
    """

    tag: str
    text: str
    literals: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def word(self) -> str:
        """The first word, in upper case: `OK`, `NO`, `BYE`, `SEARCH`."""
        return self.text.partition(" ")[0].upper()


class ResponseParser:
    """Cuts a stream of bytes into responses.

    Args:
        limits: how much is accepted.
    """

    def __init__(self, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._literals: list[bytes] = []
        self._size = 0
        #: Octets of a literal that are still to come; None outside of one.
        self._missing: int | None = None
        #: Set once a secret has been said: every later response goes through it before anybody sees it.
        self.redact: Redact | None = None

    def feed(self, data: bytes) -> list[Response]:
        """Return the responses that `data` completes.

        Raises:
            ResponseSyntaxError: it is no response, or more than the limits allow. The parser is of no use afterwards.
        """
        self._buffer += data
        found = []
        while (line := self._take()) is not None:
            self._lines.append(line)
            literal = _LITERAL.search(line)
            if literal is not None:
                self._missing = int(literal[1])
                self._count(self._missing)
            else:
                found.append(self._whole())
        return found

    def _take(self) -> bytes | None:
        """Return the next line, None where more has to come for it."""
        if self._missing is not None:
            if len(self._buffer) < self._missing:
                return None
            self._literals.append(bytes(self._buffer[: self._missing]))
            del self._buffer[: self._missing]
            self._missing = None
        if not self._lines and self._buffer and self._buffer[0] not in _FIRST:
            raise ResponseSyntaxError("a line that is no response")
        end = self._buffer.find(b"\r\n")
        if (end if end >= 0 else len(self._buffer)) > self._limits.line:
            raise ResponseSyntaxError(f"a line of more than {self._limits.line} octets")
        if end < 0:
            return None
        line = bytes(self._buffer[: end + 2])
        del self._buffer[: end + 2]
        self._count(len(line))
        return line

    def _count(self, octets: int) -> None:
        self._size += octets
        if self._size > self._limits.response:
            raise ResponseSyntaxError(f"a response of more than {self._limits.response} octets")

    def _whole(self) -> Response:
        tag, _, text = self._clean(b"".join(line[:-2] for line in self._lines)).partition(b" ")
        response = Response(readable(tag), readable(text), tuple(map(self._clean, self._literals)))
        self._lines, self._literals, self._size = [], [], 0
        return response

    def _clean(self, octets: bytes) -> bytes:
        return octets if self.redact is None else b"\r\n".join(self.redact(octets.split(b"\r\n")))
