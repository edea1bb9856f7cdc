"""Bytes between here and a server: sockets and TLS under deadlines that count the whole wait, not each read."""

from __future__ import annotations

import errno
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from opsmail.mail.destination import SocketAddress
from opsmail.mail.failure import Failure, Kind
from opsmail.mail.peer import TlsFacts, refused_facts, session_facts
from opsmail.mail.tls import handshake_failure
from opsmail.messages import msg

_CHUNK = 16 * 1024
# The first octet of the records that a TLS server may answer with: alert or handshake (RFC 8446 section 5.1).
_TLS_FIRST = (0x15, 0x16)

Clock = Callable[[], float]


class Deadline:
    """A moment by which something is over.

    Args:
        seconds: from now.
        clock: monotonic, in seconds.
    """

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self.end = clock() + seconds

    def remaining(self) -> float:
        """Return the seconds left.

        Raises:
            Failure: none are.
        """
        left = self.end - self._clock()
        if left <= 0:
            raise timed_out()
        return left

    def within(self, seconds: float) -> Deadline:
        """Return a deadline `seconds` from now, or this one when it comes first."""
        inner = Deadline(seconds, self._clock)
        inner.end = min(inner.end, self.end)
        return inner


class Transport:
    """One TCP connection, in clear at first, through TLS after `start_tls`.

    It is used by one thread; `abort` alone may be called from another.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._arrivals = select.poll()
        self._session: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._aborted = threading.Event()

    @property
    def aborted(self) -> threading.Event:
        """Set once `abort` was called."""
        return self._aborted

    def connect(self, addresses: Sequence[SocketAddress], deadline: Deadline) -> SocketAddress:
        """Connect to the first of `addresses` that answers, and return it; a dead one gets its share of the time only.

        Raises:
            Failure: none answers.
        """
        last = Failure(Kind.UNREACHABLE, msg("there is no address to connect to"))
        for index, address in enumerate(addresses):
            share = deadline.remaining() / (len(addresses) - index)
            try:
                self._connect_one(address, deadline.within(share))
            except Failure as failure:
                if failure.kind is Kind.ABORTED:
                    raise
                last = failure
            else:
                return address
        raise last

    def _connect_one(self, address: SocketAddress, deadline: Deadline) -> None:
        sock = socket.socket(address.family, socket.SOCK_STREAM)
        self._socket = sock
        try:
            self._check_not_aborted()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(deadline.remaining())
            sock.connect((address.ip, address.port))
            # Whoever aborted before there was a connection could not wake what is read from it next.
            self._check_not_aborted()
            # From here on it is waited for by `poll`: a timeout that changes with each call would be three system calls
            # instead of two, and with many threads each of them is a fight for the interpreter.
            sock.settimeout(0)
            self._arrivals = select.poll()
            self._arrivals.register(sock, select.POLLIN)
        except Failure:
            self.close()
            raise
        except TimeoutError:
            self.close()
            raise Failure(Kind.TIMED_OUT, msg("{address} did not answer in time", address=str(address))) from None
        except ConnectionRefusedError:
            self.close()
            raise Failure(
                Kind.CONNECTION_REFUSED, msg("{address} refused the connection", address=str(address))
            ) from None
        except OSError as error:
            self.close()
            self._check_not_aborted()
            # A reset comes from a server that took the connection and thought better of it.
            raise Failure(
                Kind.DISCONNECTED if isinstance(error, ConnectionResetError) else Kind.UNREACHABLE,
                msg("{address} cannot be reached: {reason}", address=str(address), reason=_reason(error)),
            ) from None

    def start_tls(self, context: ssl.SSLContext, host: str, deadline: Deadline) -> TlsFacts:
        """Make the handshake and verify the server as `host`.

        Raises:
            Failure: it did not come to a verified session. Nothing may be sent over this transport then.
        """
        # A TLS server does not speak first: whatever is here already came in clear.
        if self.readable(deadline):
            raise _not_tls(self._receive_raw(deadline))
        session = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        heard = False
        while True:
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush(deadline)
            except ssl.SSLError as error:
                self._flush_alert(deadline)
                raise handshake_failure(error, host, refused_facts(session)) from None
            data = self._receive_raw(deadline)
            if not heard and data[0] not in _TLS_FIRST:
                raise _not_tls(data)
            heard = True
            self._incoming.write(data)
        self._flush(deadline)
        self._session = session
        return session_facts(session)

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all of `data`.

        Raises:
            Failure: the connection ended or the deadline passed before the last byte was handed to the system.
        """
        if self._session is None:
            self._send_raw(data, deadline)
            return
        for start in range(0, len(data), _CHUNK):
            try:
                self._session.write(data[start : start + _CHUNK])
            except ssl.SSLError as error:
                raise _broken_session(error) from None
            self._flush(deadline)

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes, at least one.

        Raises:
            Failure: the connection ended or the deadline passed.
        """
        if self._session is None:
            return self._receive_raw(deadline)
        while not (data := self._decrypt(self._session)):
            self._flush(deadline)
            self._incoming.write(self._receive_raw(deadline))
        return data

    def pending(self, deadline: Deadline) -> bytes:
        """Return what has already arrived, without waiting; empty when nothing has.

        Raises:
            Failure: the connection has ended.
        """
        if self._session is None:
            return self._receive_raw(deadline) if self.readable(deadline) else b""
        # What can be read may be no more than session tickets, which carry no data.
        while not (data := self._decrypt(self._session)) and self.readable(deadline):
            self._incoming.write(self._receive_raw(deadline))
        return data

    def _decrypt(self, session: ssl.SSLObject) -> bytes:
        """Return what the session holds, empty when it needs more records."""
        # Nothing is left in the session itself: a record has no more than a chunk (RFC 8446 section 5.1).
        if not self._incoming.pending:
            return b""
        try:
            data = session.read(_CHUNK)
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLError as error:
            raise _broken_session(error) from None
        if not data:
            raise _disconnected()
        return data

    def readable(self, deadline: Deadline) -> bool:
        """Whether the socket has something to read, its end included."""
        deadline.remaining()
        self._open()
        return bool(self._arrivals.poll(0))

    def abort(self) -> None:
        """Make the thread that uses this transport fail at once with `Kind.ABORTED`; called from another thread."""
        self._aborted.set()
        sock = self._socket
        if sock is not None:
            # Wakes a thread that waits in this socket; closing it would not. Where it is not connected, nobody waits.
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection; harmless when there is none."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # --- raw bytes

    def _open(self) -> socket.socket:
        if self._socket is None:
            raise _disconnected()
        return self._socket

    def _send_raw(self, data: bytes, deadline: Deadline) -> None:
        sock, rest = self._open(), memoryview(data)
        while rest:
            deadline.remaining()
            try:
                rest = rest[sock.send(rest) :]
            except BlockingIOError:
                room = select.poll()
                room.register(sock, select.POLLOUT)
                _wait(room, deadline)
            except OSError as error:
                self._check_not_aborted()
                raise _lost(error) from None

    def _receive_raw(self, deadline: Deadline) -> bytes:
        sock = self._open()
        data: bytes | None = None
        while data is None:
            _wait(self._arrivals, deadline)
            try:
                data = sock.recv(_CHUNK)
            except BlockingIOError:
                pass  # it looked as if something had come, see "Bugs" of select(2)
            except OSError as error:
                self._check_not_aborted()
                raise _lost(error) from None
        if not data:
            self._check_not_aborted()
            raise _disconnected()
        return data

    def _flush(self, deadline: Deadline) -> None:
        if self._outgoing.pending:
            self._send_raw(self._outgoing.read(), deadline)

    def _flush_alert(self, deadline: Deadline) -> None:
        """Tell the server why the handshake ends; whether it hears it does not matter."""
        with suppress(Failure):
            self._flush(deadline)

    def _check_not_aborted(self) -> None:
        if self._aborted.is_set():
            raise Failure(Kind.ABORTED, msg("stopped"))


def _wait(events: select.poll, deadline: Deadline) -> None:
    """Return when one of `events` has come, or the end of the connection; when neither does, `deadline` raises."""
    while not events.poll(deadline.remaining() * 1000):
        pass


def timed_out() -> Failure:
    """Return the failure of a wait that took too long."""
    return Failure(Kind.TIMED_OUT, msg("no complete answer in time"))


def _disconnected() -> Failure:
    return Failure(Kind.DISCONNECTED, msg("the server closed the connection"))


def _lost(error: OSError) -> Failure:
    return Failure(Kind.DISCONNECTED, msg("the connection was lost: {reason}", reason=_reason(error)))


def _broken_session(error: ssl.SSLError) -> Failure:
    return Failure(
        Kind.DISCONNECTED, msg("the TLS session broke: {reason}", reason=error.reason or type(error).__name__)
    )


def _not_tls(first: bytes) -> Failure:
    # A server that greets in clear on this port speaks SMTP without TLS from the first byte.
    if first[:1] in b"2345" and first[1:3].isdigit():
        return Failure(
            Kind.WRONG_TLS_MODE, msg("the server speaks SMTP in clear where TLS was expected from the first byte")
        )
    return Failure(Kind.NOT_TLS, msg("the server did not answer with TLS"))


def _reason(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "") or type(error).__name__
