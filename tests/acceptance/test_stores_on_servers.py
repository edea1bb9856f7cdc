"""The whole way with a store on a server: its password outside, its CA in the repository, TLS, a reader, an outage."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.acceptance.fleets import HR
from tests.acceptance.repository import Repository
from tests.conformance.publishing import Place
from tests.servers import etcd, mariadb, postgres
from tests.servers.databases import DatabaseServer

pytestmark = pytest.mark.acceptance
PASSWORD = "OPSMAIL_STORE_PASSWORD"


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


def test_mariadb(published: Repository, mariadb_server: DatabaseServer) -> None:
    with moved(published, mariadb.new_place(mariadb_server)) as place:
        published_and_told(published, place)


def test_etcd(published: Repository, etcd_server: DatabaseServer) -> None:
    with moved(published, etcd.new_place(etcd_server)) as place:
        published_and_told(published, place)
