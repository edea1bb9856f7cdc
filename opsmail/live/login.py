"""A person's sign-in for an operator: a device code now, and the refresh token for later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from opsmail.errors import UnavailableError
from opsmail.mail.diagnosis import ReplyTable
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import Failure, Stage
from opsmail.mail.oauth.client import Client
from opsmail.mail.oauth.proxy import Proxy
from opsmail.mail.oauth.signin import DevicePrompt, SignIn
from opsmail.mail.oauth.tokens import Access
from opsmail.mail.tls import TrustStores
from opsmail.mail.transport import Deadline
from opsmail.messages import msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import Delegated
from opsmail.secrets import Secrets
from opsmail.values import dataclass

#: How long one answer of the identity provider is waited for, in seconds.
PATIENCE = 30
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Login:
    """A sign-in that has begun.

    Args:
        effective: for whom.
        access: how the identity provider is asked.
        signing: what is asked.
        prompt: what the person has to be told.
    """

    effective: EffectiveOperator
    access: Access
    signing: SignIn
    prompt: DevicePrompt

    @classmethod
    def begin(cls, effective: EffectiveOperator, secrets: Secrets, proxy: Proxy | None = None) -> Login:
        """Ask for a device code.

        Args:
            effective: an operator with the credential `delegated`, approved as it is.
            secrets: keep the refresh token.
            proxy: the way to the identity provider; None for the straight one.

        Raises:
            UnavailableError: there is none, or the place for the refresh token cannot be written.
        """
        client = Client.of(effective)
        credential = client.credential
        if not isinstance(credential, Delegated):
            raise TypeError(credential.kind)
        # Before anybody is sent to a browser in vain.
        secrets.writable(credential.token_cache)
        access = Access.to(client, secrets, TrustStores(), threading.Event(), proxy=proxy)
        access.http.deadline = Deadline(PATIENCE)

        def ask() -> tuple[SignIn, DevicePrompt]:
            signing = SignIn(client, credential, secrets, access.http)
            return signing, signing.begin()

        signing, prompt = _told(ask, effective)
        return cls(effective, access, signing, prompt)

    def finish(self) -> str | None:
        """Wait for the person, keep the refresh token, and return who signed in, None where that is not told.

        Raises:
            UnavailableError: nobody signed in, the token is none for SMTP, or it cannot be kept.
        """

        def ask() -> Mapping[str, Any]:
            self.access.http.deadline = Deadline(PATIENCE)
            answer = self.signing.finish(self.access.http)
            self.access.accepted(answer, datetime.now(UTC))
            return answer

        answer = _told(ask, self.effective)
        self.signing.keep()
        claims = answer.get("id_token_claims")
        account = claims.get("preferred_username") if isinstance(claims, dict) else None
        return account if isinstance(account, str) else None


def _told(ask: Callable[[], T], effective: EffectiveOperator) -> T:
    """Return what `ask` returns; a failure is told as a live test tells it."""
    try:
        return ask()
    except Failure as failure:
        error = failure.at(Stage.TOKEN)
    endpoint = Endpoint.of(effective)
    diagnosis = ReplyTable.load().diagnose(error, endpoint)
    told = error.oauth
    told_id = f" (correlation id {told.correlation_id})" if told is not None and told.correlation_id else ""
    raise UnavailableError(
        msg("nobody is signed in: {cause}{id}", cause=diagnosis.cause, id=told_id), hint=diagnosis.remedy
    )
