"""The store in a PostgreSQL database.

A change is one transaction at READ COMMITTED: the UPDATE of the head waits for whoever changes its row, and compares
with what that one committed (https://www.postgresql.org/docs/15/transaction-iso.html#XACT-READ-COMMITTED). A commit is
acknowledged once it is on the server's disk: `synchronous_commit` is raised to `on` where it is lower, and a server
with `fsync = off` is not written to (https://www.postgresql.org/docs/15/runtime-config-wal.html).
"""

from __future__ import annotations

import ipaddress
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg import sql
from psycopg.adapt import PyFormat
from sqlalchemy import Connection, Insert, Table, select, text
from sqlalchemy.dialects.postgresql import insert

from opsmail.messages import Message, msg
from opsmail.store import tables
from opsmail.store.failures import Cause, failure
from opsmail.store.foreign import ForeignDatabase
from opsmail.store.interface import StoreUnavailable
from opsmail.store.server import Access, Server
from opsmail.store.sql import SqlStore
from opsmail.store.sql_backend import Rows
from opsmail.store.sql_server import (
    CONNECT_SECONDS,
    LOCK_SECONDS,
    SILENT_SECONDS,
    STATEMENT_SECONDS,
    open_database,
)

_PORT = 5432
#: Ours among the numbers of `pg_advisory_xact_lock`, which all users of a database share.
_MAKING = 0x6F70736D61696C

# https://www.postgresql.org/docs/15/errcodes-appendix.html: codes, or the class that they begin with.
_CAUSES: Mapping[tuple[str, ...], Cause] = MappingProxyType(
    {
        ("55P03", "57014", "40", "53300"): Cause.BUSY,
        ("42P01", "42703", "42804", "42883", "22", "23", "XX"): Cause.DAMAGED,
        ("53100",): Cause.FULL,
        ("42501", "28"): Cause.DENIED,
        ("25006",): Cause.READ_ONLY,
    }
)

_PREPARE = """SELECT
 set_config('statement_timeout', %(statement)s, false),
 set_config('lock_timeout', %(lock)s, false),
 set_config('idle_in_transaction_session_timeout', %(silent)s, false),
 set_config('default_transaction_read_only', %(read_only)s, false)"""
_MAKE_DURABLE = """SELECT
 current_setting('fsync'), pg_is_in_recovery(), set_config('synchronous_commit', CASE
 current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)"""

#: Rows that are a load, of which the database has to be told.
_LOAD = 1_000
# What is large are digests, which nothing makes smaller; trying takes the server four times as long as writing them
# (https://www.postgresql.org/docs/15/storage-toast.html#STORAGE-TOAST-ONDISK).
_UNCOMPRESSED = f"ALTER TABLE {tables.blobs.name} ALTER COLUMN {tables.blobs.c.content.name} SET STORAGE EXTERNAL"


def open_postgres(
    url: str, *, read_only: bool = False, create: bool = False, root: Path | None = None, access: Access
) -> SqlStore:
    """Open the store in a database.

    Args:
        url: `postgresql://user@host:5432/database`, or `postgresql://user@/database?socket=/run/postgresql`.
        read_only: refuse every change.
        create: make the tables where there are none; the database has to be there.
        root: of no meaning here.
        access: password, and authority of the server's certificate.

    Raises:
        UsageError: `url` names no database, or no safe way to one.
        StoreUnavailable: or one of its children, by what is wrong with the database.
    """
    server = Server.parse(url, access, port=_PORT)
    server.tls()  # to refuse here what the library would refuse with less to say
    return open_database(_Postgres(server, access), read_only=read_only, create=create)


def foreign_postgres(url: str, access: Access, root: Path | None) -> ForeignDatabase:
    """Return a database that is no store; see `open_postgres` for the arguments and errors."""
    server = Server.parse(url, access, port=_PORT)
    server.tls()
    database = _Postgres(server, access)
    return ForeignDatabase(database.location, database.dialect, partial(database.open, writing=False), _reason)


