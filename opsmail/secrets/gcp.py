"""`gcp-secretmanager://project/name`: the newest version of a secret in Google Cloud Secret Manager.

Who asks is found as Google's own tools find it (application default credentials).
Source: https://cloud.google.com/docs/authentication/application-default-credentials
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound, ServerError, Unauthorized
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import AuthorizedSession
from google.cloud.secretmanager import SecretManagerServiceClient
from requests.exceptions import RequestException

from opsmail.messages import Message, msg
from opsmail.references import SecretReference
from opsmail.secrets.http import TIMEOUT
from opsmail.secrets.interface import Secret, SecretError, not_resolved

_PLACE = re.compile(r"([a-z][a-z0-9-]{4,28}[a-z0-9]|[0-9]{1,19})/([A-Za-z0-9_-]{1,255})")
_REASONS: Mapping[type[Exception], tuple[Message, Message]] = {
    NotFound: (
        msg("the project has no such secret, or it has no enabled version"),
        msg("correct the name: `gcp-secretmanager://project/name`"),
    ),
    Forbidden: (
        msg("Google denies this login the secret"),
        msg("give it the role `roles/secretmanager.secretAccessor` on the secret"),
    ),
    Unauthorized: (
        msg("Google does not know who asks"),
        msg("log in anew: `gcloud auth application-default login`"),
    ),
}


class GcpSecrets:
    """Secrets of Google Cloud projects.

    Args:
        client: logged in.
    """

    def __init__(self, client: SecretManagerServiceClient) -> None:
        self._client = client

    def resolve(self, reference: SecretReference) -> Secret:
        """Return the secret's newest version."""
        place = _PLACE.fullmatch(reference.locator)
        if place is None or reference.field is not None:
            raise not_resolved(
                reference,
                msg("it does not name a project and a secret"),
                msg("write `gcp-secretmanager://project/name`"),
            )
        secret = _text(self._read(f"projects/{place[1]}/secrets/{place[2]}/versions/latest", reference))
        if secret is None:
            raise not_resolved(reference, msg("it is no UTF-8 text"), msg("store it anew, as text"))
        return secret

    def _read(self, name: str, reference: SecretReference) -> bytes:
        try:
            answer = self._client.access_secret_version(name=name, timeout=sum(TIMEOUT), retry=None)
        except (GoogleAPICallError, GoogleAuthError, RequestException) as error:
            unreachable = isinstance(error, RequestException | ServerError | TransportError)
            raise not_resolved(reference, *_reason(error), unreachable=unreachable) from None
        return answer.payload.data


def open_store() -> GcpSecrets:
    """Return the secrets that this machine's login may read."""
    try:
        client = SecretManagerServiceClient(transport="rest")
    except DefaultCredentialsError:
        raise SecretError(
            msg("nothing here says who asks Google"),
            hint=msg(
                "let the CI's identity stand for a service account, or run `gcloud auth application-default login`"
            ),
        ) from None
    return GcpSecrets(strict(client))


def strict(client: SecretManagerServiceClient) -> SecretManagerServiceClient:
    """Return `client`, which from now on takes no proxy or certificate from the environment and follows no redirect."""
    session: AuthorizedSession = vars(client.transport)[
        "_session"
    ]  # the library makes it, and offers no other way to it
    session.trust_env = False
    session.max_redirects = 0
    return client


def _text(content: bytes) -> Secret | None:
    try:
        return Secret(content.decode("utf-8"))
    except UnicodeDecodeError:
        return None


def _reason(error: Exception) -> tuple[Message, Message]:
    otherwise = (
        msg("Google failed with {kind}", kind=type(error).__name__),
        msg("see whether Google can be reached from here"),
    )
    return next((reason for kind, reason in _REASONS.items() if isinstance(error, kind)), otherwise)
