"""Access tokens for operators: asked for once for all that share an application, looked at, and then handed out."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from opsmail.mail.destination import Lookup
from opsmail.mail.failure import Failure, Kind
from opsmail.mail.oauth.answers import OAuthError
from opsmail.mail.oauth.application import Application, open_application
from opsmail.mail.oauth.assertion import IdentityTokens
from opsmail.mail.oauth.claims import PERSONAL, ROLE, Claims, judge, read_claims, require_bearer
from opsmail.mail.oauth.client import Client
from opsmail.mail.oauth.http import PinnedHttp
from opsmail.mail.oauth.provider import MachineIdentity
from opsmail.mail.oauth.proxy import Proxy
from opsmail.mail.tls import TrustStores
from opsmail.mail.transport import Clock, Deadline
from opsmail.messages import msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import ManagedIdentity
from opsmail.secrets import Secret, SecretError, Secrets
from opsmail.values import dataclass

#: For how long a refusal stands for the requests that would get the same, in seconds. MSAL keeps to the same time.
REFUSED_FOR = 60
# How often a wait for another's request looks whether it should stop, in seconds.
_LOOK_AROUND = 0.2
#: What another try within a minute would not change.
_CONCLUSIVE = frozenset(
    {
        Kind.OAUTH_ERROR,
        Kind.FOREIGN_ENDPOINT,
        Kind.IDENTITY_TOKEN_REFUSED,
        Kind.TOKEN_MALFORMED,
        Kind.TOKEN_WRONG_AUDIENCE,
        Kind.TOKEN_MISSING_ROLE,
        Kind.TOKEN_WRONG_TENANT,
        Kind.TOKEN_NOT_VALID_NOW,
    }
)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that may be sent to the operator's server.

    Args:
        token: the token.
        claims: what it says; None for those of personal accounts, which nobody but Microsoft can read.
    """

    token: Secret
    claims: Claims | None


