"""Databases that hold no store of ours, reached as safely as those that do, for reading."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from opsmail.errors import UsageError, install_hint
from opsmail.messages import Message, msg
from opsmail.store.server import Access
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class ForeignDatabase:
    """Where a database is, and how to read it.

    Args:
        location: without a password.
        dialect: SQLAlchemy's URL, of its kind and driver only.
        connect: returns a connection of the driver's that changes nothing, or raises the driver's own errors.
        reason: what such an error says, in a line.
    """

    location: str
    dialect: str
    connect: Callable[[], Any]
    reason: Callable[[BaseException | None], Message]


class _Finder(Protocol):
    def __call__(self, url: str, access: Access, root: Path | None) -> ForeignDatabase: ...


#: Scheme to the module of its backend, its finder there, and what to install for its library.
_FINDERS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "sqlite": ("opsmail.store.sqlite", "foreign_sqlite", "all"),
        "postgresql": ("opsmail.store.postgres", "foreign_postgres", "postgres"),
        "mysql": ("opsmail.store.mysql", "foreign_mysql", "mysql"),
        "mariadb": ("opsmail.store.mysql", "foreign_mysql", "mysql"),
    }
)


def foreign_database(url: str, access: Access, root: Path | None = None) -> ForeignDatabase:
    """Return the database that a URL in the form of a store's names.

    Args:
        url: `sqlite:///file`, `postgresql://user@host/database`, `mysql://user@host/database`; never repeated.
        access: password, and authority of the server's certificate.
        root: where a relative path starts; None for the working folder.

    Raises:
        UsageError: there is no such kind of database, its library is not installed, or there is no safe way to it.
    """
    scheme = url.partition("://")[0].partition("+")[0]
    if scheme not in _FINDERS:
        raise UsageError(
            msg("a table cannot be read from such a URL"), hint=msg("known are: {known}", known=", ".join(_FINDERS))
        )
    module, name, extra = _FINDERS[scheme]
    try:
        find: _Finder = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise UsageError(
            msg("the library for this database is not installed: {reason}", reason=error),
            hint=install_hint(extra),
        ) from None
    return find(url, access, root)
