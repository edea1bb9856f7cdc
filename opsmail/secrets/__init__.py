"""Secrets: references resolved as late as possible, each scheme by its own adapter."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from opsmail.messages import msg
from opsmail.references import SecretReference
from opsmail.secrets.env import EnvironmentSecrets
from opsmail.secrets.file import FileSecrets
from opsmail.secrets.interface import Secret, SecretError, SecretStore

__all__ = ["Secret", "SecretError", "SecretStore", "Secrets", "known_schemes", "open_secrets", "password"]

_BUILT_IN: Mapping[str, Callable[[], SecretStore]] = MappingProxyType(
    {"env": lambda: EnvironmentSecrets(os.environ), "file": FileSecrets}
)
#: Shorter ones cannot be kept out of a log: they would match ordinary words.
_MIN_PASSWORD = 4
_MAX_PASSWORD = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Secrets:
    """All schemes together.

    Args:
        stores: scheme to what resolves it.
    """

    stores: Mapping[str, SecretStore]

    def resolve(self, reference: SecretReference) -> Secret:
        """Return the secret that `reference` names.

        Raises:
            SecretError: unknown scheme, or it does not resolve here.
        """
        store = self.stores.get(reference.scheme)
        if store is None:
            raise SecretError(
                msg("`{reference}` has an unknown scheme", reference=str(reference)),
                hint=msg("known here: {schemes}", schemes=", ".join(sorted(self.stores))),
            )
        return store.resolve(reference)


def known_schemes() -> frozenset[str]:
    """Return the schemes that can be resolved here, without loading what resolves them."""
    return frozenset(_BUILT_IN) | {point.name for point in entry_points(group="opsmail.secrets")}


def open_secrets() -> Secrets:
    """Return the built-in schemes and those that installed packages add (entry point group `opsmail.secrets`)."""
    stores: dict[str, SecretStore] = {point.name: _load(point) for point in entry_points(group="opsmail.secrets")}
    return Secrets(stores | {scheme: make() for scheme, make in _BUILT_IN.items()})


def _load(point: EntryPoint) -> SecretStore:
    store: SecretStore = point.load()()
    return store


def password(secret: Secret, reference: SecretReference) -> Secret:
    """Return `secret` when it can be a password.

    Raises:
        SecretError: too short, too long, or with control characters; the message does not show it.
    """
    value = secret.reveal()
    if not _MIN_PASSWORD <= len(value) <= _MAX_PASSWORD:
        raise SecretError(
            msg(
                "the password from `{reference}` does not have {minimum} to {maximum} characters",
                reference=str(reference),
                minimum=_MIN_PASSWORD,
                maximum=_MAX_PASSWORD,
            ),
            hint=msg("check that the right value was stored"),
        )
    if _CONTROL.search(value):
        raise SecretError(
            msg(
                "the password from `{reference}` contains a line end or another control character",
                reference=str(reference),
            ),
            hint=msg("store it again without the line end"),
        )
    return secret
