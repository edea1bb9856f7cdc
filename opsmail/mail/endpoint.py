"""Where mail is submitted and as whom: plain values that the callers fill from the effective operator."""

from __future__ import annotations

from dataclasses import field

from opsmail.operator.digest import EffectiveOperator, canonical_host
from opsmail.operator.model import Encryption, TlsVersion
from opsmail.secrets.interface import Secret
from opsmail.values import dataclass

__all__ = ["BearerCredentials", "Credentials", "Encryption", "Endpoint", "TlsVersion"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server as an operator reaches it.

    Args:
        host: the DNS name that the certificate must show.
        port: TCP port, 1 to 65535.
        encryption: how the connection is protected.
        minimum_tls: the oldest TLS version that is spoken.
        address: `ip:port` or `[ip6]:port` (or a loopback name) to connect to instead of resolving `host`; only from the
            trusted catalogue.
        ca: PEM certificates trusted for this host instead of the system's; only from the trusted catalogue.
        private: whether the name may resolve to a private address; only from the trusted catalogue.
    """

    host: str
    port: int
    encryption: Encryption = Encryption.STARTTLS
    minimum_tls: TlsVersion = TlsVersion.TLS_1_2
    address: str | None = None
    ca: str | None = field(default=None, repr=False)
    private: bool = False

    @classmethod
    def of(cls, effective: EffectiveOperator) -> Endpoint:
        """Return where an effective operator submits its messages."""
        server, connection = effective.operator.server, effective.connection
        return cls(
            host=canonical_host(server.host),
            port=server.port,
            encryption=server.encryption,
            minimum_tls=server.minimum_tls,
            address=connection.address,
            ca=connection.ca,
            private=connection.private,
        )


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and password.

    Args:
        username: as the server knows the account.
        secret: its password.
    """

    username: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class BearerCredentials:
    """A user and an OAuth 2.0 access token for its mailbox.

    Args:
        username: the mailbox.
        token: the access token.
    """

    username: str
    token: Secret
