"""MSAL's objects behind one interface: a way to a token for each kind of credential.

MSAL is imported where it is used, and told to look at nothing but what it is given: no instance discovery at another
host, no region from the environment, our own way to the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from opsmail.mail.failure import Failure, Kind
from opsmail.mail.oauth.assertion import IdentityTokens
from opsmail.mail.oauth.certificate import open_pfx
from opsmail.mail.oauth.client import Client
from opsmail.mail.oauth.http import PinnedHttp
from opsmail.mail.oauth.library import understood
from opsmail.mail.oauth.signin import SignIn
from opsmail.messages import msg
from opsmail.operator.model import Certificate, ClientSecret, Delegated, Federated, ManagedIdentity
from opsmail.secrets import Secrets, password

#: How long a machine's own identity service may take to accept a connection and answer, in seconds: it is on the
#: machine, and where there is none nothing may answer at all.
MACHINE_SECONDS = 5
_NOBODY_THERE = frozenset({Kind.TIMED_OUT, Kind.CONNECTION_REFUSED, Kind.UNREACHABLE, Kind.DISCONNECTED})


class Application(Protocol):
    """Something that gets tokens."""

    def token(self, http: PinnedHttp) -> Mapping[str, Any]:
        """Return what the identity provider answered, or a token that is still good.

        Raises:
            Failure: there is no answer that could be used.
            SecretError: a reference does not resolve.
        """
        ...


def open_application(client: Client, secrets: Secrets, http: PinnedHttp, tokens: IdentityTokens) -> Application:
    """Return the application of `client`, its credential read.

    Args:
        client: who asks.
        secrets: resolve its references.
        http: its way to the network, used for the provider's metadata already.
        tokens: where outside identity tokens come from.
    """
    credential = client.credential
    if isinstance(credential, ManagedIdentity):
        return _Machine(client, credential, http)
    if isinstance(credential, Delegated):
        return SignIn.resume(client, credential, secrets, http)
    return _Confidential(client, _proof(credential, secrets, http, tokens), http)


def _proof(
    credential: ClientSecret | Certificate | Federated, secrets: Secrets, http: PinnedHttp, tokens: IdentityTokens
) -> Any:
    """Return a credential in MSAL's form."""
    if isinstance(credential, ClientSecret):
        return password(secrets.resolve(credential.secret), credential.secret).reveal()
    if isinstance(credential, Certificate):
        pair = open_pfx(credential, secrets)
        return {"private_key": pair.key, "public_certificate": pair.certificate}
    return {"client_assertion": partial(_assertion, tokens, http)}


def _assertion(tokens: IdentityTokens, http: PinnedHttp) -> str:
    return tokens.take(http.deadline).reveal()


class _Confidential:
    """An application that proves itself."""

    def __init__(self, client: Client, proof: Any, http: PinnedHttp) -> None:
        from msal import ConfidentialClientApplication

        self._scopes = [f"{client.provider.facts.resource}/.default"]
        self._msal = understood(
            lambda: ConfidentialClientApplication(
                client.client_id,
                client_credential=proof,
                authority=client.provider.url,
                instance_discovery=False,
                azure_region=ConfidentialClientApplication.DISABLE_MSAL_FORCE_REGION,
                http_client=http,
            )
        )

    def token(self, http: PinnedHttp) -> Mapping[str, Any]:
        return understood(lambda: self._msal.acquire_token_for_client(self._scopes) or {})


class _Machine:
    """The identity of the Azure machine that this runs on."""

    def __init__(self, client: Client, credential: ManagedIdentity, http: PinnedHttp) -> None:
        from msal import ManagedIdentityClient, SystemAssignedManagedIdentity, UserAssignedManagedIdentity

        name = credential.client_id
        identity = SystemAssignedManagedIdentity() if name is None else UserAssignedManagedIdentity(client_id=name)
        self._resource = client.provider.facts.resource
        self._msal = ManagedIdentityClient(identity, http_client=http)

    def token(self, http: PinnedHttp) -> Mapping[str, Any]:
        http.deadline = http.deadline.within(MACHINE_SECONDS)
        try:
            return understood(lambda: self._msal.acquire_token_for_client(resource=self._resource) or {})
        except Failure as failure:
            if failure.kind not in _NOBODY_THERE:
                raise
            raise Failure(
                Kind.NO_MACHINE_IDENTITY,
                msg("this machine has no identity of its own: {reason}", reason=failure.detail),
            ) from None
