"""A TCP relay that cuts a connection when its client says a certain word."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.servers.processes import LOOPBACK

TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Relay:
    """A running relay, at `port`; it cuts while it is `armed`.

    With `heard` the server gets the word and answers it, and the answer is lost; without it the server never hears it.
    """

    port: int
    word: bytes
    heard: bool
    armed: threading.Event = field(default_factory=threading.Event)

    def carry(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on what both say until one ends, or the word is said."""
        with client, server, suppress(ConnectionError):
            while ready := select.select([client, server], [], [], TIMEOUT_SECONDS)[0]:
                said = ready[0].recv(65536)
                if not said:
                    return
                if ready[0] is server:
                    client.sendall(said)
                    continue
                cut = self.armed.is_set() and self.word in said
                if self.heard or not cut:
                    server.sendall(said)
                if cut:
                    if self.heard:
                        server.recv(65536)
                    return


@contextmanager
def relay(port: int, word: bytes, *, heard: bool) -> Iterator[Relay]:
    """Run a relay to `port` of the loopback address while the context lasts."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        running = Relay(listener.getsockname()[1], word, heard)

        def accept() -> None:
            with suppress(OSError):  # the listener is closed at the end
                while True:
                    client = listener.accept()[0]
                    server = socket.create_connection((LOOPBACK, port), TIMEOUT_SECONDS)
                    threading.Thread(target=running.carry, args=(client, server), daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield running
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(TIMEOUT_SECONDS)
