"""An identity provider on https at localhost that answers as it is told, and notes what it is asked."""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from cryptography import x509

from opsmail.mail.oauth.tokens import Tokens
from opsmail.mail.tls import TrustStores
from opsmail.mail.transport import Deadline
from opsmail.messages import msg
from opsmail.operator.digest import Connection, EffectiveOperator
from opsmail.references import SecretReference
from opsmail.secrets import Secret, SecretError, Secrets
from tests.hostile.certificates import Issued, Wish, issue, server_context
from tests.hostile.peer import Connection as Spoken
from tests.hostile.peer import Peer
from tests.unit.fleets import operator

TENANT = "3f2a9c1e-5b7d-4e8f-9a0b-1c2d3e4f5a6b"
AUDIENCE = "https://outlook.office365.com"
SECRET = "c4n4ry-client-secret"
CLIENT_SECRET = {"kind": "client-secret", "secret": "env://X"}
Act = Callable[[Spoken], object]


@cache
def root() -> Issued:
    return issue(Wish("Identity root", authority=True))


@cache
def tls(name: str = "localhost") -> ssl.SSLContext:
    return server_context(issue(Wish(name, names=[x509.DNSName(name)]), root()))


def jwt(**claims: Any) -> str:
    """A token with right claims, but for those that are given; None leaves one out. Nobody looks at its signature."""
    now = time.time()
    told: dict[str, Any] = {
        "aud": AUDIENCE, "roles": ["SMTP.SendAsApp"], "tid": TENANT, "appid": "x", "nbf": now - 60, "exp": now + 3600,
    }  # fmt: skip
    told |= claims
    parts = ({"alg": "RS256", "typ": "JWT"}, {name: value for name, value in told.items() if value is not None})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*encoded, "c2lnbmF0dXJlLW9mLWEtdGVzdA"))


def http(status: int, body: bytes | str | Mapping[str, Any], *headers: str, kind: str = "application/json") -> bytes:
    """An answer as it goes over the line."""
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = (f"HTTP/1.1 {status} x", f"Content-Type: {kind}", f"Content-Length: {len(content)}", *headers, "", "")
    return "\r\n".join(lines).encode() + content


def granted(token: str | None = None, **more: Any) -> bytes:
    return http(200, {"token_type": "Bearer", "access_token": token or jwt(), "expires_in": 3600} | more)


def refused(error: str = "invalid_client", *codes: int, status: int = 400, **more: Any) -> bytes:
    description = f"AADSTS{codes[0]}: no. Trace ID: 1 Correlation ID: 2" if codes else "no"
    return http(
        status,
        {"error": error, "error_description": description, "error_codes": list(codes), "correlation_id": "c-1"} | more,
    )


@dataclass
class Provider:
    """A running double.

    `token` answers the token endpoint, `metadata` the discovery, `device` the device authorisation; bytes, or an act.
    """

    peer: Peer
    token: bytes | Act = b""
    metadata: bytes | Act = b""
    device: bytes | Act = b""
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)

    @property
    def authority(self) -> str:
        return f"https://localhost:{self.peer.port}"

    @property
    def connection(self) -> Connection:
        return Connection(authority=self.authority, authority_ca=root().pem)

    def paths(self) -> list[str]:
        return [path.rpartition("/")[2] for path, _, _ in self.asked]

    def forms(self) -> list[dict[str, str]]:
        return [form for _, _, form in self.asked if form]

    def discovery(self, **more: Any) -> dict[str, Any]:
        base = f"{self.authority}/{TENANT}/v2.0"
        return {
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "device_authorization_endpoint": f"{base}/devicecode",
        } | more

    def serve(self, connection: Spoken) -> None:
        line = connection.hear().decode()
        headers = {}
        while header := connection.hear().decode():
            name, _, value = header.partition(": ")
            headers[name.lower()] = value
        length = int(headers.get("content-length", 0))
        while len(connection._buffer) < length:
            connection._buffer += connection.sock.recv(65536)
        form = {name: values[0] for name, values in parse_qs(connection._buffer[:length].decode()).items()}
        path = line.split(" ")[1]
        self.asked.append((path, headers, form))
        answer = self._answer(path.partition("?")[0])
        if isinstance(answer, bytes):
            connection.say(answer)
        else:
            answer(connection)

    def _answer(self, path: str) -> bytes | Act:
        if path.endswith("/.well-known/openid-configuration"):
            return self.metadata or http(200, self.discovery())
        if path.endswith("/devicecode"):
            return self.device
        return self.token


@contextmanager
def identity(token: bytes | Act | None = None, *, name: str = "localhost", secure: bool = True) -> Iterator[Provider]:
    """Run a double that gives good tokens, or answers with `token`."""

    context = tls(name)  # made here: a cache does not keep two threads from making two roots

    def serve(connection: Spoken) -> None:
        if secure:
            connection.start_tls(context)
        provider.serve(connection)

    provider = Provider(peer := Peer(serve), granted() if token is None else token)
    try:
        yield provider
    finally:
        peer.stop()


@contextmanager
def proxy(
    answer: bytes | Act = b"HTTP/1.1 200 OK\r\n\r\n", provider: Provider | None = None, name: str = "localhost"
) -> Iterator[Peer]:
    """Run an HTTP proxy that gives one answer, and behind which `provider` is, with a certificate for `name`."""

    context = tls(name)

    def serve(connection: Spoken) -> None:
        while connection.hear():
            pass
        if callable(answer):
            answer(connection)
            return
        connection.say(answer)
        if provider is not None:
            connection.start_tls(context)
            provider.serve(connection)

    peer = Peer(serve)
    try:
        yield peer
    finally:
        peer.stop()


class Vault:
    """Gives what it holds, keeps what it is given, and notes what it is asked for."""

    def __init__(self, **held: str) -> None:
        self.held = held or {"X": SECRET}
        self.asked: list[str] = []

    def resolve(self, reference: SecretReference) -> Secret:
        self.asked.append(reference.locator)
        if reference.locator not in self.held:
            raise SecretError(msg("`{reference}` is not there", reference=reference))
        return Secret(self.held[reference.locator])

    def keep(self, reference: SecretReference, secret: Secret) -> None:
        self.held[reference.locator] = secret.reveal()


def modern(
    provider: Provider, credential: Mapping[str, Any] = CLIENT_SECRET, *, name: str = "rh", **more: Any
) -> EffectiveOperator:
    """An effective operator whose tokens come from the double."""
    connection: dict[str, Any] = more.pop("connection", {})
    authentication = {
        "type": "modern", "username": "rh@empresa.test", "tenant": TENANT, "client_id": "x",
        "credential": dict(credential),
    }  # fmt: skip
    subject = operator(name, authentication=authentication | more)
    base = provider.connection
    values = {"authority": base.authority, "authority_ca": base.authority_ca} | connection
    return EffectiveOperator(subject, Connection(**values))


def tokens(vault: Vault | None = None, **more: Any) -> Tokens:
    return Tokens(Secrets({"env": vault or Vault()}), TrustStores(), **more)


def soon(seconds: float = 10) -> Deadline:
    return Deadline(seconds)
