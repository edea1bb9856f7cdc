"""The store in a MariaDB or MySQL database.

A change is one transaction of InnoDB at READ COMMITTED: the UPDATE of the head waits for whoever changes its row, and
compares with what that one committed (https://mariadb.com/kb/en/set-transaction/#read-committed). A commit is
acknowledged once it is on the server's disk: a server where `innodb_flush_log_at_trx_commit` is not 1 is not written to
(https://mariadb.com/kb/en/innodb-system-variables/#innodb_flush_log_at_trx_commit). Tables are not made in a
transaction; the row that names the store comes last.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pymysql
from sqlalchemy import Connection, Insert, Table, insert

from opsmail.messages import Message, msg
from opsmail.store import tables
from opsmail.store.failures import Cause, failure
from opsmail.store.foreign import ForeignDatabase
from opsmail.store.interface import StoreUnavailable
from opsmail.store.portions import portions
from opsmail.store.server import Access, Server
from opsmail.store.sql import SqlStore
from opsmail.store.sql_backend import Rows, add_one_by_one
from opsmail.store.sql_server import (
    CONNECT_SECONDS,
    LOCK_SECONDS,
    SILENT_SECONDS,
    STATEMENT_SECONDS,
    open_database,
)

_PORT = 3306

#: Bytes of one INSERT; a server takes 16 MiB by default, MySQL before 8.0 a quarter
#: (https://mariadb.com/kb/en/server-system-variables/#max_allowed_packet).
_STATEMENT_BYTES = 1024 * 1024

# https://mariadb.com/kb/en/mariadb-error-code-reference/ and
# https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
_CAUSES: Mapping[frozenset[int], Cause] = MappingProxyType(
    {
        frozenset({1040, 1205, 1213, 1317, 1969, 3024}): Cause.BUSY,
        frozenset({1034, 1035, 1054, 1062, 1146, 1194, 1195, 1364, 1366, 1406, 1451, 1452, 1712, 1932}): Cause.DAMAGED,
        frozenset({1021, 1114}): Cause.FULL,
        frozenset({1044, 1045, 1142, 1143, 1227, 1698}): Cause.DENIED,
        frozenset({1290, 1792, 1836}): Cause.READ_ONLY,
    }
)


def open_mysql(
    url: str, *, read_only: bool = False, create: bool = False, root: Path | None = None, access: Access
) -> SqlStore:
    """Open the store in a database.

    Args:
        url: `mysql://user@host:3306/database` or `mysql://user@/database?socket=/run/mysqld/mysqld.sock`; `mariadb:`
            means the same.
        read_only: refuse every change.
        create: make the tables where there are none; the database has to be there.
        root: of no meaning here.
        access: password, and authority of the server's certificate.

    Raises:
        UsageError: `url` names no database, or no safe way to one.
        StoreUnavailable: or one of its children, by what is wrong with the database.
    """
    server = Server.parse(url, access, port=_PORT)
    return open_database(_MySql(server, access, server.tls()), read_only=read_only, create=create)


def foreign_mysql(url: str, access: Access, root: Path | None) -> ForeignDatabase:
    """Return a database that is no store; see `open_mysql` for the arguments and errors."""
    server = Server.parse(url, access, port=_PORT)
    database = _MySql(server, access, server.tls())
    return ForeignDatabase(database.location, database.dialect, partial(database.open, writing=False), _reason)


@dataclass(frozen=True, slots=True)
class _MySql:
    """Where the database is, and how its connections are made."""

    server: Server
    access: Access
    tls: ssl.SSLContext | None
    dialect: str = "mysql+pymysql://"

    @property
    def location(self) -> str:
        return str(self.server)

    def connect(self, *, writing: bool) -> pymysql.Connection[pymysql.cursors.Cursor]:
        try:
            return self.open(writing=writing)
        except pymysql.Error as error:
            raise self.explain(error) from None

    def open(self, *, writing: bool) -> pymysql.Connection[pymysql.cursors.Cursor]:
        """Return a new connection; raises the library's own errors."""
        server, password = self.server, self.access.password
        connection = pymysql.connect(
            host=server.host,
            port=server.port,
            unix_socket=server.socket,
            user=server.user,
            # Octets: a text would have to be Latin-1.
            password=b"" if password is None else password.reveal().encode(),
            database=server.name,
            ssl=self.tls,
            # Otherwise one that nobody verifies would be tried.
            ssl_disabled=self.tls is None,
            charset="utf8mb4",
            # This one ends with TCP; each step of the login may take as long as a statement.
            connect_timeout=CONNECT_SECONDS,
            read_timeout=STATEMENT_SECONDS,
            write_timeout=STATEMENT_SECONDS,
            local_infile=False,
        )
        try:
            self._prepare(connection, writing=writing)
        except BaseException:  # Ctrl-C too: nothing stays open
            connection.close()
            raise
        return connection

    def _prepare(self, connection: pymysql.Connection[pymysql.cursors.Cursor], *, writing: bool) -> None:
        settings = {"sql_mode": "'TRADITIONAL'", "innodb_lock_wait_timeout": LOCK_SECONDS}
        if "MariaDB" in connection.get_server_info():  # type: ignore[no-untyped-call]  # its stubs say nothing of it
            settings |= {"max_statement_time": STATEMENT_SECONDS, "idle_transaction_timeout": SILENT_SECONDS}
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION " + ", ".join(f"{name} = {value}" for name, value in settings.items()))
            if not writing:
                cursor.execute("SET SESSION TRANSACTION READ ONLY")
                return
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute("SELECT @@innodb_flush_log_at_trx_commit, @@read_only")
            flushed, read_only = cursor.fetchone() or (None, None)
        if read_only:
            raise failure(Cause.READ_ONLY, self.location, msg("this server is read-only"))
        if flushed != 1:
            reason = msg("`innodb_flush_log_at_trx_commit` is {value} and not 1", value=flushed)
            raise failure(Cause.NOT_DURABLE, self.location, reason)

    def only_maker(self, connection: Connection) -> None:
        """Nothing to wait for: IF NOT EXISTS is asked and answered in one here, and rows that exist are left alone."""

    def settle_new(self, connection: Connection) -> None:
        """Nothing: CREATE TABLE says it all here."""

    def absent(self, table: Table) -> Insert:
        # ON DUPLICATE KEY UPDATE would want the right to update. What else IGNORE lets pass (a value that is cut short)
        # was refused before, by its size.
        return insert(table).prefix_with("IGNORE")

    def add(self, connection: Connection, table: Table, rows: Rows) -> None:
        add_one_by_one(connection, table, rows)

    def add_absent(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Send octets as they are: as hexadecimal digits, which is the driver's way, they take twice as long."""
        driver: Any = connection.connection.driver_connection
        names = [column.name for column in table.columns]
        literals = [b"(%s)" % b", ".join(_literal(row[name]) for name in names) for row in rows]
        start, verb, _ = str(self.absent(table).compile(dialect=connection.dialect)).partition(" VALUES ")
        try:
            with driver.cursor() as cursor:
                for portion in portions(literals, len(literals), len, _STATEMENT_BYTES):
                    cursor.execute((start + verb).encode("ascii") + b", ".join(portion))
        except pymysql.Error as error:
            raise self.explain(error) from None

    def examine(self, connection: Connection) -> None:
        # Not what is there for applications only, and no reader's business.
        for table in (table for table in tables.metadata.sorted_tables if table is not tables.operators):
            for row in connection.exec_driver_sql(f"CHECK TABLE {table.name}"):
                if row.Msg_type in {"error", "Error"} or (row.Msg_type == "status" and row.Msg_text != "OK"):
                    raise failure(Cause.DAMAGED, self.location, msg("{reason}", reason=row.Msg_text))

    def explain(self, error: BaseException | None) -> StoreUnavailable:
        # The driver's own errors, and those of a connection that ended, have other numbers or none.
        code = error.args[0] if error is not None and error.args else None
        cause = next((cause for codes, cause in _CAUSES.items() if code in codes), Cause.AWAY)
        return failure(cause, self.location, _reason(error))


def _literal(value: bytes | str) -> bytes:
    """Return a value as it stands in a statement.

    Two quotes are one, and never the end, in every `sql_mode`; two backslashes are one in ours. No octet of a longer
    character is taken for either: the connection's character set is UTF-8
    (https://mariadb.com/kb/en/string-literals/).
    """
    octets = value.encode("utf-8") if isinstance(value, str) else value
    return b"_binary'%s'" % octets.replace(b"\\", rb"\\").replace(b"'", b"''")


def _reason(error: BaseException | None) -> Message:
    """Return what the server says, in a line; where nothing came from it, what the library says."""
    told = error.args[1:] if error is not None else ()
    return msg("{reason}", reason=" ".join(str(told[0] if told else error).split()))
