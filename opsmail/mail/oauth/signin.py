"""A person's sign-in (`delegated`): once, by device code (RFC 8628), then by the refresh token that came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from opsmail.mail.failure import Failure, Kind
from opsmail.mail.oauth.client import Client
from opsmail.mail.oauth.http import PinnedHttp
from opsmail.mail.oauth.library import understood
from opsmail.mail.transport import Deadline
from opsmail.messages import Message, msg
from opsmail.operator.model import Delegated
from opsmail.secrets import Secret, SecretError, Secrets
from opsmail.values import dataclass

#: How long a device code is waited for at most, in seconds, whatever the identity provider says.
PATIENCE = 900
_AGAIN = msg("sign in with `opsmail login OPERATOR`")


@dataclass(frozen=True, slots=True)
class DevicePrompt:
    """What a person needs to sign in.

    Args:
        uri: where to go, with any device.
        code: what to enter there; whoever learns it can have the sign-in for himself.
        seconds: for so long.
    """

    uri: str
    code: Secret
    seconds: int


class SignIn:
    """The sign-in of one operator, with its tokens in a secret place.

    Args:
        client: who asks.
        credential: names the place.
        secrets: reads and writes it.
        http: the way to the identity provider.
        kept: what the place holds; None before the first sign-in.
    """

    def __init__(
        self, client: Client, credential: Delegated, secrets: Secrets, http: PinnedHttp, kept: Secret | None = None
    ) -> None:
        from msal import PublicClientApplication

        self._place = credential.token_cache
        self._secrets = secrets
        self._scopes = [client.provider.facts.delegated]
        self._cache = _opened(kept)
        if self._cache is None:
            raise _not_signed_in(msg("what `{place}` gives is no token cache", place=self._place))
        self._msal = understood(
            lambda: PublicClientApplication(
                client.client_id,
                authority=client.provider.url,
                instance_discovery=False,
                http_client=http,
                token_cache=self._cache,
            )
        )
        self._flow: dict[str, Any] = {}

    @classmethod
    def resume(cls, client: Client, credential: Delegated, secrets: Secrets, http: PinnedHttp) -> SignIn:
        """Return the sign-in that was made before.

        Raises:
            SecretError: there is none.
        """
        try:
            kept = secrets.resolve(credential.token_cache)
        except SecretError as error:
            raise SecretError(error.message, hint=_AGAIN) from None
        return cls(client, credential, secrets, http, kept)

    def token(self, http: PinnedHttp) -> Mapping[str, Any]:
        """Return a token of the person who signed in, by the refresh token where the last one has ended."""
        accounts = self._msal.get_accounts()
        if not accounts:
            raise _not_signed_in(msg("nobody has signed in at `{place}`", place=self._place))
        answer: Mapping[str, Any] | None = understood(
            lambda: self._msal.acquire_token_silent_with_error(self._scopes, accounts[0])
        )
        if answer is None:
            raise _not_signed_in(msg("what is kept at `{place}` gives no token any more", place=self._place))
        self._keep()
        return answer

    def begin(self) -> DevicePrompt:
        """Ask for a device code and return what the person has to be told."""
        self._flow = understood(lambda: self._msal.initiate_device_flow(self._scopes))
        uri, code = (self._flow.get(name) for name in ("verification_uri", "user_code"))
        if not isinstance(uri, str) or not uri.startswith("https://") or not isinstance(code, str):
            raise Failure(
                Kind.IDENTITY_PROVIDER_FAILED, msg("no token from the identity provider: it gave no device code")
            )
        seconds = min(max(int(self._flow["expires_in"]), 0), PATIENCE)
        self._flow["expires_at"] = time.time() + seconds
        return DevicePrompt(uri, Secret(code), seconds)

    def finish(self, http: PinnedHttp) -> Mapping[str, Any]:
        """Wait until the person has signed in, and return the identity provider's answer; nothing is kept yet."""
        http.deadline = Deadline(self._flow["expires_at"] - time.time() + http.deadline.remaining())
        return understood(lambda: self._msal.acquire_token_by_device_flow(self._flow))

    def keep(self) -> None:
        """Keep the refresh token.

        Raises:
            SecretError: the place cannot be written.
        """
        self._keep()

    def _keep(self) -> None:
        if self._cache.has_state_changed:
            self._secrets.keep(self._place, Secret(self._cache.serialize()))


def _opened(kept: Secret | None) -> Any:
    """Return MSAL's cache with what was kept, None where that is no such thing."""
    from msal import SerializableTokenCache

    cache = SerializableTokenCache()
    if kept is not None:
        try:
            cache.deserialize(kept.reveal())
            # Whatever JSON it is: this is how MSAL looks into it.
            list(cache.search(cache.CredentialType.REFRESH_TOKEN))
        except (ValueError, TypeError, AttributeError, RecursionError):
            return None
    return cache


def _not_signed_in(reason: Message) -> Failure:
    return Failure(Kind.NOT_SIGNED_IN, reason)
