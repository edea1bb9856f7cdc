"""The whole way with a store on a server: its password outside, its CA in the repository, TLS, a reader, an outage."""

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from tests.acceptance.fleets import HR
from tests.acceptance.repository import Repository
from tests.conformance.publishing import Place
from tests.servers import etcd, mariadb, postgres
from tests.servers.databases import DatabaseServer

pytestmark = pytest.mark.acceptance
PASSWORD = "OPSMAIL_STORE_PASSWORD"
READER_PASSWORD = "OPSMAIL_READER_PASSWORD"


@contextmanager
def moved(repository: Repository, place: AbstractContextManager[Place]) -> Iterator[Place]:
    """Move the repository's store to another place, where nothing is yet."""
    with place as found:
        assert found.ca is not None
        assert found.password is not None
        repository.secrets[PASSWORD] = found.password
        repository.write("ca/store.pem", found.ca)
        settings = repository.read("opsmail.toml")
        store = f'[store]\nurl = "{found.url}"\npassword = "env://{PASSWORD}"\nca = "ca/store.pem"\n'
        repository.write("opsmail.toml", f"{settings}\n{store}")
        repository.commit("Outro armazenamento")
        yield found


@dataclass(frozen=True)
class Reader:
    """A user of PostgreSQL who may log in, and read once that is granted."""

    connection: "psycopg.Connection[Any]"
    schema: str
    name: str
    password: str

    def grant(self) -> None:
        """Let them read everything of the schema."""
        schema, name = sql.Identifier(self.schema), sql.Identifier(self.name)
        for statement in (
            "GRANT USAGE ON SCHEMA {schema} TO {name}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {name}",
        ):
            self.connection.execute(sql.SQL(statement).format(schema=schema, name=name))


@contextmanager
def reading(server: DatabaseServer, place: Place) -> Iterator[Reader]:
    """Make a user who finds the tables of a place."""
    user = make_url(place.url).username
    assert user is not None
    name, password = f"{user}_reader", secrets.token_urlsafe(18)
    with closing(postgres.administer(server)) as connection:
        role = sql.Identifier(name)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        connection.execute(sql.SQL("ALTER ROLE {} SET search_path = {}").format(role, sql.Identifier(user)))
        try:
            yield Reader(connection, user, name, password)
        finally:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def published_and_told(repository: Repository, place: Place) -> None:
    repository.run("plan")
    # A plan makes no store.
    assert "there is no store" in repository.run("show", HR, code=4).err
    repository.run("test")
    repository.run("publish", "--yes")
    assert HR in repository.run("show", HR).out
    assert "3 operators" in repository.run("history").out
    # Nothing is left to do.
    repository.run("publish", "--yes")
    missing = repository.run("history", code=4, without=(PASSWORD,))
    assert f"`{PASSWORD}` is not set" in missing.err
    wrong = repository.run("history", code=4, environment={PASSWORD: "not-the-password"})
    assert "hint: " in wrong.err
    assert "not-the-password" not in wrong.err
    repository.edit("opsmail.toml", place.url, place.url.replace("://", "://x:secret-in-the-url@", 1))
    repository.commit("Senha no endereço")
    refused = repository.run("history", code=2)
    assert "holds a password" in refused.err
    assert "secret-in-the-url" not in refused.err + refused.out


def test_postgresql(published: Repository, postgres_server: DatabaseServer) -> None:
    with moved(published, postgres.new_place(postgres_server)) as place:
        published_and_told(published, place)


def test_who_only_reads_logs_in_as_the_reader(published: Repository, postgres_server: DatabaseServer) -> None:
    with moved(published, postgres.new_place(postgres_server)) as place, reading(postgres_server, place) as reader:
        published.run("test")
        published.run("publish", "--yes")
        password = f'password = "env://{PASSWORD}"\n'
        own = f'{password}reader = "{reader.name}"\nreader_password = "env://{READER_PASSWORD}"\n'
        published.edit("opsmail.toml", password, own)
        published.commit("Quem só lê")
        published.secrets[READER_PASSWORD] = reader.password
        refused = published.run("history", code=4).err
        assert f"{reader.name}@" in refused
        assert "or grant this user the rights" in refused
        reader.grant()
        for command in (["plan"], ["drift"], ["history", "--verify"], ["why", HR], ["status"]):
            published.run(*command, without=(PASSWORD,))
        missing = published.run("hold", HR, "--reason", "Aviso", code=4, without=(PASSWORD,))
        assert f"`{PASSWORD}` is not set" in missing.err
        published.run("hold", HR, "--reason", "Aviso", without=(READER_PASSWORD,))


def test_mariadb(published: Repository, mariadb_server: DatabaseServer) -> None:
    with moved(published, mariadb.new_place(mariadb_server)) as place:
        published_and_told(published, place)


def test_etcd(published: Repository, etcd_server: DatabaseServer) -> None:
    with moved(published, etcd.new_place(etcd_server)) as place:
        published_and_told(published, place)
