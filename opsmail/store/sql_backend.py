"""What differs between SQL databases, and how every one of them is read and written."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, Insert, Table, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from opsmail.messages import msg
from opsmail.store import tables
from opsmail.store.consistency import VERSION
from opsmail.store.interface import OutcomeUnknown, StoreUnavailable

#: Values in one statement: below every database's limit of parameters (SQLite 32,766, PostgreSQL 65,535).
_BATCH = 1_000
#: Rows of a table, by column; each has the same columns.
Rows: TypeAlias = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class SqlBackend:
    """What one database brings.

    Args:
        location: where the store is, without a password.
        reader: gives connections on which each statement stands alone (no transaction to open and close).
        writer: gives connections with transactions that hold the write lock, or its like, from their first statement.
        writable: False refuses every change.
        absent: INSERT into this table that leaves alone rows which exist.
        add: adds many rows, none of which exists.
        add_absent: adds many rows, and leaves alone those that exist.
        explain: a driver's error in our words.
        examine: raises `StoreDamaged` where the database finds its own structures damaged.
    """

    location: str
    reader: Engine
    writer: Engine
    writable: bool
    absent: Callable[[Table], Insert]
    add: Callable[[Connection, Table, Rows], None]
    add_absent: Callable[[Connection, Table, Rows], None]
    explain: Callable[[BaseException | None], StoreUnavailable]
    examine: Callable[[Connection], None]

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for statements that each stand alone."""
        with self._explained(), self.reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection in a transaction, committed at the end; after an error it is rolled back.

        Raises:
            OutcomeUnknown: the commit itself failed.
        """
        if not self.writable:
            raise StoreUnavailable(msg("the store {location} was opened for reading only", location=self.location))
        with self._explained(), self.writer.connect() as connection:
            connection.begin()
            yield connection
            try:
                connection.commit()
            except DBAPIError as error:
                raise OutcomeUnknown(
                    msg(
                        "a change of the store {location} may have happened or not, its commit failed: {reason}",
                        location=self.location,
                        reason=self.explain(error.orig).message,
                    ),
                    hint=msg("look at the history before trying again"),
                ) from None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        # `from None`: a driver's error may hold statements and addresses, and says nothing that ours does not.
        try:
            yield
        except DBAPIError as error:
            raise self.explain(error.orig) from None


def batches(values: Sequence[str], size: int = _BATCH) -> Iterator[Sequence[str]]:
    """Yield values in their order, as many as one statement takes at a time."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def add_one_by_one(connection: Connection, table: Table, rows: Rows) -> None:
    """Add rows by one INSERT after the other, as every driver can."""
    # Past SQLAlchemy's conversion of each value, which takes longer than all else and has nothing to do here.
    statement = insert(table).compile(dialect=connection.dialect)
    order = statement.positiontup
    values: Any = rows if order is None else [tuple(row[name] for name in order) for row in rows]
    connection.exec_driver_sql(str(statement), values)


def create_tables(connection: Connection, absent: Callable[[Table], Insert]) -> None:
    """Make the tables and give the store its identity; leaves alone what exists."""
    for table in tables.metadata.sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))
    identity = {"id": 1, "version": VERSION, "store": secrets.token_hex(16), "epoch": 1}
    connection.execute(absent(tables.store), identity)
