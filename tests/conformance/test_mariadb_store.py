from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import replace
from typing import Any

import pymysql
import pytest

from opsmail.store.interface import Store, StoreDamaged, StoreUnavailable
from tests.conformance.database import ROLES, DatabaseConformance, documented, roles_are_kept
from tests.conformance.publishing import ENVIRONMENT, Place, publish
from tests.servers.databases import DatabaseServer
from tests.servers.mariadb import administer, new_place

# Protocol 10, and every capability but SSL (https://mariadb.com/kb/en/connection/#initial-handshake-packet).
_CAPABILITIES = 0xFFFFF7FF
_GREETED = (
    b"\x0a11.0.0\0" + b"\1\0\0\0" + b"12345678\0" + struct.pack("<H", _CAPABILITIES & 0xFFFF) + b"\x2d\2\0"
    + struct.pack("<H", _CAPABILITIES >> 16) + b"\x15" + b"\0" * 10 + b"123456789012\0" + b"mysql_native_password\0"
)  # fmt: skip
GREETING = struct.pack("<I", len(_GREETED)) + _GREETED


def database(place: Place) -> str:
    return place.url.rpartition("/")[2]


class TestMariadbStore(DatabaseConformance):
    module = "opsmail.store.mysql"
    limits = ("opsmail.store.mysql.CONNECT_SECONDS", "opsmail.store.mysql.STATEMENT_SECONDS")
    commit = b"\3COMMIT"

    @pytest.fixture
    def server(self, mariadb_server: DatabaseServer) -> DatabaseServer:
        return mariadb_server

    @pytest.fixture
    def place(self, mariadb_server: DatabaseServer) -> Iterator[Place]:
        with new_place(mariadb_server) as place:
            yield place

    def administer(self, server: DatabaseServer, place: Place, *statements: str) -> list[Any]:
        with closing(administer(server)) as connection, connection.cursor() as cursor:
            cursor.execute(f"USE {database(place)}")
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def hold(self, server: DatabaseServer, place: Place, statement: str) -> AbstractContextManager[None]:
        @contextmanager
        def holding() -> Iterator[None]:
            with closing(administer(server)) as connection, connection.cursor() as cursor:
                cursor.execute(f"USE {database(place)}")
                connection.begin()
                # An UPDATE that changes nothing holds its row as well.
                cursor.execute(statement)
                yield
                connection.rollback()

        return holding()

    def used_tls(self, store: Store) -> bool:
        backend: Any = store._backend  # type: ignore[attr-defined]  # what only SQL stores have
        with backend.reading() as connection:
            return bool(connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Ssl_version'").one()[1])

    def end_connections(self, server: DatabaseServer, place: Place) -> None:
        with closing(administer(server)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", [database(place)])
            for (identity,) in cursor.fetchall():
                with suppress(pymysql.OperationalError):  # it has ended by itself meanwhile
                    cursor.execute(f"KILL {identity}")

    def user_with(self, server: DatabaseServer, place: Place, password: str) -> Place:
        user = f"u{database(place)}"
        self.administer(
            server,
            place,
            f"CREATE USER {user}@'%' IDENTIFIED BY '{password}'",
            f"GRANT ALL ON {database(place)}.* TO {user}@'%'",
        )
        return replace(place, url=place.url.replace(f"//{server.user}@", f"//{user}@"), password=password)

    def without_foreign_key(self, statement: str) -> list[str]:
        return ["SET SESSION foreign_key_checks = 0", statement]

    # What only MariaDB and MySQL have

    @pytest.mark.case("D-16")
    def test_commits_are_durable(self, server: DatabaseServer, place: Place, store: Store) -> None:
        head = publish(store, "a")
        self.administer(server, place, "SET GLOBAL innodb_flush_log_at_trx_commit = 2")
        try:
            with pytest.raises(StoreUnavailable, match="in a power cut"):
                publish(store, "b")
            assert "innodb_flush_log_at_trx_commit" in str(self.refused(place, create=True))
            with closing(place.open(read_only=True)) as reader:
                assert reader.head(ENVIRONMENT) == head
        finally:
            self.administer(server, place, "SET GLOBAL innodb_flush_log_at_trx_commit = 1")

    def test_content_that_the_server_refuses(self, server: DatabaseServer, place: Place, store: Store) -> None:
        """It goes past SQLAlchemy, and so do the server's words about it."""
        head = publish(store, "a")
        with closing(self.user_with(server, place, "another-password").open()) as theirs:
            self.administer(server, place, f"REVOKE INSERT ON {database(place)}.* FROM u{database(place)}@'%'")
            with pytest.raises(StoreUnavailable, match="refuses this user"):
                publish(theirs, "b")
        assert store.head(ENVIRONMENT) == head

    def test_a_server_that_takes_no_changes(self, server: DatabaseServer, place: Place, store: Store) -> None:
        head = publish(store, "a")
        self.administer(server, place, "SET GLOBAL read_only = ON")
        try:
            with pytest.raises(StoreUnavailable, match="takes no changes"):
                publish(store, "b")
            assert "takes no changes" in str(self.refused(place, create=True))
            with closing(place.open(read_only=True)) as reader:
                assert reader.head(ENVIRONMENT) == head
        finally:
            self.administer(server, place, "SET GLOBAL read_only = OFF")

    def test_a_server_without_tls_hears_no_password(self, place: Place) -> None:
        """It stands between: what it says is a server's greeting, with the offer of TLS taken out."""
        heard: list[bytes] = []

        def greet() -> None:
            connection = listener.accept()[0]
            with connection:
                connection.sendall(GREETING)
                heard.append(connection.recv(65536))

        with socket.create_server(("127.0.0.1", 0)) as listener:
            greeting = threading.Thread(target=greet)
            greeting.start()
            port = listener.getsockname()[1]
            said = str(self.refused(Place(f"mysql://opsmail@127.0.0.1:{port}/x", place.password, place.ca)))
            greeting.join(30)
        assert "SSL" in said
        assert heard == [b""]

    def test_tables_are_examined(self, server: DatabaseServer, place: Place, store: Store) -> None:
        store.check()
        self.administer(server, place, "DROP TABLE opsmail_heads")
        with pytest.raises(StoreDamaged, match="opsmail_heads"):
            store.check()

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (pymysql.OperationalError(1114, "The table is full"), "is full: The table is full"),
            (pymysql.OperationalError(1142, "SELECT command denied"), "refuses this user"),
            (pymysql.OperationalError(1213, "Deadlock found"), "in use by others"),
            (pymysql.InterfaceError(0, ""), "cannot be used"),
            (pymysql.OperationalError("received\n\tthis"), "received this"),
            (pymysql.Error(), "cannot be used"),
            (None, "cannot be used"),
        ],
    )
    def test_what_the_server_says(self, store: Store, error: pymysql.Error | None, said: str) -> None:
        backend: Any = store._backend  # type: ignore[attr-defined]  # what only SQL stores have
        explained = backend.explain(error)
        assert said in str(explained)
        assert explained.hint is not None

    def test_the_documented_roles(self, mariadb_server: DatabaseServer) -> None:
        with closing(administer(mariadb_server)) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE opsmail")
            try:
                for role in ROLES:
                    cursor.execute(f"CREATE USER {role}@'%' IDENTIFIED BY '{mariadb_server.password}'")
                cursor.execute("GRANT ALL ON opsmail.* TO opsmail_owner@'%'")

                def grant(title: str) -> None:
                    for statement in documented(f"MariaDB, {title}"):
                        cursor.execute(statement)

                roles_are_kept(
                    mariadb_server,
                    lambda: grant("after the first publish"),
                    lambda: grant("who collects"),
                    refused="command denied",
                )
            finally:
                cursor.execute("DROP DATABASE opsmail")
                for role in ROLES:
                    cursor.execute(f"DROP USER {role}@'%'")

    @pytest.mark.parametrize(("version", "limited"), [("10.11.6-MariaDB-0+deb12u1", True), ("8.0.36", False)])
    def test_mysql_is_asked_for_nothing_that_only_mariadb_has(
        self, monkeypatch: pytest.MonkeyPatch, place: Place, store: Store, version: str, limited: bool
    ) -> None:
        """Stood for by a MariaDB that says it is a MySQL."""
        monkeypatch.setattr(pymysql.Connection, "get_server_info", lambda _: version)
        with closing(place.open(read_only=True)) as reader:
            backend: Any = reader._backend  # type: ignore[attr-defined]  # what only SQL stores have
            with backend.reading() as connection:
                assert (connection.exec_driver_sql("SELECT @@max_statement_time").scalar() > 0) is limited
