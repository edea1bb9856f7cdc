"""What the databases on servers have in common: their connections, how long they may take, and making the tables."""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

from sqlalchemy import Connection, Insert, Table, create_engine, inspect, select
from sqlalchemy.pool import NullPool, QueuePool

from opsmail.store import tables
from opsmail.store.failures import missing
from opsmail.store.interface import StoreUnavailable
from opsmail.store.sql import SqlStore
from opsmail.store.sql_backend import Rows, SqlBackend, create_tables

#: Seconds for a connection.
CONNECT_SECONDS = 10
#: Seconds to wait for somebody else's change to end.
LOCK_SECONDS = 5
#: Seconds for one statement.
STATEMENT_SECONDS = 30
#: Seconds after which the server ends a change whose publisher has fallen silent, so that it stands in nobody's way.
SILENT_SECONDS = 60


class ServerDatabase(Protocol):
    """What one kind of server brings."""

    @property
    def dialect(self) -> str:
        """SQLAlchemy's URL, of its kind and driver only."""
        ...

    @property
    def location(self) -> str:
        """Where it is, without a password."""
        ...

    def connect(self, *, writing: bool) -> Any:
        """Return a new connection of the driver's.

        Args:
            writing: whether anything may be changed on it, by transactions at READ COMMITTED.
        """
        ...

    def only_maker(self, connection: Connection) -> None:
        """Wait, in a transaction, until nobody else makes the tables."""
        ...

    def settle_new(self, connection: Connection) -> None:
        """Say of the tables that were just made what CREATE TABLE cannot, in the same transaction."""
        ...

    def absent(self, table: Table) -> Insert:
        """Return an INSERT into `table` that leaves alone rows which exist."""
        ...

    def add(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Add rows, none of which exists."""
        ...

    def add_absent(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Add rows, and leave alone those that exist."""
        ...

    def explain(self, error: BaseException | None) -> StoreUnavailable:
        """Return the error of ours for one of the driver's."""
        ...

    def examine(self, connection: Connection) -> None:
        """Raise `StoreDamaged` where the database finds its own structures damaged."""
        ...


def open_database(database: ServerDatabase, *, read_only: bool, create: bool) -> SqlStore:
    """Open the store in a database.

    Args:
        database: which one.
        read_only: refuse every change.
        create: make the tables where there are none.

    Raises:
        StoreUnavailable: or one of its children, by what is wrong with it.
    """
    # The statement of a head joins single rows, each found by its own condition: that is no accident to warn of.
    engine = partial(create_engine, database.dialect, hide_parameters=True, enable_from_linting=False)
    backend = SqlBackend(
        location=database.location,
        # One connection stays, so that an unchanged poll is one round trip; nothing is left on it to undo.
        reader=engine(
            creator=lambda: database.connect(writing=False),
            isolation_level="AUTOCOMMIT",
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=-1,
            pool_reset_on_return=None,
        ),
        writer=engine(creator=lambda: database.connect(writing=True), poolclass=NullPool),
        writable=not read_only,
        absent=database.absent,
        add=database.add,
        add_absent=database.add_absent,
        explain=database.explain,
        examine=database.examine,
    )
    try:
        _find_or_make(database, backend, create=create)
        return SqlStore(backend)
    except BaseException:  # Ctrl-C too: nothing stays open
        backend.reader.dispose()
        raise


def _find_or_make(database: ServerDatabase, backend: SqlBackend, *, create: bool) -> None:
    with backend.reading() as connection:
        found = inspect(connection).has_table(tables.store.name)
        # Where tables are not made in a transaction, a maker that died left them without the row that names the store.
        whole = found and connection.execute(select(tables.store.c.id)).first() is not None
    if create and backend.writable and not whole:
        with backend.writing() as connection:
            database.only_maker(connection)
            create_tables(connection, database.absent)
            database.settle_new(connection)
    elif not found:
        raise missing(backend.location)
    elif backend.writable:
        # Now, not at the first change: who opens a store for writing wants to know at once that it cannot be written.
        with backend.writing():
            pass
