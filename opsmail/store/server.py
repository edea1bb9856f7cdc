"""Where a store's server is, and who asks for it."""

from __future__ import annotations

import ipaddress
import ssl
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from opsmail.errors import UsageError
from opsmail.messages import Message, msg
from opsmail.references import SecretReference
from opsmail.secrets import Secret, Secrets, password
from opsmail.values import dataclass

_PASSWORD_HINT = msg(
    "write `password` beside the URL, with a reference such as `env://OPSMAIL_STORE_PASSWORD`, and change this password"
)


@dataclass(frozen=True, slots=True)
class Access:
    """What a server is asked with, besides its URL.

    Args:
        password: of the user that the URL names; None where the server asks for none.
        ca: PEM certificates of the authorities that may vouch for the server; the system's are not asked.
    """

    password: Secret | None = None
    ca: str | None = None

    @classmethod
    def resolve(cls, password_from: SecretReference | None, ca: str | None, secrets: Secrets) -> Access:
        """Return it with the password that a reference names.

        Raises:
            SecretError: the reference does not resolve, or to what cannot be a password.
        """
        if password_from is None:
            return cls(ca=ca)
        return cls(password(secrets.resolve(password_from), password_from), ca)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing, as for a store in a file."""
        return self.password is None and self.ca is None


@dataclass(frozen=True, slots=True)
class Server:
    """A server as a URL names it.

    Args:
        scheme: of the URL, without a driver.
        user: who logs in; None for nobody.
        host: a DNS name or an IP address; None for a unix socket.
        port: of the host.
        name: the database, or the prefix of keys.
        socket: path of the unix socket, or of its folder, as the server's clients name it.
        ca: see `Access`; None for a connection without TLS, which stays on this machine.
    """

    scheme: str
    user: str | None
    host: str | None
    port: int
    name: str
    socket: str | None
    ca: str | None

    @classmethod
    def parse(cls, url: str, access: Access, *, port: int, sockets: bool = True) -> Server:
        """Return the server that `url` names: `scheme://user@host:port/name`, or `scheme://user@/name?socket=/path`.

        Args:
            url: no password stands in it.
            access: what comes besides.
            port: the usual one.
            sockets: whether a unix socket can be named.

        Raises:
            UsageError: it names none, holds a password, or asks for a connection that could be overheard. The URL is
                not repeated.
        """
        parts, port = _split(url, port)
        parameters = parse_qsl(parts.query, keep_blank_values=True)
        if "password" in {name for name, _ in parameters} or parts.password is not None:
            raise UsageError(msg("the store's URL holds a password"), hint=_PASSWORD_HINT)
        socket = dict(parameters).get("socket")
        host = parts.hostname
        if (
            parts.fragment
            or [name for name, _ in parameters] not in ([], ["socket"])
            or (host is None) == (socket is None)
            or (socket is not None and not (sockets and socket.startswith("/")))
        ):
            raise _unreadable(msg("it does not have the form of one"))
        user = None if parts.username is None else unquote(parts.username)
        name = unquote(parts.path.removeprefix("/"))
        if any(character < " " for character in f"{user}{host}{name}{socket}"):
            raise _unreadable(msg("it has control characters"))
        if access.ca is None and host is not None and not _is_here(host):
            raise UsageError(
                msg("the store's server is on another machine, and nothing says which certificate to trust"),
                hint=msg("write `ca` beside the URL: the PEM file of the authority that signed its certificate"),
            )
        return cls(parts.scheme.partition("+")[0], user, host, port, name, socket, None if socket else access.ca)

    def __str__(self) -> str:
        """As in the URL, without a password."""
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if self.host and ":" in self.host else self.host
        place = f"{host}:{self.port}" if host else ""
        return f"{self.scheme}://{user}{place}/{self.name}" + (f"?socket={self.socket}" if self.socket else "")

    def tls(self) -> ssl.SSLContext | None:
        """Return what verifies the server, chain and name, by TLS 1.2 at least; None where there is no TLS.

        Raises:
            UsageError: the certificates are none.
        """
        if self.ca is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.hostname_checks_common_name = False
        try:
            context.load_verify_locations(cadata=self.ca)
        except (ssl.SSLError, ValueError):
            raise UsageError(
                msg("the store's `ca` holds no certificate that can be read"),
                hint=msg("export the authority's certificate as PEM"),
            ) from None
        return context


def _split(url: str, port: int) -> tuple[SplitResult, int]:
    # `urlsplit` drops tabs and line ends, and its errors repeat what they are about.
    try:
        parts = urlsplit(url)
        return parts, parts.port or port
    except ValueError:
        raise _unreadable(msg("its host or port is none")) from None


def _unreadable(reason: Message) -> UsageError:
    return UsageError(
        msg("the store's URL cannot be read: {reason}", reason=reason),
        hint=msg("write for example `postgresql://opsmail@db.empresa.com.br/opsmail`"),
    )


def _is_here(host: str) -> bool:
    """Whether what is sent there stays on this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
