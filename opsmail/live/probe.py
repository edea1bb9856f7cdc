"""The probe mailbox of a run: one session for all tests, used by one at a time, with one login."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opsmail.errors import OpsmailError, UsageError
from opsmail.live.pins import require_probe_peer, require_probe_pins
from opsmail.mail.destination import Lookup
from opsmail.mail.endpoint import BearerCredentials, Credentials, Endpoint
from opsmail.mail.failure import Failure, Kind
from opsmail.mail.imap.session import Session
from opsmail.mail.oauth.claims import IMAP_ROLE
from opsmail.mail.oauth.proxy import Proxy
from opsmail.mail.oauth.tokens import Tokens, again
from opsmail.mail.receipt import Receipt
from opsmail.mail.tls import TrustStores
from opsmail.mail.transcript import Observer
from opsmail.mail.transport import Deadline, timed_out
from opsmail.messages import msg
from opsmail.operator.model import ModernAuthentication
from opsmail.secrets import Secrets, password
from opsmail.settings.load import Settings

#: Seconds between two looks: at first soon, because most messages arrive at once.
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 5.0)
#: Seconds before the end of the wait when the last look is made, so that there is time for its answer.
LAST_LOOK = 0.5


class Probe:
    """Waits for messages in the mailbox that the settings name. May be used by several threads at once.

    Args:
        settings: name the mailbox, and say whether it is approved.
        secrets: resolve its secret, once its server has proven who it is.
        trust: TLS contexts.
        lookup: stands in for `socket.getaddrinfo`.

    Raises:
        UsageError: the settings name none.
        NotPinnedError: the catalogue does not allow its server, its login or its secret.
    """

    def __init__(
        self, settings: Settings, secrets: Secrets, trust: TrustStores, *, lookup: Lookup | None = None
    ) -> None:
        named, account = settings.file.live.probe, settings.probe
        if named is None or account is None:
            raise UsageError(
                msg("there is no probe mailbox in which messages could be looked for"),
                hint=msg("name one under `[live.probe]` in opsmail.toml"),
            )
        require_probe_pins(account, settings)
        self.endpoint = Endpoint.of(account)
        self._account = account
        self._patience = named.wait_seconds
        self._settings = settings
        self._secrets = secrets
        proxy = settings.file.live.proxy
        through = None if proxy is None else Proxy.parse(proxy)
        self._tokens = Tokens(secrets, trust, role=IMAP_ROLE, proxy=through, lookup=lookup)
        self._open: Callable[[], Session] = lambda: Session(self.endpoint, trust, lookup=lookup)
        self._stopped = threading.Event()
        self._turn = threading.Lock()
        self._session: Session | None = None
        #: Why nobody logs in again: a further attempt could lock the account.
        self._refused: Failure | None = None

    def wait_for(self, message_id: str, observe: Observer) -> Receipt:
        """Return how a message arrived, once it has.

        Args:
            message_id: the message's.
            observe: hears what is said for it.

        Raises:
            Failure: it did not arrive in time, or the mailbox cannot be read.
            SecretError: the mailbox's secret does not resolve here.
            NotPinnedError: the connection does not lead to where the secret may go.
        """
        deadline = Deadline(self._patience)
        pauses = iter(PAUSES)
        pause = next(pauses)
        while (header := self._look(message_id, deadline, observe)) is None:
            left = deadline.remaining()
            if left <= LAST_LOOK:
                raise Failure(
                    Kind.NOT_RECEIVED,
                    msg(
                        "the message is not in the mailbox `{mailbox}` after {seconds} s",
                        mailbox=self._account.operator.username,
                        seconds=self._patience,
                    ),
                )
            if self._stopped.wait(min(pause, left - LAST_LOOK)):
                raise Failure(Kind.ABORTED, msg("stopped"))
            pause = next(pauses, pause)
        return Receipt.parse(header)

    def abort(self) -> None:
        """End all waits, now and from now on, and close the session."""
        self._stopped.set()
        self._tokens.abort()
        session = self._session
        if session is not None:
            session.abort()

    def close(self) -> None:
        """Close the session; nobody waits any more."""
        with self._turn:
            self._hang_up()

    # --- how it works

    def _look(self, message_id: str, deadline: Deadline, observe: Observer) -> bytes | None:
        with self._taking_turns(deadline):
            try:
                session = self._logged_in(deadline, observe)
                session.observe = observe
                return session.find(message_id, deadline)
            except (Failure, OpsmailError):
                self._hang_up()
                raise

    def _logged_in(self, deadline: Deadline, observe: Observer) -> Session:
        if self._session is not None:
            return self._session
        if self._refused is not None:
            raise again(self._refused)
        session = self._session = self._open()
        session.observe = observe
        if self._stopped.is_set():
            session.abort()
        session.connect(deadline)
        require_probe_peer(session, self._account, self._settings)
        login = self._login(deadline)
        try:
            session.log_in(login, deadline)
        except Failure as failure:
            self._refused = again(failure)
            raise
        return session

    def _login(self, deadline: Deadline) -> Credentials | BearerCredentials:
        account = self._account.operator
        username = account.username or ""
        if isinstance(account.authentication, ModernAuthentication):
            return BearerCredentials(username, self._tokens.fetch(self._account, deadline).token)
        ((_, reference),) = account.references()
        return Credentials(username, password(self._secrets.resolve(reference), reference))

    def _hang_up(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    @contextmanager
    def _taking_turns(self, deadline: Deadline) -> Iterator[None]:
        # Whoever has the turn has a deadline too, and gives it up at once when all are stopped.
        if not self._turn.acquire(timeout=deadline.remaining()):
            raise timed_out()
        try:
            yield
        finally:
            self._turn.release()
