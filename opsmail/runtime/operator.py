"""One published operator, and sending with it: the same transport as the test send."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from functools import partial

from opsmail.errors import RefusedError
from opsmail.mail.content import recipients as addressed_to
from opsmail.mail.endpoint import BearerCredentials, Credentials, Endpoint
from opsmail.mail.failure import StageError
from opsmail.mail.oauth.tokens import Tokens
from opsmail.mail.reply import Reply
from opsmail.mail.submission import Deadlines, Submission
from opsmail.mail.tls import TrustStores
from opsmail.messages import msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import BasicAuthentication, ModernAuthentication, NoAuthentication, Operator, Role
from opsmail.references import SecretReference
from opsmail.runtime.message import prepared, sender_domain
from opsmail.secrets import Secret, Secrets, password

#: RFC 4954 section 6: the credentials are not valid.
_BAD_CREDENTIALS = 535


class OperatorDisabledError(RefusedError):
    """The operator is published and switched off."""


class SecretCache:
    """Secrets by reference: a vault is not asked for every message. An entry goes when a server refuses it."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._known: dict[SecretReference, Secret] = {}
        self._lock = threading.Lock()

    def password(self, reference: SecretReference) -> Secret:
        """Return the password that `reference` names."""
        with self._lock:
            known = self._known.get(reference)
        if known is None:
            known = password(self._secrets.resolve(reference), reference)
            with self._lock:
                self._known[reference] = known
        return known

    def forget(self, reference: SecretReference) -> None:
        """Ask anew the next time."""
        with self._lock:
            self._known.pop(reference, None)


@dataclass(frozen=True, slots=True)
class Means:
    """What all operators of a reader send with.

    Args:
        trust: TLS contexts.
        passwords: where passwords come from.
        tokens: where access tokens come from.
    """

    trust: TrustStores
    passwords: SecretCache
    tokens: Tokens

    @classmethod
    def of(cls, secrets: Secrets) -> Means:
        """Return means whose secrets resolve by `secrets`."""
        trust = TrustStores()
        return cls(trust, SecretCache(secrets), Tokens(secrets, trust))


class PublishedOperator:
    """An operator as it is published.

    Args:
        effective: the published document.
        generation: the number it was read from.
        means: shared by all operators.
    """

    def __init__(self, effective: EffectiveOperator, generation: int, means: Means) -> None:
        self._effective = effective
        self._means = means
        #: The number of the generation it was read from.
        self.generation = generation

    @property
    def settings(self) -> Operator:
        """Every field of the operator's file."""
        return self._effective.operator

    @property
    def is_master(self) -> bool:
        """Whether the scheduler sends with it."""
        return self.settings.role is Role.MASTER

    def send(
        self,
        message: EmailMessage,
        recipients: Sequence[str] | None = None,
        *,
        deadlines: Deadlines | None = None,
    ) -> Reply:
        """Send a message as this operator and return the server's reply, which accepts it and promises no delivery.

        Args:
            message: its `From` is set when it is missing, and must be the operator's sender otherwise; `Bcc` is not
                sent. It is not changed.
            recipients: bare addresses; those of `To`, `Cc` and `Bcc` when left out.
            deadlines: how long each stage may take.

        Raises:
            OperatorDisabledError: the operator is switched off.
            RefusedError: the message is from somebody else, or has no recipient.
            SecretError: the password, or what a token is asked for with, cannot be had here.
            StageError: a stage failed; `outcome_unknown` says that the message may have been taken.
        """
        operator = self.settings
        self._require_usable()
        to = addressed_to(message) if recipients is None else tuple(recipients)
        if not to:
            raise RefusedError(msg("the message has no recipient"), hint=msg("set `To`, or pass recipients"))
        outgoing = prepared(message, operator.sender)
        endpoint, name = Endpoint.of(self._effective), sender_domain(operator.sender)
        with Submission(endpoint, self._means.trust, deadlines or Deadlines(), client_name=name) as submission:
            submission.resolve()
            submission.connect()
            submission.secure()
            self._log_in(submission)
            reply = submission.deliver(outgoing, operator.sender.address, to)
            submission.quit()
        return reply

    def _require_usable(self) -> None:
        operator = self.settings
        if not operator.enabled:
            raise OperatorDisabledError(
                msg("the operator `{operator}` is switched off", operator=operator.operator),
                hint=msg("publish it with `enabled: true`, or use another operator"),
            )

    def _log_in(self, submission: Submission) -> None:
        authentication = self.settings.authentication
        if isinstance(authentication, NoAuthentication):
            return
        # The password or token is asked for only now: the server has shown who it is.
        try:
            submission.authenticate(self._credentials(authentication, submission))
        except StageError as error:
            if error.reply is not None and error.reply.code == _BAD_CREDENTIALS:
                self._forget(authentication)
            raise

    def _credentials(
        self, authentication: BasicAuthentication | ModernAuthentication, submission: Submission
    ) -> Credentials | BearerCredentials:
        if isinstance(authentication, BasicAuthentication):
            return Credentials(authentication.username, self._means.passwords.password(authentication.password))
        token = submission.obtain(partial(self._means.tokens.fetch, self._effective))
        return BearerCredentials(authentication.username, token.token)

    def _forget(self, authentication: BasicAuthentication | ModernAuthentication) -> None:
        if isinstance(authentication, BasicAuthentication):
            self._means.passwords.forget(authentication.password)
        else:
            self._means.tokens.forget(self._effective)
