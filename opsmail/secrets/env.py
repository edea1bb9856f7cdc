"""`env://NAME`: a secret in an environment variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from opsmail.expressions import expression
from opsmail.messages import msg
from opsmail.references import SecretReference
from opsmail.secrets.interface import Secret, SecretError
from opsmail.values import dataclass

# What Python makes of octets that are no UTF-8.
_UNDECODED = expression("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class EnvironmentSecrets:
    """Secrets from environment variables.

    Args:
        environment: the variables; `os.environ` in the command.
    """

    environment: Mapping[str, str] = field(repr=False)

    def resolve(self, reference: SecretReference) -> Secret:
        """Return the variable's value."""
        name = reference.locator
        if reference.field is not None:
            raise SecretError(
                msg("an environment variable has no fields, but `{reference}` names one", reference=reference),
                hint=msg("write `env://{name}`", name=name),
            )
        if name not in self.environment:
            raise SecretError(
                msg("the environment variable `{name}` is not set", name=name),
                hint=msg("set it where opsmail runs, for example as a secret of the protected CI environment"),
            )
        secret = Secret(self.environment[name])
        if _UNDECODED.search(secret.reveal()):
            raise SecretError(
                msg("the environment variable `{name}` is not UTF-8 text", name=name), hint=msg("store it as UTF-8")
            )
        return secret
