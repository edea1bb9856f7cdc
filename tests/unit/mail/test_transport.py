from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from opsmail.mail.destination import given_address
from opsmail.mail.endpoint import Credentials, Endpoint, TlsVersion
from opsmail.mail.failure import Failure, Kind, Stage, StageDisconnectedError, StageError, StageTimeoutError
from opsmail.mail.tls import TrustStores
from opsmail.mail.transcript import LINES, Line, Transcript
from opsmail.mail.transport import Deadline, Transport
from opsmail.messages import msg
from opsmail.secrets.interface import Secret


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_deadline_counts_down() -> None:
    clock = Clock()
    deadline = Deadline(3, clock)
    clock.now += 2
    assert deadline.remaining() == 1
    assert deadline.within(5).remaining() == 1
    assert deadline.within(0.5).remaining() == 0.5
    clock.now += 1
    with pytest.raises(Failure) as caught:
        deadline.remaining()
    assert caught.value.kind is Kind.TIMED_OUT


def test_a_transport_without_a_connection() -> None:
    transport = Transport()
    for use in (transport.receive, transport.pending, lambda deadline: transport.send(b"x", deadline)):
        with pytest.raises(Failure) as caught:
            use(Deadline(1))
        assert caught.value.kind is Kind.DISCONNECTED
    transport.abort()
    transport.close()


def test_a_session_that_cannot_write() -> None:
    transport = Transport()
    context = TrustStores().context(None, TlsVersion.TLS_1_2)
    transport._session = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="x.test")
    with pytest.raises(Failure) as caught:
        transport.send(b"x", Deadline(1))
    assert caught.value.kind is Kind.DISCONNECTED


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("127.0.0.1:2587", "127.0.0.1:2587"),
        ("localhost:25", "127.0.0.1:25"),
        ("[::1]:465", "[::1]:465"),
        ("10.1.2.3:65535", "10.1.2.3:65535"),
    ],
)
def test_given_addresses(text: str, shown: str) -> None:
    assert str(given_address(text)) == shown


@pytest.mark.parametrize(
    "text",
    ["", "127.0.0.1", ":25", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "127.0.0.1:²", "::1:25",
     "[::1:25", "mail.test:25", "127.1:25", "127.0.0.1:000000025", "[127.0.0.1]:25", "127.0.0.1:-1"],
)  # fmt: skip
def test_addresses_of_another_form(text: str) -> None:
    with pytest.raises(Failure) as caught:
        given_address(text)
    assert caught.value.kind is Kind.INVALID_HOST


@pytest.mark.parametrize(
    ("kind", "family", "twin"),
    [
        (Kind.TIMED_OUT, StageTimeoutError, TimeoutError),
        (Kind.DISCONNECTED, StageDisconnectedError, ConnectionError),
        (Kind.CONNECTION_REFUSED, StageDisconnectedError, ConnectionError),
        (Kind.UNREACHABLE, StageDisconnectedError, ConnectionError),
        (Kind.ABORTED, StageDisconnectedError, ConnectionError),
        (Kind.PROTOCOL_ERROR, StageError, Exception),
    ],
)
def test_errors_have_their_standard_twin(kind: Kind, family: type[StageError], twin: type[Exception]) -> None:
    error = Failure(kind, msg("why")).at(Stage.SEND, outcome_unknown=True)
    assert type(error) is family
    assert isinstance(error, twin)
    assert str(error) == "send: why"
    assert error.outcome_unknown


def test_a_transcript_ends() -> None:
    transcript = Transcript()
    for number in range(LINES + 5):
        transcript(Line("S", str(number)))
    assert len(transcript.lines) == LINES
    assert str(transcript).splitlines()[0] == "S: 0"


def test_values_do_not_show_secrets() -> None:
    assert "correct" not in repr(Credentials("u", Secret("correct-horse")))
    assert "BEGIN" not in repr(Endpoint("x.test", 587, ca="-----BEGIN CERTIFICATE-----"))


def test_aborted_while_there_is_no_connection_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """`shutdown` wakes nobody then, and the server says nothing: the next wait would last to the deadline."""
    transport, connect = Transport(), socket.socket.connect

    def connect_late(sock: socket.socket, address: tuple[str, int]) -> None:
        transport.abort()
        connect(sock, address)

    monkeypatch.setattr(socket.socket, "connect", connect_late)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = given_address(f"127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(Failure) as caught:
            transport.connect([address], Deadline(30))
    assert caught.value.kind is Kind.ABORTED


@contextmanager
def connected() -> Iterator[tuple[Transport, socket.socket]]:
    """Yield a transport and the other end of its connection."""
    transport = Transport()
    with socket.create_server(("127.0.0.1", 0)) as server:
        transport.connect([given_address(f"127.0.0.1:{server.getsockname()[1]}")], Deadline(30))
        peer, _ = server.accept()
    with peer:
        yield transport, peer
        transport.close()


MORE_THAN_FITS = bytes(range(256)) * 100_000


def test_a_server_that_reads_slowly_gets_all_of_it() -> None:
    received = bytearray()
    with connected() as (transport, peer):

        def read() -> None:
            while len(received) < len(MORE_THAN_FITS):
                received.extend(peer.recv(65_536))

        reader = threading.Thread(target=read)
        reader.start()
        transport.send(MORE_THAN_FITS, Deadline(30))
        reader.join(30)
    assert bytes(received) == MORE_THAN_FITS


def test_a_server_that_does_not_read_is_waited_for_until_the_deadline() -> None:
    with connected() as (transport, _), pytest.raises(Failure) as caught:
        transport.send(MORE_THAN_FITS, Deadline(0.3))
    assert caught.value.kind is Kind.TIMED_OUT


def test_bytes_that_are_announced_and_not_there_are_waited_for() -> None:
    """poll(2) and select(2) allow for it: what has come may be thrown away when it is read."""

    class Hasty:
        def __init__(self, events: Any) -> None:
            self.events, self.told = events, False

        def poll(self, milliseconds: float) -> list[tuple[int, int]]:
            if not self.told:
                self.told = True
                return [(0, select.POLLIN)]
            peer.send(b"220 ok")
            found: list[tuple[int, int]] = self.events.poll(milliseconds)
            return found

    with connected() as (transport, peer):
        transport._arrivals = Hasty(transport._arrivals)  # type: ignore[assignment]  # as much of it as is used
        assert transport.receive(Deadline(30)) == b"220 ok"
