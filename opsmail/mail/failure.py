"""How a submission fails: at which stage, in which way, and what the server said."""

from __future__ import annotations

from enum import StrEnum

from opsmail.errors import OpsmailError
from opsmail.mail.oauth.answers import OAuthError
from opsmail.mail.peer import TlsFacts
from opsmail.mail.reply import Reply
from opsmail.messages import Message, msg


class Stage(StrEnum):
    """The steps of a test send, in their order."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    TOKEN = "token"  # noqa: S105 (the name of a stage)
    AUTHENTICATE = "authenticate"
    ENVELOPE = "envelope"
    SEND = "send"
    RECEIPT = "receipt"


class Kind(StrEnum):
    """How a stage fails. `REPLY` is a refusal in the server's own words; all others are seen from outside."""

    INVALID_HOST = "invalid-host"
    NAME_NOT_RESOLVED = "name-not-resolved"
    RESOLVER_FAILED = "resolver-failed"
    ADDRESS_NOT_ALLOWED = "address-not-allowed"
    CONNECTION_REFUSED = "connection-refused"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed-out"
    DISCONNECTED = "disconnected"
    ABORTED = "aborted"
    NOT_SMTP = "not-smtp"
    WRONG_TLS_MODE = "wrong-tls-mode"
    STARTTLS_MISSING = "starttls-missing"
    TLS_INJECTION = "tls-injection"
    TLS_TOO_OLD = "tls-too-old"
    TLS_FAILED = "tls-failed"
    NOT_TLS = "not-tls"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NOT_YET_VALID = "certificate-not-yet-valid"
    CERTIFICATE_WRONG_NAME = "certificate-wrong-name"
    CERTIFICATE_UNTRUSTED = "certificate-untrusted"
    CERTIFICATE_WEAK = "certificate-weak"
    NO_AUTHENTICATION = "no-authentication"
    NO_COMMON_MECHANISM = "no-common-mechanism"
    INVALID_CREDENTIALS = "invalid-credentials"
    INVALID_SENDER = "invalid-sender"
    INVALID_RECIPIENT = "invalid-recipient"
    INVALID_MESSAGE = "invalid-message"
    SMTPUTF8_MISSING = "smtputf8-missing"
    MESSAGE_TOO_LARGE = "message-too-large"
    OAUTH_ERROR = "oauth-error"
    IDENTITY_PROVIDER_FAILED = "identity-provider-failed"
    FOREIGN_ENDPOINT = "foreign-endpoint"
    IDENTITY_TOKEN_MISSING = "identity-token-missing"  # noqa: S105 (a way of failing)
    IDENTITY_TOKEN_REFUSED = "identity-token-refused"  # noqa: S105 (as above)
    NO_MACHINE_IDENTITY = "no-machine-identity"
    NOT_SIGNED_IN = "not-signed-in"
    TOKEN_MALFORMED = "token-malformed"  # noqa: S105 (as above)
    TOKEN_WRONG_AUDIENCE = "token-wrong-audience"  # noqa: S105 (as above)
    TOKEN_MISSING_ROLE = "token-missing-role"  # noqa: S105 (as above)
    TOKEN_WRONG_TENANT = "token-wrong-tenant"  # noqa: S105 (as above)
    TOKEN_NOT_VALID_NOW = "token-not-valid-now"  # noqa: S105 (as above)
    PROTOCOL_ERROR = "protocol-error"
    MAILBOX_REFUSED = "mailbox-refused"
    NOT_RECEIVED = "not-received"
    SENDER_REWRITTEN = "sender-rewritten"
    REPLY = "reply"


class StageError(OpsmailError):
    """A stage that failed.

    Args:
        stage: where.
        kind: in which way.
        detail: what happened there, in one sentence; no secret in it.
        reply: what the server said, secrets already taken out; None where it said nothing.
        command: the command that the reply answers, such as `RCPT`.
        tls: what was seen of a certificate that was refused.
        oauth: the identity provider's refusal; None where it gave none.
        outcome_unknown: the message was handed over whole and the answer was lost: the server may have taken it, so it
            must not be sent again automatically.
    """

    def __init__(
        self,
        stage: Stage,
        kind: Kind,
        detail: Message,
        *,
        reply: Reply | None = None,
        command: str | None = None,
        tls: TlsFacts | None = None,
        oauth: OAuthError | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(msg("{stage}: {detail}", stage=stage.value, detail=detail))
        self.stage = stage
        self.kind = kind
        self.detail = detail
        self.reply = reply
        self.command = command
        self.tls = tls
        self.oauth = oauth
        self.outcome_unknown = outcome_unknown


class StageTimeoutError(StageError, TimeoutError):
    """A stage that did not end in its time."""


class StageDisconnectedError(StageError, ConnectionError):
    """A stage that ended because there was no connection, or no longer one."""


_CONNECTION_KINDS = frozenset({Kind.CONNECTION_REFUSED, Kind.UNREACHABLE, Kind.DISCONNECTED, Kind.ABORTED})


class Failure(Exception):  # noqa: N818 (it becomes an error where its stage is known)
    """What the parts below `Submission` raise: a failure that does not know its stage yet.

    Args:
        kind: in which way.
        detail: what happened, in one sentence.
        tls: what was seen of a certificate that was refused.
        oauth: the identity provider's refusal.
    """

    def __init__(
        self, kind: Kind, detail: Message, *, tls: TlsFacts | None = None, oauth: OAuthError | None = None
    ) -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail
        self.tls = tls
        self.oauth = oauth

    def at(self, stage: Stage, *, outcome_unknown: bool = False) -> StageError:
        """Return the error of this failure at `stage`, of the class that is also its standard twin."""
        if self.kind is Kind.TIMED_OUT:
            family: type[StageError] = StageTimeoutError
        elif self.kind in _CONNECTION_KINDS:
            family = StageDisconnectedError
        else:
            family = StageError
        return family(stage, self.kind, self.detail, tls=self.tls, oauth=self.oauth, outcome_unknown=outcome_unknown)
