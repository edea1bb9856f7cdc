"""The identity provider of an operator, and where requests for its tokens may go."""

from __future__ import annotations

import ipaddress
from dataclasses import field
from typing import Protocol
from urllib.parse import SplitResult, quote

from opsmail.mail.destination import SocketAddress, given_address
from opsmail.mail.oauth.clouds import CloudFacts, cloud_facts
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import ModernAuthentication
from opsmail.values import dataclass

_HTTPS, _HTTP = 443, 80


@dataclass(frozen=True, slots=True)
class Route:
    """How a request gets to a host.

    Args:
        host: the name that a certificate must show.
        port: TCP port.
        tls: whether the connection is TLS.
        ca: PEM certificates trusted instead of the system's; None for those.
        private: whether the name may resolve to a private address.
        address: what to connect to instead of resolving the name.
    """

    host: str
    port: int
    tls: bool
    ca: str | None = field(default=None, repr=False)
    private: bool = False
    address: SocketAddress | None = None


class Pins(Protocol):
    """Decides where requests may go."""

    def route(self, url: SplitResult) -> Route | None:
        """Return how to get to `url`, None where nobody may."""
        ...


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """Who gives out the tokens of a tenant.

    Args:
        facts: of the cloud.
        tenant: GUID or domain.
        host: the only host that is asked.
        port: likewise.
        ca: PEM certificates trusted for it instead of the system's.
        private: whether it may be at a private address, which only the catalogue can say.
    """

    facts: CloudFacts
    tenant: str
    host: str
    port: int = _HTTPS
    ca: str | None = field(default=None, repr=False)
    private: bool = False

    @classmethod
    def of(cls, effective: EffectiveOperator, authentication: ModernAuthentication) -> IdentityProvider:
        """Return the identity provider of an effective operator: its cloud's, or the one that the catalogue names."""
        facts, connection = cloud_facts(authentication.cloud), effective.connection
        if connection.authority is None:
            return cls(facts, authentication.tenant, facts.authority)
        host, _, port = connection.authority.removeprefix("https://").partition(":")
        return cls(facts, authentication.tenant, host, int(port or _HTTPS), connection.authority_ca, private=True)

    @property
    def url(self) -> str:
        """The authority as MSAL wants it."""
        port = "" if self.port == _HTTPS else f":{self.port}"
        return f"https://{self.host}{port}/{quote(self.tenant, safe='')}"

    def route(self, url: SplitResult) -> Route | None:
        """Return the way to this provider for its own URLs, None for all others."""
        if url.scheme != "https" or (url.hostname, url.port or _HTTPS) != (self.host, self.port) or "@" in url.netloc:
            return None
        return Route(self.host, self.port, tls=True, ca=self.ca, private=self.private)


@dataclass(frozen=True, slots=True)
class MachineIdentity:
    """The service of an Azure machine that gives out tokens for its own identity, in clear, on the machine itself."""

    def route(self, url: SplitResult) -> Route | None:
        """Return the way to a loopback or link-local address, None for all others."""
        host = url.hostname or ""
        port = url.port or _HTTP
        if url.scheme != "http" or "@" in url.netloc:
            return None
        if host == "localhost":
            return Route(host, port, tls=False, address=given_address(f"{host}:{port}"))
        try:
            ip = ipaddress.IPv4Address(host)
        except ipaddress.AddressValueError:
            return None
        if not (ip.is_loopback or ip.is_link_local):
            return None
        return Route(host, port, tls=False, address=SocketAddress(str(ip), port))
