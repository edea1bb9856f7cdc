"""The schemes of secret references: those that are built in, and those that installed packages add."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import TYPE_CHECKING

from opsmail.messages import msg
from opsmail.references import SecretReference
from opsmail.secrets.env import EnvironmentSecrets
from opsmail.secrets.file import FileSecrets
from opsmail.secrets.interface import Secret, SecretError, SecretStore, WritableSecretStore
from opsmail.secrets.remote import MANAGERS, remote_stores
from opsmail.values import dataclass

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

#: Packages add schemes under this name; each entry is a scheme and what makes its `SecretStore`.
ENTRY_POINTS = "opsmail.secrets"

_BUILT_IN = frozenset({"env", "file", *MANAGERS})


@dataclass(frozen=True)  # without slots, so that what is looked for once is kept
class Secrets:
    """All schemes together.

    Args:
        stores: scheme to what resolves it.
        installed: gives the entry points of packages that add schemes. Looked at when a scheme is asked for that is not
            among `stores`.
    """

    stores: Mapping[str, SecretStore]
    installed: Callable[[], Iterable[EntryPoint]] = tuple

    def resolve(self, reference: SecretReference) -> Secret:
        """Return the secret that `reference` names.

        Raises:
            SecretError: unknown scheme, or it does not resolve here.
        """
        return self._store(reference).resolve(reference)

    def keep(self, reference: SecretReference, secret: Secret) -> None:
        """Put `secret` where `reference` names.

        Raises:
            SecretError: unknown scheme, or it cannot be written there.
        """
        self.writable(reference).keep(reference, secret)

    def writable(self, reference: SecretReference) -> WritableSecretStore:
        """Return the scheme of `reference`, whether or not it will let this secret be written.

        Raises:
            SecretError: unknown scheme, or one that is only read.
        """
        store = self._store(reference)
        if not isinstance(store, WritableSecretStore):
            raise SecretError(
                msg("nothing can be kept at `{reference}`", reference=reference),
                hint=msg("name a place that can be written, for example `file:///var/lib/opsmail/rh-token`"),
            )
        return store

    def _store(self, reference: SecretReference) -> SecretStore:
        stores = self.stores if reference.scheme in self.stores else self._added
        store = stores.get(reference.scheme)
        if store is None:
            # Not the whole reference: it may be a password with `://` in it.
            raise SecretError(
                msg("nothing here resolves `{scheme}://`", scheme=reference.scheme),
                hint=msg("known here: {schemes}", schemes=", ".join(sorted({*self.stores, *self._added}))),
            )
        return store

    @cached_property
    def _added(self) -> Mapping[str, SecretStore]:
        return {point.name: _Package(point) for point in self.installed()}


def _installed() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points

    return entry_points(group=ENTRY_POINTS)


@dataclass(frozen=True, eq=False)
class KnownSchemes(AbstractSet[str]):
    """The schemes that can be resolved here, without loading what resolves them.

    Installed packages are looked at when the first scheme is asked for that is not built in: that takes longer than the
    check of many files.

    Args:
        installed: gives the entry points.
    """

    installed: Callable[[], Iterable[EntryPoint]]

    def __contains__(self, scheme: object) -> bool:
        return scheme in _BUILT_IN or scheme in self._all

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def _all(self) -> frozenset[str]:
        return _BUILT_IN | {point.name for point in self.installed()}


def known_schemes(installed: Callable[[], Iterable[EntryPoint]] = _installed) -> KnownSchemes:
    """Return the schemes that can be resolved here."""
    return KnownSchemes(installed)


def open_secrets(installed: Callable[[], Iterable[EntryPoint]] = _installed) -> Secrets:
    """Return the built-in schemes and those that packages add; a package cannot take the place of a built-in one.

    Args:
        installed: the entry points to look at.
    """
    built_in: dict[str, SecretStore] = {"env": EnvironmentSecrets(os.environ), "file": FileSecrets()}
    return Secrets(built_in | remote_stores(), installed)


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
