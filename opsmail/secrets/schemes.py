"""The schemes of secret references: those that are built in, and those that installed packages add."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from opsmail.messages import msg
from opsmail.references import SecretReference
from opsmail.secrets.env import EnvironmentSecrets
from opsmail.secrets.file import FileSecrets
from opsmail.secrets.interface import Secret, SecretError, SecretStore

#: Packages add schemes under this name; each entry is a scheme and what makes its `SecretStore`.
ENTRY_POINTS = "opsmail.secrets"

_BUILT_IN: Mapping[str, Callable[[], SecretStore]] = MappingProxyType(
    {"env": lambda: EnvironmentSecrets(os.environ), "file": FileSecrets}
)


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
            # Not the whole reference: it may be a password with `://` in it.
            raise SecretError(
                msg("nothing here resolves `{scheme}://`", scheme=reference.scheme),
                hint=msg("known here: {schemes}", schemes=", ".join(sorted(self.stores))),
            )
        return store.resolve(reference)


def _installed() -> Iterable[EntryPoint]:
    return entry_points(group=ENTRY_POINTS)


def known_schemes(installed: Callable[[], Iterable[EntryPoint]] = _installed) -> frozenset[str]:
    """Return the schemes that can be resolved here, without loading what resolves them."""
    return frozenset(_BUILT_IN) | {point.name for point in installed()}


def open_secrets(installed: Callable[[], Iterable[EntryPoint]] = _installed) -> Secrets:
    """Return the built-in schemes and those that packages add; a package cannot take the place of a built-in one.

    Args:
        installed: the entry points to look at.
    """
    added: dict[str, SecretStore] = {point.name: _Package(point) for point in installed()}
    return Secrets(added | {scheme: make() for scheme, make in _BUILT_IN.items()})


@dataclass(frozen=True)
class _Package:
    """A scheme of an installed package, loaded when it is needed: a broken one keeps nobody from the others."""

    point: EntryPoint

    def resolve(self, reference: SecretReference) -> Secret:
        return self._store.resolve(reference)

    @cached_property
    def _store(self) -> SecretStore:
        try:
            store: SecretStore = self.point.load()()
        except (ImportError, AttributeError) as error:
            raise SecretError(
                msg("what resolves `{scheme}://` cannot be loaded: {reason}", scheme=self.point.name, reason=error),
                hint=msg("install or repair the package that brings {entry}", entry=self.point.value),
            ) from None
        return store
