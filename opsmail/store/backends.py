"""From a store's URL to its backend."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from opsmail.errors import UsageError, install_hint
from opsmail.messages import msg
from opsmail.store.interface import Store
from opsmail.store.server import Access
from opsmail.values import dataclass

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint  # slow to import, and needed for backends of other packages only

#: Packages add backends under this name; each entry is a scheme and an `Opener`.
ENTRY_POINTS = "opsmail.stores"

_SCHEME = re.compile(r"([a-z][a-z0-9]{1,31})(?:\+[a-z0-9]+)?://")


class Opener(Protocol):
    """What a backend offers to be opened by; see `open_store` for the arguments."""

    def __call__(self, url: str, *, read_only: bool, create: bool, root: Path | None, access: Access) -> Store:
        """Return the store at `url`."""
        ...


@dataclass(frozen=True, slots=True)
class _BuiltIn:
    """A backend of ours.

    Args:
        module: where it is; loaded when it is asked for.
        opener: its `Opener`.
        extra: what to install for its library.
    """

    module: str
    opener: str
    extra: str = "all"

    def load(self) -> Opener:
        try:
            opener: Opener = getattr(importlib.import_module(self.module), self.opener)
        except ImportError as error:
            raise UsageError(
                msg("the library for this store is not installed: {reason}", reason=error),
                hint=install_hint(self.extra),
            ) from None
        return opener


_MYSQL = _BuiltIn("opsmail.store.mysql", "open_mysql", "mysql")
_BUILT_IN: Mapping[str, _BuiltIn] = MappingProxyType(
    {
        "sqlite": _BuiltIn("opsmail.store.sqlite", "open_sqlite"),
        "postgresql": _BuiltIn("opsmail.store.postgres", "open_postgres", "postgres"),
        "mysql": _MYSQL,
        "mariadb": _MYSQL,
        "etcd": _BuiltIn("opsmail.store.etcd", "open_etcd"),
    }
)
_NO_ACCESS = Access()


def _installed() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points

    return entry_points(group=ENTRY_POINTS)


def open_store(
    url: str,
    *,
    read_only: bool = False,
    create: bool = False,
    root: Path | None = None,
    access: Access = _NO_ACCESS,
    installed: Callable[[], Iterable[EntryPoint]] = _installed,
) -> Store:
    """Open the store at `url`.

    Args:
        url: what `store.url` says; its scheme, without a driver after `+`, chooses the backend.
        read_only: refuse every change.
        create: make the store where there is none; what exists is never made anew.
        root: where relative paths start; None for the working folder.
        access: what `store.password` and `store.ca` give, for a store on a server.
        installed: the entry points to look at for schemes that are not built in.

    Raises:
        UsageError: the URL is not one, no backend has its scheme, or its library is not installed. Never repeats the
            URL, which may hold a password.
        StoreUnavailable: or one of its children, as the backend finds.
    """
    match = _SCHEME.match(url)
    if match is None:
        raise UsageError(
            msg("the store's URL does not begin with a scheme"),
            hint=msg("write for example `sqlite:///opsmail.db`"),
        )
    return _opener(match[1], installed)(url, read_only=read_only, create=create, root=root, access=access)


def _opener(scheme: str, installed: Callable[[], Iterable[EntryPoint]]) -> Opener:
    if scheme in _BUILT_IN:
        return _BUILT_IN[scheme].load()
    added = {entry.name: entry for entry in installed()}
    if scheme not in added:
        known = sorted({*_BUILT_IN, *added})
        raise UsageError(
            msg("no store backend has the scheme {scheme}", scheme=scheme),
            hint=msg("known are: {known}", known=", ".join(known)),
        )
    entry = added[scheme]
    try:
        opener: Opener = entry.load()
    except (ImportError, AttributeError) as error:
        raise UsageError(
            msg("the store backend {entry} cannot be loaded: {reason}", entry=entry.value, reason=error),
            hint=msg("install or repair the package that brings it"),
        ) from None
    return opener
