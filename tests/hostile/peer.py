"""A server that does what a script says, on a free loopback port, and notes what it hears."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

HOST = "mail.empresa.test"
#: How long a stage waits in these tests, and what a wait may cost on a busy machine on top, in seconds.
LIMIT = 0.3
SLACK = 1.0


class Connection:
    """One accepted connection as a script sees it."""

    def __init__(self, sock: socket.socket, peer: Peer) -> None:
        self.sock: socket.socket = sock
        self.secure = False
        self._peer = peer
        self._buffer = b""

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)

    def hear(self) -> bytes:
        """One line without its end; what the client sent is noted with whether TLS carried it."""
        while b"\r\n" not in self._buffer:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError("the client left")
            self._peer.note(self.secure, data)
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line

    def hear_message(self) -> bytes:
        lines = []
        while (line := self.hear()) != b".":
            lines.append(line)
        return b"\r\n".join(lines) + b"\r\n"

    def start_tls(self, context: ssl.SSLContext) -> None:
        # Of a client that has left already, `wrap_socket` would leave an unclosed socket behind.
        self.sock.getpeername()
        self.sock = context.wrap_socket(self.sock, server_side=True)
        self.secure = True

    def hold(self) -> None:
        """Say nothing until the client leaves."""
        with suppress(OSError):
            while data := self.sock.recv(65536):
                self._peer.note(self.secure, data)

    def drip(self, data: bytes, seconds: float = LIMIT / 6) -> None:
        """Say `data` octet by octet, for as long as the client listens."""
        for octet in data:
            self.say(bytes((octet,)))
            if self._peer.stopped.wait(seconds):
                return

    def flood(self, data: bytes) -> None:
        while not self._peer.stopped.is_set():
            self.say(data)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


Script = Callable[[Connection], object]


class Peer:
    """A server that does what its script says, once for each connection."""

    def __init__(self, script: Script, address: str = "127.0.0.1", receive_buffer: int | None = None) -> None:
        self.stopped = threading.Event()
        self.connections = 0
        self.heard: list[tuple[bool, bytes]] = []
        self._script = script
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind((address, 0))
        self._listener.listen(8)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def note(self, secure: bool, data: bytes) -> None:
        self.heard.append((secure, data))

    def said(self, secure: bool | None = None) -> bytes:
        """Everything the client said, or only what TLS did or did not carry."""
        return b"".join(data for carried, data in self.heard if secure is None or carried is secure)

    def stop(self) -> None:
        self.stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _start(self, run: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.settimeout(10)
                self.connections += 1
                with self._lock:
                    self._open.append(sock)
                self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        connection = Connection(sock, self)
        # The client leaves when it has seen enough.
        with suppress(OSError):
            self._script(connection)
        with suppress(OSError):
            connection.close()
        sock.close()


# What a well-behaved server says, by step. `handshake` is the TLS handshake, `EHLO-TLS` the EHLO after it.
STEPS = ("banner", "EHLO", "STARTTLS", "handshake", "EHLO-TLS", "AUTH", "MAIL", "RCPT", "DATA", "content", "QUIT")
GOOD: Mapping[str, bytes] = {
    "banner": b"220 mail.empresa.test ESMTP\r\n",
    "EHLO": b"250-mail.empresa.test\r\n250-SIZE 10240000\r\n250 STARTTLS\r\n",
    "STARTTLS": b"220 2.0.0 Ready\r\n",
    "EHLO-TLS": b"250-mail.empresa.test\r\n250-SIZE 10240000\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n",
    "AUTH": b"235 2.7.0 Authentication successful\r\n",
    "MAIL": b"250 2.1.0 Ok\r\n",
    "RCPT": b"250 2.1.5 Ok\r\n",
    "DATA": b"354 End data with <CR><LF>.<CR><LF>\r\n",
    "content": b"250 2.0.0 Ok: queued as 4F1B2\r\n",
    "QUIT": b"221 2.0.0 Bye\r\n",
}
Answer = bytes | Script


def conversation(tls: ssl.SSLContext, answers: Mapping[str, Answer] | None = None, *, implicit: bool = False) -> Script:
    """A whole conversation in which each step's answer may be replaced by other bytes or by an act."""
    replaced = answers or {}

    def run(connection: Connection) -> None:
        def step(name: str) -> None:
            answer = replaced.get(name, GOOD.get(name, b""))
            if isinstance(answer, bytes):
                connection.say(answer)
            else:
                answer(connection)

        def handshake() -> None:
            if "handshake" in replaced:
                step("handshake")
            connection.start_tls(tls)

        if implicit:
            handshake()
        step("banner")
        while True:
            line = connection.hear()
            verb = line[:4].upper().decode("latin-1").strip()
            if verb == "STAR":
                step("STARTTLS")
                handshake()
            elif verb == "EHLO" and connection.secure:
                step("EHLO-TLS")
            elif verb == "DATA":
                step("DATA")
                connection.hear_message()
                step("content")
            else:
                step(verb)
                if verb == "QUIT":
                    return

    return run
