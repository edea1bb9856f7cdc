"""What a change writes in its transaction in a SQL database, besides what it adds: the head, and the table for SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, update

from opsmail.store import tables
from opsmail.store.interface import Head
from opsmail.store.sql_backend import Rows, SqlBackend, batches


def move_head(connection: Connection, backend: SqlBackend, expected: Head, target: Head) -> bool:
    """Compare the row of a head with what is expected and swap it; False where it is another one."""
    values = {
        "number": target.number,
        "digest": target.digest,
        "events": target.events,
        "last_hash": target.last_hash,
    }
    if expected.is_unused:
        row = {"environment": expected.environment, **values}
        statement = backend.absent(tables.heads).execution_options(preserve_rowcount=True)
        return connection.execute(statement, row).rowcount == 1
    columns = tables.heads.c
    compared = update(tables.heads).where(
        columns.environment == expected.environment,
        columns.number == expected.number,
        columns.digest == expected.digest,
        columns.events == expected.events,
        columns.last_hash == expected.last_hash,
    )
    return connection.execute(compared, values).rowcount == 1


def replace_operators(
    connection: Connection, backend: SqlBackend, environment: str, names: Sequence[str], rows: Rows
) -> None:
    """Take the rows of operators away, and add those that there are from now on."""
    columns = tables.operators.c
    for batch in batches(names):
        connection.execute(
            delete(tables.operators).where(columns.environment == environment, columns.operator.in_(batch))
        )
    if rows:
        backend.add(connection, tables.operators, rows)
