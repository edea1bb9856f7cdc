"""What a table gives: rows of cells by the field that they are for, and nothing of what may be a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.references import SecretReference
from opsmail.transfer.header import Header

#: More operators than any fleet has.
MOST_ROWS = 100_000
#: The largest file that is read.
MOST_BYTES = 64 * 1024 * 1024

#: Where an operator file has references to secrets.
REFERENCES = (
    "authentication.password",
    *(f"authentication.credential.{name}" for name in ("secret", "pfx", "passphrase", "token_cache")),
)

Cell = str | SecretReference


class Row(NamedTuple):
    """One row.

    Args:
        number: the line of a file where it begins, from 1; of a database or of JSON, which one it is.
        cells: field of the operator file to what the table has for it, blanks around it taken away; without empty ones.
    """

    number: int
    cells: Mapping[str, Cell]


class Table(Protocol):
    """A table that is open for reading."""

    @property
    def header(self) -> Header:
        """What its columns are taken for."""
        ...

    def rows(self) -> Iterator[Row]:
        """Yield its rows, once.

        Raises:
            TableError: it is not what it should be.
        """
        ...


class TableError(UsageError):
    """A table cannot be read. No cell of it is ever repeated: in the wrong place, it may be a password."""


def require_few(number: int, count: int) -> None:
    """Return when a table has no more rows than are read.

    Args:
        number: of the row.
        count: how many rows it is with this one.

    Raises:
        TableError: it has more.
    """
    if count > MOST_ROWS:
        raise TableError(
            msg("row {number}: a table of more than {most} operators is not read", number=number, most=MOST_ROWS),
            hint=msg("import it in parts, or take out what are no operators"),
        )
