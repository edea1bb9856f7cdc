"""A mail server that takes everything over verified TLS, unless its script says otherwise; and who trusts it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from cryptography import x509

from opsmail.operator.digest import Connection
from tests.hostile.certificates import Issued, Wish, issue, server_context
from tests.hostile.mailbox import mailbox
from tests.hostile.peer import HOST, Answer, Peer, Script, conversation

#: The other name that the certificate is for.
SECOND_HOST = f"second.{HOST}"
IMAP_HOST = "imap.empresa.test"


@cache
def _root() -> Issued:
    return issue(Wish("Test root", authority=True))


@cache
def _context(*hosts: str) -> ssl.SSLContext:
    return server_context(issue(Wish(names=[x509.DNSName(host) for host in hosts]), _root()))


@dataclass(frozen=True)
class Server:
    """A running peer as the catalogue knows it."""

    peer: Peer

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.peer.port}"

    @property
    def connection(self) -> Connection:
        return Connection(address=self.address, ca=ca())

    def commands(self) -> list[str]:
        """The first word of each line that the client said."""
        return [line.split(b" ")[0].decode("latin-1") for line in self.peer.said().split(b"\r\n") if line]


def ca() -> str:
    """The certificate that the servers here are trusted by."""
    return _root().pem


@contextmanager
def server(
    answers: Mapping[str, Answer] | None = None, *, implicit: bool = False, hosts: tuple[str, ...] = (HOST, SECOND_HOST)
) -> Iterator[Server]:
    """Run a well-behaved server in which some answers are replaced; see `tests.hostile.peer.conversation`.

    Args:
        answers: by step.
        implicit: whether TLS comes first.
        hosts: the names that its certificate is for.
    """
    with serving(conversation(_context(*hosts), answers, implicit=implicit)) as running:
        yield running


@contextmanager
def serving(script: Script) -> Iterator[Server]:
    """Run a server that does what `script` says with each connection."""
    peer = Peer(script)
    try:
        yield Server(peer)
    finally:
        peer.stop()


@contextmanager
def imap(answers: Mapping[str, Answer] | None = None) -> Iterator[Server]:
    """Run an IMAP server that finds every message, unless its answers are replaced; see `tests.hostile.mailbox`."""
    with serving(mailbox(_context(IMAP_HOST), answers)) as running:
        yield running
