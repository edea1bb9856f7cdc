"""One submission to one server, stage by stage: the live test drives it step by step, the runtime reader in one go."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Sequence
from email.message import EmailMessage
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from opsmail.addresses import AddressError, parse_address
from opsmail.errors import RefusedError
from opsmail.mail import sasl
from opsmail.mail.capabilities import mechanisms
from opsmail.mail.content import Content, write_out
from opsmail.mail.destination import Lookup, SocketAddress, canonical_host, locate
from opsmail.mail.endpoint import BearerCredentials, Credentials, Encryption, Endpoint
from opsmail.mail.events import Challenged
from opsmail.mail.failure import Failure, Kind, Stage, StageError
from opsmail.mail.peer import TlsFacts
from opsmail.mail.protocol import NEUTRAL_NAME, SubmissionProtocol
from opsmail.mail.redaction import Redactor
from opsmail.mail.reply import Reply
from opsmail.mail.stage import StageTurn
from opsmail.mail.tls import TrustStores
from opsmail.mail.transcript import Line, Observer
from opsmail.mail.transport import Clock, Deadline, Transport
from opsmail.messages import msg
from opsmail.values import dataclass

T = TypeVar("T")

#: Ports on which TLS begins with the first byte: a server there waits for it, in silence.
IMPLICIT_TLS_PORTS = frozenset({465, 2465})


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each stage and everything together may take, in seconds, whatever the server does meanwhile."""

    resolve: float = 10
    connect: float = 15
    tls: float = 15
    token: float = 30
    authenticate: float = 30
    envelope: float = 30
    send: float = 60
    quit: float = 2
    total: float = 120


@dataclass(frozen=True, slots=True)
class Authenticated:
    """How the login went.

    Args:
        mechanism: the SASL mechanism that was used.
        reply: the server's answer.
    """

    mechanism: str
    reply: Reply


