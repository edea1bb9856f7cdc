"""What the stores' servers of the tests have in common: where they listen, and their certificate."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from tests.conformance.publishing import Place
from tests.servers.processes import LOOPBACK, Log

USER = "opsmail"


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """A running server.

    It shows a certificate for `LOOPBACK` and no other name, which `ca` (PEM) signed. `user` may make stores with
    `password`. `folder` is its own, with `socket` in it for whoever administers it.
    """

    scheme: str
    port: int
    ca: str
    password: str = field(repr=False)
    folder: Path
    socket: Path
    log: Log
    user: str = USER
    administrator_password: str = field(default="", repr=False)
    clear_port: int | None = None

    @property
    def port_without_tls(self) -> int:
        """Where it speaks without TLS; for most servers the same port."""
        return self.clear_port or self.port

    def place(self, name: str, *, user: str | None = None) -> Place:
        """Return the store called `name` there, by TLS."""
        return Place(f"{self.scheme}://{user or self.user}@{LOOPBACK}:{self.port}/{name}", self.password, self.ca)


def new_name() -> str:
    """Return a name that no other store has."""
    return f"t{secrets.token_hex(6)}"


def certify(folder: Path) -> str:
    """Write `certificate.pem` and `key.pem` for the loopback address into `folder`; return the authority's PEM."""
    authority = trustme.CA()
    leaf = authority.issue_cert(LOOPBACK)
    for name, blobs in {"certificate.pem": leaf.cert_chain_pems, "key.pem": [leaf.private_key_pem]}.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(b"".join(blob.bytes() for blob in blobs))
    return authority.cert_pem.bytes().decode("ascii")