@dataclass(frozen=True, slots=True)
class _Postgres:
    """Where the database is, and how its connections are made."""

    server: Server
    access: Access
    dialect: str = "postgresql+psycopg://"

    @property
    def location(self) -> str:
        return str(self.server)

    def connect(self, *, writing: bool) -> psycopg.Connection:
        try:
            return self.open(writing=writing)
        except psycopg.Error as error:
            raise self.explain(error) from None

    def open(self, *, writing: bool) -> psycopg.Connection:
        """Return a new connection; raises the library's own errors."""
        # All that the library would otherwise take from the environment and decides where to, or how safely.
        server, password = self.server, self.access.password
        with _file(server.ca) as authority:
            connection = psycopg.connect(
                host=server.socket or server.host,
                hostaddr=_address(server),
                port=server.port,
                user=server.user,
                dbname=server.name,
                password=None if password is None else password.reveal(),
                sslmode="disable" if authority is None else "verify-full",
                sslrootcert=authority,
                ssl_min_protocol_version="TLSv1.2",
                gssencmode="disable",
                client_encoding="utf8",
                application_name="opsmail",
                options="",
                connect_timeout=CONNECT_SECONDS,
                keepalives_idle=STATEMENT_SECONDS,
                keepalives_interval=10,
                keepalives_count=3,
                tcp_user_timeout=STATEMENT_SECONDS * 1000,
                autocommit=True,
            )
        try:
            self._prepare(connection, writing=writing)
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            # SQLAlchemy switches it on again for those that read.
            connection.autocommit = False
        except BaseException:  # Ctrl-C too: nothing stays open
            connection.close()
            raise
        return connection

    def _prepare(self, connection: psycopg.Connection, *, writing: bool) -> None:
        settings = {
            "statement": f"{STATEMENT_SECONDS}s",
            "lock": f"{LOCK_SECONDS}s",
            "silent": f"{SILENT_SECONDS}s",
            "read_only": "off" if writing else "on",
        }
        connection.execute(_PREPARE, settings)
        if not writing:
            return
        fsync, follows, _ = connection.execute(_MAKE_DURABLE).fetchone() or ("", False, "")
        if follows:
            raise failure(Cause.READ_ONLY, self.location, msg("this server follows another one"))
        if fsync != "on":
            raise failure(Cause.NOT_DURABLE, self.location, msg("`fsync` is {value}", value=fsync))

    def only_maker(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MAKING})

    def settle_new(self, connection: Connection) -> None:
        connection.exec_driver_sql(_UNCOMPRESSED)

    def absent(self, table: Table) -> Insert:
        return insert(table).on_conflict_do_nothing()

    def add(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Send rows as one stream: COPY takes a fifth of what as many INSERTs take."""
        names = [column.name for column in table.columns]
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
        with self._cursor(connection) as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])
        if len(rows) >= _LOAD:
            # Until it counts by itself, which may be a minute later, it would read a whole environment for each change
            # (https://www.postgresql.org/docs/15/populate.html, "Run ANALYZE Afterwards"). Whoever does not own the
            # table gets a warning instead, and who would have to wait for somebody nothing.
            keys = ", ".join(column.name for column in table.primary_key)
            connection.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {table.name} ({keys})")

    def add_absent(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Send each column as one array; COPY itself leaves no rows alone."""
        names = list(rows[0])
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        arrays = sql.SQL(", ").join([sql.Placeholder(format=PyFormat.BINARY)] * len(names))
        statement = sql.SQL("INSERT INTO {} ({}) SELECT * FROM unnest({}) ON CONFLICT DO NOTHING")
        with self._cursor(connection) as cursor:
            cursor.execute(
                statement.format(sql.Identifier(table.name), columns, arrays),
                [[row[name] for row in rows] for name in names],
            )

    @contextmanager
    def _cursor(self, connection: Connection) -> Iterator[psycopg.Cursor[Any]]:
        """Give a cursor of the driver's; its errors do not pass through SQLAlchemy, so they are told here."""
        driver: Any = connection.connection.driver_connection
        try:
            with driver.cursor() as cursor:
                yield cursor
        except psycopg.Error as error:
            raise self.explain(error) from None

    def examine(self, connection: Connection) -> None:
        """Look whether each generation has its content; an ordinary user cannot have more examined."""
        columns = tables.generations.c
        orphans = (
            select(columns.number)
            .outerjoin(tables.blobs, tables.blobs.c.digest == columns.digest)
            .where(tables.blobs.c.digest.is_(None))
        )
        if connection.execute(orphans.limit(1)).first() is not None:
            raise failure(Cause.DAMAGED, self.location, msg("a generation has lost its content"))

    def explain(self, error: BaseException | None) -> StoreUnavailable:
        code = getattr(error, "sqlstate", None) or ""
        cause = next((cause for codes, cause in _CAUSES.items() if code.startswith(codes)), Cause.AWAY)
        return failure(cause, self.location, _reason(error))


@contextmanager
def _file(ca: str | None) -> Iterator[str | None]:
    """Give the name of a file with the certificates, which is how the library takes them."""
    if ca is None:
        yield None
        return
    with tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".pem") as file:
        file.write(ca)
        file.flush()
        yield file.name


def _address(server: Server) -> str | None:
    """Return where to go without TLS, whatever name the system or `PGHOSTADDR` has for it; None to ask for the name."""
    if server.host is None or server.ca is not None:
        return None
    return "127.0.0.1" if server.host == "localhost" else str(ipaddress.ip_address(server.host))


def _reason(error: BaseException | None) -> Message:
    """Return what the server says, in a line; where nothing came from it, what the library says."""
    told = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return msg("{reason}", reason=told or " ".join(str(error).split()))