class Submission:
    """A conversation: `resolve`, `connect`, `secure`, `authenticate`, `envelope`, `send`, `quit`, in this order.

    `obtain` comes before `authenticate` where the login needs a token.

    Every method raises `StageError` when its stage fails; the conversation is over then, and `close` is all that
    remains. Nothing is retried here. With implicit TLS the server's banner comes inside TLS, so there it belongs to
    `secure`.

    Args:
        endpoint: the server.
        trust: holds the TLS contexts; share one among all submissions.
        deadlines: counted from each stage's start; the total from the construction.
        client_name: what EHLO says. The sender's domain is best: public anyway, and taken by servers that turn address
            literals away.
        lookup: stands in for `socket.getaddrinfo`.
        observer: hears what is said, without secrets.
        clock: monotonic, in seconds.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        trust: TrustStores,
        deadlines: Deadlines = Deadlines(),
        *,
        client_name: str = NEUTRAL_NAME,
        lookup: Lookup | None = None,
        observer: Observer | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.endpoint = endpoint
        self._trust = trust
        self._deadlines = deadlines
        self._lookup = lookup
        self._observe: Observer = observer or _nobody
        self._clock = clock
        self._total = Deadline(deadlines.total, clock)
        self._transport = Transport()
        try:
            self._protocol = SubmissionProtocol(client_name)
        except AddressError as error:
            raise Failure(Kind.INVALID_HOST, error.message).at(Stage.CONNECT) from None
        self._addresses: tuple[SocketAddress, ...] = ()
        self._prepared: tuple[EmailMessage | Content, Content] | None = None
        #: The address that answered.
        self.peer: SocketAddress | None = None
        #: The error that the server told inside a bearer exchange, as JSON.
        self.authentication_error: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- stages

    def resolve(self) -> tuple[SocketAddress, ...]:
        """Find the addresses to connect to, every one of them judged, or take the one that the catalogue gives."""
        with self._stage(Stage.RESOLVE, self._deadlines.resolve) as stage:
            self._addresses = locate(self.endpoint, stage.deadline.remaining(), self._lookup, self._transport.aborted)
        return self._addresses

    def connect(self) -> None:
        """Open the TCP connection and, unless TLS comes first, hear the banner and what the server can do."""
        with self._stage(Stage.CONNECT, self._deadlines.connect) as stage:
            self.peer = self._transport.connect(self._addresses, stage.deadline)
            self._observe(Line("*", f"connected to {self.peer}"))
            if self.endpoint.encryption is not Encryption.IMPLICIT_TLS:
                self._greet(stage)

    def secure(self) -> TlsFacts | None:
        """Make the connection a verified TLS session and return its facts; None for an endpoint without encryption."""
        if self.endpoint.encryption is Encryption.NONE:
            return None
        with self._stage(Stage.TLS, self._deadlines.tls) as stage:
            if self.endpoint.encryption is Encryption.STARTTLS:
                if "STARTTLS" not in self._protocol.capabilities:
                    raise Failure(Kind.STARTTLS_MISSING, msg("the server does not offer STARTTLS"))
                stage.ask(self._protocol.starttls)
            facts = self._handshake(stage)
            if self.endpoint.encryption is Encryption.IMPLICIT_TLS:
                self._greet(stage)
            else:
                stage.ask(self._protocol.ehlo)
            return facts

    def _handshake(self, stage: StageTurn) -> TlsFacts:
        context = self._trust.context(self.endpoint.ca, self.endpoint.minimum_tls)
        try:
            facts = self._transport.start_tls(context, canonical_host(self.endpoint.host), stage.deadline)
        except Failure as failure:
            if failure.kind is Kind.WRONG_TLS_MODE and self.endpoint.encryption is Encryption.STARTTLS:
                raise Failure(
                    Kind.TLS_INJECTION, msg("the server's answer to STARTTLS was followed by more, still in clear")
                ) from None
            raise
        self._protocol.secured()
        self._observe(Line("*", f"{facts.version} {facts.cipher}"))
        return facts

    def obtain(self, fetch: Callable[[Deadline], T]) -> T:
        """Return what `fetch` gets for the login, an access token, while the connection waits.

        Args:
            fetch: takes the deadline of this stage, and raises `Failure` where there is nothing.
        """
        with self._stage(Stage.TOKEN, self._deadlines.token) as stage:
            return fetch(stage.deadline)

    def authenticate(self, credentials: Credentials | BearerCredentials) -> Authenticated:
        """Log in, once, with one mechanism.

        Raises:
            RefusedError: the connection is not protected by verified TLS; nothing was sent.
            StageError: the server refused, or offers no mechanism for these credentials.
        """
        if not self._protocol.secure:
            raise RefusedError(msg("credentials are sent over verified TLS only"))
        with self._stage(Stage.AUTHENTICATE, self._deadlines.authenticate) as stage:
            sasl.check(credentials)
            offered = mechanisms(self._protocol.capabilities)
            if not offered:
                raise Failure(Kind.NO_AUTHENTICATION, msg("the server offers no authentication"))
            script = sasl.choose(offered, credentials)
            if script is None:
                raise Failure(
                    Kind.NO_COMMON_MECHANISM,
                    msg(
                        "the server offers {offered}, these credentials need {supported}",
                        offered=", ".join(sorted(offered)),
                        supported=" / ".join(sasl.supported(credentials)),
                    ),
                )
            self._protocol.redact_with(Redactor([sasl.secret_of(credentials)]))
            try:
                event = stage.exchange(partial(self._protocol.auth, script))
                while isinstance(event, Challenged):
                    event = stage.exchange(self._protocol.answer)
            finally:
                self.authentication_error = self._protocol.authentication_error
                if self.authentication_error is not None:
                    self._observe(Line("*", f"the server's reason: {self.authentication_error}"))
            return Authenticated(script.mechanism, stage.accepted(event))

    def envelope(self, sender: str, recipients: Sequence[str], message: EmailMessage | Content | None = None) -> None:
        """Name the sender and every recipient; one that is refused fails the stage, so a message goes to all or none.

        Args:
            sender: a bare address.
            recipients: bare addresses, at least one.
            message: what `send` will hand over, where it is known already: the server is told its size and what it
                needs.
        """
        self._prepared = None
        content = None
        if message is not None:
            content = _write_out(Stage.ENVELOPE, message, offered=self._protocol.capabilities)
            self._prepared = message, content
        with self._stage(Stage.ENVELOPE, self._deadlines.envelope) as stage:
            wide = _check_recipients(recipients)
            if content is None:
                stage.ask(partial(self._protocol.mail, sender, smtputf8=wide))
            else:
                wide = wide or content.smtputf8
                size = len(content.data)
                stage.ask(partial(self._protocol.mail, sender, size=size, smtputf8=wide, eight_bit=content.eight_bit))
            for recipient in recipients:
                stage.ask(partial(self._protocol.rcpt, recipient))

    def send(self, message: EmailMessage | Content) -> Reply:
        """Hand over `message` and return the server's reply, which accepts it and promises no delivery.

        A failure after the last byte has `outcome_unknown`: the server may have taken the message, so it must not be
        sent again automatically.

        Args:
            message: the one that `envelope` was given, if it was given one; it goes out as it was then.

        Raises:
            ValueError: it is another one.
        """
        if self._prepared is None:
            content = _write_out(Stage.SEND, message, offered=())
        elif self._prepared[0] is message:
            content = self._prepared[1]
        else:
            raise ValueError("the envelope was made for another message")
        self._prepared = None
        with self._stage(Stage.SEND, self._deadlines.send) as stage:
            stage.ask(self._protocol.data)
            stage.say(partial(self._protocol.content, content.data))
            stage.handed_over = True
            event = stage.hear()
            stage.handed_over = False
            return stage.accepted(event)

    def deliver(self, message: EmailMessage | Content, sender: str, recipients: Sequence[str]) -> Reply:
        """Make `envelope` and `send` in one go; may be called again for a further message."""
        self.envelope(sender, recipients, message)
        return self.send(message)

    def quit(self) -> bool:
        """Say goodbye, close, and return whether the server said it too; many close without, which changes nothing."""
        try:
            if not self._protocol.may_quit:
                return False
            with self._stage(Stage.SEND, self._deadlines.quit) as stage:
                stage.ask(self._protocol.quit)
            return True
        except StageError:
            return False
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection without a word."""
        self._transport.close()

    def abort(self) -> None:
        """End what another thread waits for here; it gets a `StageError` of kind `ABORTED` within a second."""
        self._transport.abort()

    def _stage(self, stage: Stage, seconds: float) -> StageTurn:
        return StageTurn(stage, self._total.within(seconds), self._transport, self._protocol, self._observe)

    def _greet(self, stage: StageTurn) -> None:
        try:
            stage.accepted(stage.hear())
        except Failure as failure:
            silent = failure.kind in (Kind.TIMED_OUT, Kind.DISCONNECTED) and not self._protocol.heard
            clear = not self._protocol.secure
            if silent and clear and self.endpoint.port in IMPLICIT_TLS_PORTS:
                raise Failure(
                    Kind.WRONG_TLS_MODE,
                    msg(
                        "the server says nothing; on port {port} it waits for TLS from the first byte",
                        port=self.endpoint.port,
                    ),
                ) from None
            raise
        stage.ask(self._protocol.ehlo)


def _write_out(stage: Stage, message: EmailMessage | Content, offered: Container[str]) -> Content:
    """Write a message out before the stage's time begins: a long one takes a while, which is not the server's doing."""
    if isinstance(message, Content):
        return message
    try:
        return write_out(message, smtputf8="SMTPUTF8" in offered, eight_bit="8BITMIME" in offered)
    except Failure as failure:
        raise failure.at(stage) from None


def _check_recipients(recipients: Sequence[str]) -> bool:
    """Refuse a list with a wrong address before the first command; return whether one of them needs SMTPUTF8."""
    if not recipients:
        raise Failure(Kind.INVALID_RECIPIENT, msg("there is no recipient"))
    try:
        addresses = [parse_address(recipient) for recipient in recipients]
    except AddressError as error:
        raise Failure(Kind.INVALID_RECIPIENT, error.message) from None
    return any(address.needs_smtputf8 for address in addresses)


def _nobody(line: Line) -> None:
    """The observer of a conversation that nobody watches."""
