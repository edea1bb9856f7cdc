"""A server that takes every connection and counts what comes: nothing may."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Sink:
    """Listens on a free loopback port, says nothing, counts connections and bytes."""

    def __init__(self) -> None:
        self.connections = 0
        self.octets = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def untouched(self) -> bool:
        """Whether nobody has connected."""
        return (self.connections, self.octets) == (0, 0)

    def close(self) -> None:
        """Stop; what has been sent by then is counted."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(5)
        self._listener.close()
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RD)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                self._open.append(sock)
                thread = threading.Thread(target=self._count, args=(sock,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _count(self, sock: socket.socket) -> None:
        with sock, suppress(OSError):
            while data := sock.recv(65536):
                self.octets += len(data)


@contextmanager
def listening() -> Iterator[Sink]:
    """Run a sink while the context lasts."""
    sink = Sink()
    try:
        yield sink
    finally:
        sink.close()
