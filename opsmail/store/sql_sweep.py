"""What takes something away from a SQL database: generations that are let go, and blobs that are of no use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, Select, delete, select, update

from opsmail.store import tables
from opsmail.store.interface import Head
from opsmail.store.sql_backend import batches

#: Digests in one transaction: publishers wait for it, at most 5 seconds.
_PORTION = 10_000

#: Every environment that has a head.
ENVIRONMENTS = select(tables.heads.c.environment).order_by(tables.heads.c.environment)


def blobs(after: str, limit: int) -> Select[str]:
    """Select digests behind `after`, in order."""
    column = tables.blobs.c.digest
    return select(column).where(column > after).order_by(column).limit(limit)


def portions(digests: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield what one transaction takes away."""
    return batches(digests, _PORTION)


def count_on(connection: Connection, expected: Mapping[str, Head]) -> bool:
    """Count a sweep and lock the store's row; False where the store is not at the one before."""
    before = next(iter(expected.values()))
    columns = tables.store.c
    statement = update(tables.store).where(
        columns.id == 1,
        columns.store == before.identity.store,
        columns.epoch == before.identity.epoch,
        columns.sweeps == before.sweeps,
    )
    return connection.execute(statement, {"sweeps": before.sweeps + 1}).rowcount == 1


def delete_blobs(connection: Connection, digests: Sequence[str]) -> int:
    """Delete blobs, and return how many were there."""
    column = tables.blobs.c.digest
    return sum(connection.execute(delete(tables.blobs).where(column.in_(batch))).rowcount for batch in batches(digests))


def forget(connection: Connection, environment: str, oldest: int) -> None:
    """Delete the generations of an environment below `oldest`."""
    columns = tables.generations.c
    connection.execute(delete(tables.generations).where(columns.environment == environment, columns.number < oldest))
