"""`keyring://service/user`: a secret in the keyring of the desktop or the operating system."""

from __future__ import annotations

import keyring
from keyring.errors import KeyringError, NoKeyringError

from opsmail.messages import msg
from opsmail.references import SecretReference
from opsmail.secrets.interface import Secret, SecretError


class KeyringSecrets:
    """Secrets from the keyring of whoever runs opsmail."""

    def resolve(self, reference: SecretReference) -> Secret:
        """Return what the keyring keeps for the service and user."""
        service, user = _service_and_user(reference)
        try:
            value = keyring.get_password(service, user)
        except KeyringError as error:
            raise _failed(reference, error) from None
        if value is None:
            raise SecretError(
                msg("`{reference}`: the keyring has nothing for this service and user", reference=reference),
                hint=msg("`keyring set {service} {user}` stores it", service=service, user=user),
            )
        return Secret(value)

    def keep(self, reference: SecretReference, secret: Secret) -> None:
        """Put the secret into the keyring."""
        service, user = _service_and_user(reference)
        try:
            keyring.set_password(service, user, secret.reveal())
        except KeyringError as error:
            raise _failed(reference, error) from None


def open_store() -> KeyringSecrets:
    """Return the keyring."""
    return KeyringSecrets()


def _service_and_user(reference: SecretReference) -> tuple[str, str]:
    service, separator, user = reference.locator.partition("/")
    if not (service and separator and user) or reference.field is not None:
        raise SecretError(
            msg("`{reference}` does not name a service and a user", reference=reference),
            hint=msg("write `keyring://service/user`"),
        )
    return service, user


def _failed(reference: SecretReference, error: KeyringError) -> SecretError:
    if isinstance(error, NoKeyringError):
        return SecretError(
            msg("`{reference}`: this machine has no keyring", reference=reference),
            hint=msg("servers and CI have none: use another kind of reference there"),
        )
    return SecretError(
        msg("`{reference}`: the keyring failed with {kind}", reference=reference, kind=type(error).__name__),
        hint=msg("unlock it, and try again"),
    )
