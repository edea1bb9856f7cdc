from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from opsmail.store.interface import Store, StoreUnavailable
from tests.conformance.database import ROLES, DatabaseConformance, documented, roles_are_kept
from tests.conformance.publishing import ENVIRONMENT, Place, name, publish
from tests.conformance.relational import document, swap
from tests.servers.databases import DatabaseServer
from tests.servers.postgres import ADMINISTRATOR, administer, new_place

#: So many operators that the database is told of them.
LOAD: dict[str, bytes | None] = {f"o{number}": document() for number in range(1000)}


def schema(place: Place) -> str:
    """A user's schema is called as the user."""
    user = urlsplit(place.url).username
    assert user is not None
    return user


class TestPostgresStore(DatabaseConformance):
    module = "opsmail.store.postgres"
    limits = ("opsmail.store.postgres.CONNECT_SECONDS", "opsmail.store.postgres.STATEMENT_SECONDS")
    commit = b"COMMIT\0"

    @pytest.fixture
    def server(self, postgres_server: DatabaseServer) -> DatabaseServer:
        return postgres_server

    @pytest.fixture
    def place(self, postgres_server: DatabaseServer) -> Iterator[Place]:
        with new_place(postgres_server) as place:
            yield place

    def administer(self, server: DatabaseServer, place: Place, *statements: str) -> list[Any]:
        with closing(administer(server)) as connection:
            connection.execute(f"SET search_path = {schema(place)}")
            for statement in statements[:-1]:
                connection.execute(statement)
            cursor = connection.execute(statements[-1])
            return cursor.fetchall() if cursor.description else []

    def hold(self, server: DatabaseServer, place: Place, statement: str) -> AbstractContextManager[None]:
        @contextmanager
        def holding() -> Iterator[None]:
            with closing(administer(server)) as connection:
                connection.execute(f"SET search_path = {schema(place)}")
                with connection.transaction(force_rollback=True):
                    connection.execute(statement)
                    yield

        return holding()

    def used_tls(self, store: Store) -> bool:
        return self.ask(store, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") is True

    def ask(self, store: Store, question: str, *, writing: bool = False) -> Any:
        backend: Any = store._backend  # type: ignore[attr-defined]  # what only SQL stores have
        with backend.writing() if writing else backend.reading() as connection:
            return connection.exec_driver_sql(question).scalar()

    def end_connections(self, server: DatabaseServer, place: Place) -> None:
        with closing(administer(server)) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [schema(place)]
            )

    def user_with(self, server: DatabaseServer, place: Place, password: str) -> Place:
        self.administer(server, place, f"ALTER ROLE {schema(place)} PASSWORD '{password}'")
        return replace(place, password=password)

    def without_foreign_key(self, statement: str) -> list[str]:
        return ["ALTER TABLE opsmail_generations DROP CONSTRAINT opsmail_generations_digest_fkey", statement]

    def grant(self, table: str, place: Place) -> list[str]:
        return [f"ALTER TABLE {table} OWNER TO {schema(place)}"]

    # What only PostgreSQL has

    def test_nothing_comes_from_the_environment(
        self, monkeypatch: pytest.MonkeyPatch, place: Place, in_the_clear: Place, store: Store
    ) -> None:
        for variable, value in {
            "PGHOSTADDR": "127.0.0.9",
            "PGSSLMODE": "disable",
            "PGSSLROOTCERT": "/nonexistent",
            "PGOPTIONS": "-c synchronous_commit=off",
            "PGPASSWORD": "another-password",
            "PGPORT": "1",
        }.items():
            monkeypatch.setenv(variable, value)
        with closing(in_the_clear.open()) as again:
            assert again.identity() == store.identity()
        monkeypatch.delenv("PGHOSTADDR")
        with closing(place.open()) as again:
            assert self.used_tls(again)

    @pytest.mark.case("D-16")
    def test_commits_are_durable_whatever_the_server_s_default(self, store: Store) -> None:
        assert self.ask(store, "SHOW synchronous_commit") == "off"
        assert self.ask(store, "SHOW synchronous_commit", writing=True) == "on"

    def test_more_than_durable_stays_so(self, server: DatabaseServer, place: Place, store: Store) -> None:
        self.administer(server, place, f"ALTER ROLE {schema(place)} SET synchronous_commit = remote_apply")
        assert self.ask(store, "SHOW synchronous_commit", writing=True) == "remote_apply"

    @pytest.mark.parametrize("setting", ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"])
    def test_nothing_takes_for_ever(self, store: Store, setting: str) -> None:
        assert self.ask(store, f"SHOW {setting}", writing=True) in {"5s", "30s", "1min"}

    @pytest.mark.case("D-16")
    @pytest.mark.parametrize(
        ("function", "said"),
        [
            ("current_setting(text) RETURNS text RETURN 'off'", "in a power cut"),
            ("pg_is_in_recovery() RETURNS boolean RETURN true", "follows another one"),
        ],
    )
    def test_servers_that_are_not_written_to(
        self, server: DatabaseServer, place: Place, store: Store, function: str, said: str
    ) -> None:
        """Stood for by functions of ours, found before the server's own."""
        head = publish(store, "a")
        self.administer(
            server,
            place,
            f"CREATE FUNCTION {function}",
            f"ALTER ROLE {schema(place)} SET search_path = {schema(place)}, pg_catalog",
        )
        with pytest.raises(StoreUnavailable, match=said):
            publish(store, "b")
        assert said in str(self.refused(place, create=True))
        with closing(place.open(read_only=True)) as reader:
            assert reader.head(ENVIRONMENT) == head

    def test_content_is_not_compressed(self, store: Store) -> None:
        """Digests do not become smaller by it, and a publish takes longer."""
        text = b"x" * 100_000
        store.write_missing({name(text): text})
        assert self.ask(store, "SELECT pg_column_size(content) FROM opsmail_blobs") == len(text)

    def test_a_load_is_counted_at_once(self, server: DatabaseServer, place: Place, store: Store) -> None:
        """Else the next change would read the whole environment to find the rows that it takes away."""
        swap(store, LOAD)
        where = f"environment = '{ENVIRONMENT}' AND operator IN ('o0', 'o1')"
        explained = self.administer(server, place, "EXPLAIN DELETE FROM opsmail_operators WHERE " + where)  # noqa: S608 - all constant
        plan = "\n".join(line for (line,) in explained)
        assert re.search("Index Cond: .*environment.* AND .*operator", plan)

    @pytest.mark.parametrize(
        "statement",
        ["ALTER TABLE opsmail_operators OWNER TO {administrator}", "SELECT 1"],
        ids=["who does not own the table", "who does"],
    )
    def test_a_load_waits_for_nobody_who_keeps_the_table(
        self, server: DatabaseServer, place: Place, store: Store, statement: str
    ) -> None:
        self.administer(
            server,
            place,
            statement.format(administrator=ADMINISTRATOR),
            f"GRANT SELECT, INSERT, DELETE ON opsmail_operators TO {schema(place)}",
        )
        with self.hold(server, place, "LOCK TABLE opsmail_operators IN SHARE UPDATE EXCLUSIVE MODE"):
            swap(store, LOAD)
        assert self.ask(store, "SELECT count(*) FROM opsmail_operators") == len(LOAD)

    def test_an_error_without_a_code(self, store: Store) -> None:
        backend: Any = store._backend  # type: ignore[attr-defined]  # what only SQL stores have
        said = backend.explain(psycopg.OperationalError("one line\n\tand another"))
        assert "one line and another" in str(said)

    @pytest.mark.parametrize(
        ("code", "said"), [("53100", "is full"), ("25006", "takes no changes"), ("42501", "refuses this user")]
    )
    def test_what_the_server_says(self, store: Store, code: str, said: str) -> None:
        backend: Any = store._backend  # type: ignore[attr-defined]  # what only SQL stores have
        explained = backend.explain(psycopg.errors.lookup(code)("in its words"))
        assert said in str(explained)
        assert explained.hint is not None

    @pytest.mark.parametrize("table", ["opsmail_blobs", "opsmail_operators"])
    def test_rows_in_bulk_that_the_server_refuses(
        self, server: DatabaseServer, place: Place, store: Store, table: str
    ) -> None:
        """They go past SQLAlchemy, and so do the server's words about them."""
        swap(store, {"a": document()})
        head = store.head(ENVIRONMENT)
        self.administer(
            server,
            place,
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE disk_full; END $$",
            f"CREATE TRIGGER refuse BEFORE INSERT ON {table} EXECUTE FUNCTION refuse()",
        )
        with pytest.raises(StoreUnavailable, match="is full"):
            swap(store, {"b": document()})
        assert store.head(ENVIRONMENT) == head

    def test_the_documented_roles(self, postgres_server: DatabaseServer) -> None:
        with closing(administer(postgres_server)) as connection:
            for statement in documented("PostgreSQL, before the first publish"):
                connection.execute(statement)
            try:
                for role in ROLES:
                    connection.execute(f"ALTER ROLE {role} PASSWORD '{postgres_server.password}'")

                def grant(title: str) -> None:
                    for statement in documented(f"PostgreSQL, {title}"):
                        connection.execute(statement)

                roles_are_kept(
                    postgres_server,
                    lambda: grant("after the first publish"),
                    lambda: grant("who collects"),
                    refused="permission denied|must be owner",
                )
            finally:
                for role in ROLES:
                    connection.execute(f"DROP OWNED BY {role} CASCADE")
                for role in ROLES:
                    connection.execute(f"DROP ROLE {role}")
