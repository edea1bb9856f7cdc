"""The way to the identity provider through an HTTP proxy, where the settings name one (RFC 9110 section 9.3.6).

What goes through it is TLS that is verified as ever: the proxy can keep a request from its end, and neither read nor
answer it.
"""

from __future__ import annotations

import re

from opsmail.mail.destination import Lookup, resolve
from opsmail.mail.failure import Failure, Kind
from opsmail.mail.transport import Deadline, Transport
from opsmail.messages import msg
from opsmail.values import dataclass

#: The most that is read of a proxy's answer, in octets.
LONGEST_HEAD = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy inside the organisation's network.

    Args:
        host: its name, or its IPv4 address.
        port: TCP port.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """Return the proxy of a setting, `http://host:port`."""
        host, _, port = url.removeprefix("http://").rpartition(":")
        return cls(host, int(port))

    def connect(self, transport: Transport, place: str, deadline: Deadline, lookup: Lookup | None = None) -> None:
        """Connect `transport` to another host.

        Args:
            transport: not connected yet.
            place: `host:port` where it shall lead; the proxy looks up the name.
            deadline: by when.
            lookup: stands in for `socket.getaddrinfo`.

        Raises:
            Failure: the proxy cannot be reached, or does not lead there.
        """
        seconds, stop = deadline.remaining(), transport.aborted
        addresses = resolve(self.host, self.port, private=True, seconds=seconds, lookup=lookup, stop=stop)
        transport.connect(addresses, deadline)
        transport.send(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode("ascii"), deadline)
        head = b""
        while b"\r\n\r\n" not in head and len(head) <= LONGEST_HEAD:
            head += transport.receive(deadline)
        status = _STATUS.match(head)
        if status is None or not head.endswith(b"\r\n\r\n"):
            raise Failure(
                Kind.IDENTITY_PROVIDER_FAILED, msg("what answers at {proxy} is no HTTP proxy", proxy=str(self))
            )
        if not status[1].startswith(b"2"):
            raise Failure(
                Kind.IDENTITY_PROVIDER_FAILED,
                msg(
                    "the proxy {proxy} answered {status} and does not lead to {place}",
                    proxy=str(self),
                    status=status[1].decode("ascii"),
                    place=place,
                ),
            )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
