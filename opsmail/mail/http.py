"""One HTTP request over a connection that is there already: by a deadline, and up to a size.

The standard library's `http.client` knows the grammar; the bytes go through the same transport as the mail. Nothing is
taken from the environment, and where an answer sends its caller is for the caller to judge.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import field
from http.client import HTTPConnection, HTTPException, HTTPMessage
from typing import Any

from opsmail.mail.failure import Failure, Kind
from opsmail.mail.transport import Deadline, Transport
from opsmail.messages import Message, msg
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a server.

    Args:
        host: the server's name.
        port: its TCP port.
        tls: whether the connection is TLS.
        method: of the request.
        target: path and query.
        headers: besides those of the standard library.
        body: octets; None for none.
    """

    host: str
    port: int
    tls: bool
    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """What was answered.

    Args:
        status: of the answer.
        headers: likewise; their names are found whatever their case.
        content: the body, octets.
    """

    status: int
    headers: HTTPMessage = field(repr=False)
    content: bytes = field(repr=False)


class UnusableAnswer(Exception):  # noqa: N818 (it becomes an error where it is known who was asked)
    """What came back is no HTTP answer of a bearable size.

    Args:
        reason: why, in words that follow a colon.
    """

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


def exchange(transport: Transport, deadline: Deadline, request: Request, *, longest: int) -> Response:
    """Send a request, and return the answer, whatever its status.

    Args:
        transport: connected, and through TLS where the request is.
        deadline: by when the answer is here, whole.
        request: nothing in it is repeated in an error.
        longest: octets that are read of the answer, its header included.

    Raises:
        UnusableAnswer: there is no complete answer, or a longer one.
        Failure: the deadline passed, or somebody aborted.
    """
    connection = _Connection(request.host, request.port)
    if request.tls:
        connection.default_port = 443
    # Never connected by itself: `sock` is there already, as much of one as is used.
    connection.sock = _Socket(transport, deadline, longest)
    try:
        connection.request(request.method, request.target, request.body, {**request.headers, "Connection": "close"})
        response = connection.getresponse()
        content = response.read()
    except Failure as failure:
        if failure.kind is Kind.DISCONNECTED:
            raise UnusableAnswer(msg("it closed the connection")) from None
        raise
    except (HTTPException, ValueError) as error:
        raise UnusableAnswer(msg("what it sent is not HTTP ({reason})", reason=type(error).__name__)) from None
    finally:
        connection.close()
    return Response(response.status, response.headers, content)


class _Connection(HTTPConnection):
    """One request over a connection that is there already."""

    auto_open = 0


class _Socket:
    """As much of a socket as `http.client` uses."""

    def __init__(self, transport: Transport, deadline: Deadline, longest: int) -> None:
        self._transport = transport
        self._deadline = deadline
        self._longest = longest

    def sendall(self, data: bytes) -> None:
        self._transport.send(data, self._deadline)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self._transport, self._deadline, self._longest))

    def close(self) -> None:
        """Whoever made the transport closes it."""


class _Incoming(io.RawIOBase):
    """What is received, up to a size and until a deadline."""

    def __init__(self, transport: Transport, deadline: Deadline, longest: int) -> None:
        super().__init__()
        self._transport = transport
        self._deadline = deadline
        self._longest = longest
        self._rest = b""
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            try:
                self._rest = self._transport.receive(self._deadline)
            except Failure as failure:
                # Whether the answer is whole is for `http.client` to say.
                if failure.kind is Kind.DISCONNECTED and self._read:
                    return 0
                raise
            self._read += len(self._rest)
            if self._read > self._longest:
                raise UnusableAnswer(msg("its answer has more than {limit} KiB", limit=self._longest // 1024))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