class Tokens:
    """The tokens of one run, or of one application server. May be used by several threads at once.

    Args:
        secrets: resolve what applications prove themselves with.
        trust: TLS contexts.
        proxy: the way to identity providers; None for the straight one.
        role: what the tokens of applications must permit.
        lookup: stands in for `socket.getaddrinfo`.
        clock: monotonic, in seconds.
        now: the time that tokens are judged by.
    """

    def __init__(
        self,
        secrets: Secrets,
        trust: TrustStores,
        *,
        proxy: Proxy | None = None,
        role: str = ROLE,
        lookup: Lookup | None = None,
        clock: Clock = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._secrets = secrets
        self._trust = trust
        self._proxy = proxy
        self._role = role
        self._lookup = lookup
        self._clock = clock
        self._now = now
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._sources: dict[Client, _Source] = {}

    def fetch(self, effective: EffectiveOperator, deadline: Deadline) -> AccessToken:
        """Return a token for an operator with modern authentication.

        Args:
            effective: the operator; that its destination is allowed has been checked before.
            deadline: by when.

        Raises:
            Failure: there is none, or none that the server would take.
            SecretError: what the application proves itself with cannot be had here.
        """
        return self._source(effective).take(deadline)

    def forget(self, effective: EffectiveOperator) -> None:
        """Ask anew the next time, with a secret that is read anew: the server has refused the token."""
        self._source(effective).forget()

    def abort(self) -> None:
        """End all that is asked for, now and from now on."""
        self._stopped.set()
        with self._lock:
            sources = list(self._sources.values())
        for source in sources:
            source.http.abort()

    def _source(self, effective: EffectiveOperator) -> _Source:
        client = Client.of(effective, self._role)
        with self._lock:
            if client not in self._sources:
                self._sources[client] = _Source(self._access(client), self._clock, self._now)
            return self._sources[client]

    def _access(self, client: Client) -> Access:
        return Access.to(client, self._secrets, self._trust, self._stopped, proxy=self._proxy, lookup=self._lookup)


@dataclass(frozen=True, slots=True)
class Access:
    """A client with what it needs to ask for tokens.

    Args:
        client: who asks.
        secrets: resolve its references.
        http: its way to the network.
        tokens: where outside identity tokens come from.
    """

    client: Client
    secrets: Secrets
    http: PinnedHttp
    tokens: IdentityTokens

    @classmethod
    def to(
        cls,
        client: Client,
        secrets: Secrets,
        trust: TrustStores,
        stopped: threading.Event,
        *,
        proxy: Proxy | None = None,
        lookup: Lookup | None = None,
    ) -> Access:
        """Return the access of `client`, over a network path that leads to its identity provider and nowhere else."""
        pins = MachineIdentity() if isinstance(client.credential, ManagedIdentity) else client.provider
        http = PinnedHttp(pins, trust, stopped, proxy=proxy, lookup=lookup)
        return cls(client, secrets, http, IdentityTokens(client.audience, client.place, secrets, stopped))

    def open(self) -> Application:
        """Return the application, its credential read."""
        return open_application(self.client, self.secrets, self.http, self.tokens)

    def accepted(self, answer: Mapping[str, Any], now: datetime) -> AccessToken:
        """Return the token in an identity provider's answer.

        Raises:
            Failure: there is none in it, or one that is not for SMTP.
        """
        if "access_token" not in answer:
            oauth = OAuthError.parse(answer, self.http.redact, self.http.correlation_id)
            raise Failure(
                Kind.OAUTH_ERROR, msg("the identity provider refused: {error}", error=str(oauth)), oauth=oauth
            )
        token = Secret(require_bearer(answer["access_token"]))
        if self.client.provider.tenant.lower() in PERSONAL:
            return AccessToken(token, None)
        claims = read_claims(token.reveal())
        judge(claims, self.client.provider.facts, self.client.provider.tenant, self.client.permission, now)
        return AccessToken(token, claims)


class _Source:
    """The tokens of one client: one request at a time, and none that was refused a moment ago."""

    def __init__(self, access: Access, clock: Clock, now: Callable[[], datetime]) -> None:
        self.http = access.http
        self._access = access
        self._clock = clock
        self._now = now
        self._turn = threading.Lock()
        self._application: Application | None = None
        self._refused: tuple[Failure, float] | None = None

    def take(self, deadline: Deadline) -> AccessToken:
        """Return a token; whoever comes while another asks waits for what comes of that."""
        with self._waiting(deadline):
            found = self._remembered() or asked(lambda: self._ask(deadline))
            if isinstance(found, AccessToken):
                return found
            # MSAL remembers refusals too: a new object asks anew.
            self._application = None
            if isinstance(found, Failure) and found.kind in _CONCLUSIVE and self._refused is None:
                self._refused = found, self._clock() + REFUSED_FOR
        raise found

    def forget(self) -> None:
        with self._turn:
            self._application = None

    def _remembered(self) -> Failure | None:
        if self._refused is None:
            return None
        failure, until = self._refused
        if self._clock() < until:
            return again(failure)
        self._refused = None
        return None

    def _ask(self, deadline: Deadline) -> AccessToken:
        self.http.deadline = deadline
        self.http.correlation_id = str(uuid.uuid4())
        if self._application is None:
            self._application = self._access.open()
        return self._access.accepted(self._application.token(self.http), self._now())

    @contextmanager
    def _waiting(self, deadline: Deadline) -> Iterator[None]:
        while not self._turn.acquire(timeout=min(_LOOK_AROUND, deadline.remaining())):
            pass
        try:
            yield
        finally:
            self._turn.release()


def asked(ask: Callable[[], AccessToken]) -> AccessToken | Failure | SecretError:
    """Return what comes of asking for a token, an error included, so that no frame that knows a secret is in its trace.

    Args:
        ask: asks.
    """
    try:
        return ask()
    except (Failure, SecretError) as error:
        return bare(error)


def bare(error: Failure | SecretError) -> Failure | SecretError:
    """Return an error that says the same and leads nowhere: no trace, no other error behind it."""
    if isinstance(error, SecretError):
        return SecretError(error.message, hint=error.hint)
    return again(error)


def again(failure: Failure) -> Failure:
    """Return a failure that says the same as another one."""
    return Failure(failure.kind, failure.detail, tls=failure.tls, oauth=failure.oauth)
