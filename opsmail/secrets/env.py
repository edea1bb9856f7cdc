"""`env://NAME`: a secret in an environment variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opsmail.messages import msg
from opsmail.references import SecretReference
from opsmail.secrets.interface import Secret, SecretError


@dataclass(frozen=True, slots=True)
class EnvironmentSecrets:
    """Secrets from environment variables.

    Args:
        environment: the variables; `os.environ` in the command.
    """

    environment: Mapping[str, str]

    def resolve(self, reference: SecretReference) -> Secret:
        """Return the variable's value."""
        value = self.environment.get(reference.locator)
        if value is None:
            raise SecretError(
                msg("the environment variable `{name}` is not set", name=reference.locator),
                hint=msg("set it where opsmail runs, for example as a secret of the protected CI environment"),
            )
        return Secret(value)
