"""`vault://mount/path#field`: a field of a secret in HashiCorp Vault or OpenBao, key/value store version 2.

Where it is and how to log in is said by the variables that Vault's own tools read: `VAULT_ADDR`, `VAULT_NAMESPACE`,
`VAULT_CACERT`, and of these the first that is set: `VAULT_TOKEN`; `VAULT_ROLE_ID` with `VAULT_SECRET_ID` (AppRole);
`VAULT_AUTH_ROLE` with `VAULT_ID_TOKEN`, the CI's identity token (JWT), as GitLab names them. Without `VAULT_ID_TOKEN`
the CI system is asked for one that is made out for `VAULT_ADDR`: GitHub gives it to jobs with `id-token: write`.
Sources: https://developer.hashicorp.com/vault/docs/commands#environment-variables,
https://docs.gitlab.com/ci/secrets/hashicorp_vault/
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import hvac
from hvac import exceptions

from opsmail.messages import Message, msg
from opsmail.references import SecretReference
from opsmail.secrets.http import BoundedSession
from opsmail.secrets.interface import Secret, SecretError, SecretStoreUnreachable, not_resolved

_REASONS: Mapping[type[Exception], tuple[Message, Message]] = {
    exceptions.Forbidden: (
        msg("Vault denies this login the secret"),
        msg("give its policy the capability `read` on the secret, or renew the login"),
    ),
    exceptions.InvalidPath: (msg("Vault has no such secret"), msg("correct the path: `vault://mount/path#field`")),
    exceptions.VaultDown: (msg("Vault is sealed"), msg("have it unsealed")),
}
#: It is there and cannot answer.
_DOWN = (exceptions.VaultDown, exceptions.InternalServerError, exceptions.BadGateway)


class VaultSecrets:
    """Secrets of one Vault.

    Args:
        client: logged in.
    """

    def __init__(self, client: hvac.Client) -> None:
        self._client = client

    def resolve(self, reference: SecretReference) -> Secret:
        """Return the field of the secret's newest version."""
        mount, separator, path = reference.locator.partition("/")
        if not (mount and separator and path and reference.field):
            raise not_resolved(
                reference, msg("it does not name a mount, a path and a field"), msg("write `vault://mount/path#field`")
            )
        return _field(self._read(reference, mount, path), reference)

    def _read(self, reference: SecretReference, mount: str, path: str) -> object:
        try:
            answer = self._client.secrets.kv.v2.read_secret_version(
                path=path, mount_point=mount, raise_on_deleted_version=True
            )
        except exceptions.VaultError as error:
            raise not_resolved(reference, *_reason(error), unreachable=isinstance(error, _DOWN)) from None
        return answer["data"]["data"]


def open_store(environment: Mapping[str, str] = os.environ) -> VaultSecrets:
    """Return the Vault that the environment names, logged in.

    Args:
        environment: the variables.
    """
    client = hvac.Client(
        url=_address(environment),
        namespace=environment.get("VAULT_NAMESPACE") or None,
        session=BoundedSession(environment.get("VAULT_CACERT")),
        allow_redirects=False,
    )
    # Otherwise it is taken from the environment and from the home folder, before anything else.
    client.token = None
    try:
        _log_in(client, environment)
    except exceptions.VaultError as error:
        what, hint = _reason(error)
        kind = SecretStoreUnreachable if isinstance(error, _DOWN) else SecretError
        raise kind(msg("logging in to Vault failed: {reason}", reason=what), hint=hint) from None
    return VaultSecrets(client)


def _address(environment: Mapping[str, str]) -> str:
    address = environment.get("VAULT_ADDR", "")
    parts = urlsplit(address)
    if not parts.hostname or parts.username is not None or not _protected(parts.scheme, parts.hostname):
        raise SecretError(
            msg("VAULT_ADDR does not name a Vault that is reached over TLS"),
            hint=msg("set it, for example to `https://vault.empresa.com.br:8200`"),
        )
    return address


def _protected(scheme: str, host: str) -> bool:
    """Whether what is sent there cannot be read on the way: TLS, or an agent on this machine."""
    if scheme == "https":
        return True
    try:
        return scheme == "http" and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _log_in(client: hvac.Client, environment: Mapping[str, str]) -> None:
    if environment.get("VAULT_TOKEN"):
        client.token = environment["VAULT_TOKEN"]
    elif environment.get("VAULT_ROLE_ID") and environment.get("VAULT_SECRET_ID"):
        client.auth.approle.login(environment["VAULT_ROLE_ID"], environment["VAULT_SECRET_ID"])
    elif environment.get("VAULT_AUTH_ROLE") and (token := _identity_token(environment)):
        path = environment.get("VAULT_AUTH_PATH") or "jwt"
        client.auth.jwt.jwt_login(environment["VAULT_AUTH_ROLE"], token, path=path)
    else:
        raise SecretError(
            msg("nothing here says how to log in to Vault"),
            hint=msg("set VAULT_TOKEN, or VAULT_ROLE_ID with VAULT_SECRET_ID, or VAULT_AUTH_ROLE with VAULT_ID_TOKEN"),
        )


def _identity_token(environment: Mapping[str, str]) -> str | None:
    """Return the identity token that was given, or one that the CI system gives; None where neither is."""
    if environment.get("VAULT_ID_TOKEN"):
        return environment["VAULT_ID_TOKEN"]
    import id as identity  # only a login without a stored secret needs it

    try:
        return identity.detect_credential(environment["VAULT_ADDR"])
    except Exception as error:  # noqa: BLE001 - requests' and pydantic's errors come through as they are, with values in them
        kind = type(error).__name__
    raise SecretError(
        msg("the CI system gives no identity token to log in to Vault with ({kind})", kind=kind),
        hint=msg("on GitHub grant the job `permissions: id-token: write`, on GitLab set `id_tokens`"),
    )


def _reason(error: Exception) -> tuple[Message, Message]:
    otherwise = (
        msg("Vault answered with {kind}", kind=type(error).__name__),
        msg("look into Vault's audit log; nothing of its answer is shown here"),
    )
    return next((reason for kind, reason in _REASONS.items() if isinstance(error, kind)), otherwise)


def _field(data: object, reference: SecretReference) -> Secret:
    value = data.get(reference.field) if isinstance(data, Mapping) else None
    if isinstance(value, str):
        return Secret(value)
    # Out of the frame that the error passes through.
    del data
    if value is None:
        raise not_resolved(reference, msg("the secret has no such field"), msg("correct the name behind `#`"))
    del value
    raise not_resolved(reference, msg("the field is no text"), msg("store the password as text, in quotes"))
