"""The tables of the SQL backends."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from opsmail.store.bounds import MAX_VALUE_BYTES
from opsmail.store.relational import operators_table


class _Bytes(LargeBinary):
    """Bytes as the driver returns them.

    SQLAlchemy converts what it reads with `bytes(…)`; in a damaged file a number may stand where bytes were, and
    `bytes(10**9)` is a gigabyte. What is not bytes is found by our own look at each row.
    """

    cache_ok = True

    def result_processor(self, dialect: Any, coltype: Any) -> None:
        return None


metadata = MetaData()

#: In MariaDB and MySQL: transactions, and texts that are equal only when they are the same.
_EXACT: Any = {"mysql_engine": "InnoDB", "mysql_charset": "ascii", "mysql_collate": "ascii_bin"}

#: One row: what this store is.
store = Table(
    "opsmail_store",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("store", String(32), nullable=False),
    Column("epoch", Integer, nullable=False),
    # How often blobs were taken away.
    Column("sweeps", BigInteger, nullable=False, server_default="0"),
    **_EXACT,
)

blobs = Table(
    "opsmail_blobs",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("content", _Bytes(MAX_VALUE_BYTES), nullable=False),
    **_EXACT,
)

generations = Table(
    "opsmail_generations",
    metadata,
    Column("environment", String(63), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), ForeignKey(blobs.c.digest), nullable=False),
    **_EXACT,
)

events = Table(
    "opsmail_events",
    metadata,
    Column("environment", String(63), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("payload", _Bytes(MAX_VALUE_BYTES), nullable=False),
    Column("hash", String(64), nullable=False),
    **_EXACT,
)

#: The rows that move. Digest and hash stand here too, so that one UPDATE compares all there is to compare.
heads = Table(
    "opsmail_heads",
    metadata,
    Column("environment", String(63), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("digest", String(64)),
    Column("events", BigInteger, nullable=False),
    Column("last_hash", String(64), nullable=False),
    **_EXACT,
)

operators = operators_table(metadata)
