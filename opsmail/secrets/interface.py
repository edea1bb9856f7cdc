"""The port through which secrets come: what a scheme has to do, and the one type that carries a secret."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from opsmail.errors import UnavailableError
from opsmail.messages import Message, msg
from opsmail.references import SecretReference
from opsmail.values import dataclass


class Secret:
    """A secret's value, which shows itself only when asked by name.

    Args:
        value: the secret; never printed, formatted, copied or pickled.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the one place that must use it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(****)"

    def __str__(self) -> str:
        return "****"

    def __format__(self, format_spec: str) -> str:
        return "****"

    def __reduce__(self) -> str:
        raise TypeError("a secret is neither copied nor pickled")


class SecretError(UnavailableError):
    """A reference does not resolve here, or what it resolves to cannot be used."""


class SecretStoreUnreachable(SecretError):  # noqa: N818 - the word for what happened
    """Where the secret is kept cannot be asked now, so nothing is known of the reference: the network, a server."""


@dataclass(frozen=True, slots=True)
class NeededSecret:
    """A secret that an operator names.

    Args:
        reference: where it is kept.
        is_password: it has to do as a password, and not only to be there.
    """

    reference: SecretReference
    is_password: bool


class SecretStore(Protocol):
    """One scheme of secret references."""

    def resolve(self, reference: SecretReference) -> Secret:
        """Return the secret that `reference` names.

        Raises:
            SecretError: it cannot be had here. Neither the error nor a local variable of the functions that it passes
                through carries the value: crash reporters show both.
            SecretStoreUnreachable: it might be had, if the place where it is kept could be asked.
        """
        ...


@runtime_checkable
class WritableSecretStore(SecretStore, Protocol):
    """A scheme that can keep a secret, too: the refresh token of somebody who signed in."""

    def keep(self, reference: SecretReference, secret: Secret) -> None:
        """Put `secret` where `resolve` finds it, whole or not at all, out of other users' reach.

        Raises:
            SecretError: it cannot be written; the value is nowhere in the error.
        """
        ...


def not_resolved(
    reference: SecretReference, reason: Message, hint: Message, *, unreachable: bool = False
) -> SecretError:
    """Return the error of a reference that does not resolve.

    Args:
        reference: which one.
        reason: why, without the value.
        hint: what to do.
        unreachable: nobody could be asked, so that it may resolve another time.
    """
    kind = SecretStoreUnreachable if unreachable else SecretError
    return kind(msg("`{reference}` does not resolve: {reason}", reference=reference, reason=reason), hint=hint)
