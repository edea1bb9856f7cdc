# ruff: noqa: S608 - the harm is done in SQL
"""What a store in a SQL database on a server does besides: whatever may be wrong with the database.

A backend runs this suite, after the one of `server.py`, by a class of its own.
"""

from __future__ import annotations

import os
import threading
from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from opsmail.store.audit import audit
from opsmail.store.interface import (
    HeadMoved,
    Store,
    StoreBusy,
    StoreDamaged,
    StoreMissing,
    StoreNewer,
    StoreUnavailable,
)
from tests.conformance.publishing import ENVIRONMENT, Place, invariant, name, publish, read_whole
from tests.conformance.relational import RelationalConformance, document, swap
from tests.conformance.server import ServerConformance
from tests.conformance.sweeping import heads
from tests.servers.databases import DatabaseServer

STORES_PAGE = Path(__file__).parents[2] / "docs" / "stores.md"


def documented(title: str) -> list[str]:
    """Return the statements of docs/stores.md that stand under a title in a comment."""
    _, _, rest = STORES_PAGE.read_text("utf-8").partition(f"<!-- {title} -->\n```sql\n")
    statements = rest.partition("```")[0].split(";")
    assert len(statements) > 1, title
    return [statement.strip() for statement in statements if statement.strip()]


#: The users of docs/stores.md.
ROLES = ("opsmail_owner", "opsmail_publisher", "opsmail_reader", "opsmail_application")


def roles_are_kept(
    server: DatabaseServer, grant: Callable[[], None], grant_collecting: Callable[[], None], *, refused: str
) -> None:
    """Publish, read and collect as the documented users, and try what they may not."""
    owner, publisher, reader, application = (server.place("opsmail", user=role) for role in ROLES)
    with closing(owner.open(create=True)) as store:
        publish(store, "owner")
    grant()
    with closing(publisher.open(create=True)) as store:
        assert publish(store, "publisher").number == 2
        swap(store, {"rh": document(), "a": document()})
        swap(store, {"rh": document("other.empresa.com.br"), "a": None})
        assert read_whole(store) == 4
        store.check()
    with closing(reader.open(read_only=True)) as store:
        assert read_whole(store) == 4
        assert audit(store, ENVIRONMENT).generations == 4
    forbidden = {
        publisher: [
            "DELETE FROM opsmail_events",
            "UPDATE opsmail_events SET hash = ''",
            "UPDATE opsmail_blobs SET content = ''",
            "DELETE FROM opsmail_blobs",
            "DELETE FROM opsmail_generations",
            "DELETE FROM opsmail_heads",
            "UPDATE opsmail_store SET epoch = 2",
            "DROP TABLE opsmail_operators",
        ],
        reader: [
            "INSERT INTO opsmail_heads VALUES ('x', 1, '', 1, '')",
            "UPDATE opsmail_heads SET number = 1",
            "SELECT * FROM opsmail_operators",
        ],
        application: ["DELETE FROM opsmail_operators", "SELECT * FROM opsmail_blobs"],
    }
    for place, statements in forbidden.items():
        for statement in statements:
            with pytest.raises(DBAPIError, match=refused):
                speak(place, statement)
    (row,) = speak(application, "SELECT server_host FROM opsmail_operators WHERE environment = 'production'")
    assert tuple(row) == ("other.empresa.com.br",)
    with closing(publisher.open()) as store:
        useless = {name(b"useless"): b"useless"}
        store.write_missing(useless)
        with pytest.raises(StoreUnavailable, match="refuses this user"):
            store.sweep(heads(store), useless)
        with pytest.raises(StoreUnavailable, match="refuses this user"):
            store.let_go(store.head(ENVIRONMENT), oldest=2, events=[b"{}"])
        grant_collecting()
        store.let_go(store.head(ENVIRONMENT), oldest=2, events=[b"{}"])
        assert store.sweep(heads(store), useless) == 1
        assert audit(store, ENVIRONMENT).oldest == 2
    for statement in ("DELETE FROM opsmail_events", "DELETE FROM opsmail_heads", "UPDATE opsmail_store SET epoch = 2"):
        with pytest.raises(DBAPIError, match=refused):
            speak(publisher, statement)


def speak(place: Place, statement: str) -> list[Any]:
    """Execute a statement as the user of a place does without opsmail; return its rows."""
    url = make_url(place.url).set(password=place.password)
    dialect = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}[url.drivername]
    engine = create_engine(url.set(drivername=dialect), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        result = connection.exec_driver_sql(statement)
        return list(result) if result.returns_rows else []


class DatabaseConformance(RelationalConformance, ServerConformance):
    #: The backend.
    module: str

    @abstractmethod
    def administer(self, server: DatabaseServer, place: Place, *statements: str) -> list[Any]:
        """Have the administrator execute statements in the store's schema; return the rows of the last."""

    @abstractmethod
    def hold(self, server: DatabaseServer, place: Place, statement: str) -> AbstractContextManager[None]:
        """Execute a statement and leave its transaction open while the context lasts."""

    @abstractmethod
    def used_tls(self, store: Store) -> bool:
        """Tell whether the store's connections are encrypted."""

    @abstractmethod
    def end_connections(self, server: DatabaseServer, place: Place) -> None:
        """Have the server end each connection to the store."""

    @abstractmethod
    def without_foreign_key(self, statement: str) -> list[str]:
        """Return statements that execute one although the generations refer to what it deletes."""

    def grant(self, table: str, place: Place) -> list[str]:
        """Return what gives the store's user a table that the administrator made."""
        return []

    def test_by_tls(self, in_the_clear: Place, store: Store) -> None:
        assert self.used_tls(store)
        with closing(in_the_clear.open()) as clear:
            assert not self.used_tls(clear)

    # What may be wrong with it

    def test_a_database_that_is_not_there(self, place: Place) -> None:
        assert not isinstance(
            self.refused(replace(place, url=place.url.rpartition("/")[0] + "/elsewhere")), StoreMissing
        )

    def test_a_store_that_ends_connections(self, server: DatabaseServer, place: Place, store: Store) -> None:
        head = publish(store, "a")
        self.end_connections(server, place)
        with pytest.raises(StoreUnavailable) as caught:
            store.head(ENVIRONMENT)
        assert caught.value.hint is not None
        # And nobody has to open it anew.
        assert store.head(ENVIRONMENT) == head
        assert publish(store, "b").number == 2

    @pytest.mark.case("D-25")
    def test_a_store_of_a_later_version(self, server: DatabaseServer, place: Place, store: Store) -> None:
        self.administer(server, place, "UPDATE opsmail_store SET version = 2")
        for options in ({}, {"create": True}, {"read_only": True}):
            assert isinstance(self.refused(place, **options), StoreNewer)
        with pytest.raises(StoreNewer):
            publish(store, "a")

    @pytest.mark.case("D-27")
    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE opsmail_store (id INTEGER)",
            "CREATE TABLE opsmail_store (id INTEGER, version VARCHAR(9), store VARCHAR(9), epoch VARCHAR(9))",
        ],
    )
    def test_tables_that_are_somebody_elses(self, server: DatabaseServer, place: Place, statement: str) -> None:
        self.administer(server, place, statement, *self.grant("opsmail_store", place))
        assert isinstance(self.refused(place), StoreDamaged)

    @pytest.mark.case("D-25")
    def test_tables_without_a_name(self, server: DatabaseServer, place: Place, store: Store) -> None:
        """What a maker leaves who is killed between the tables and the row that names the store, where that can be."""
        self.administer(server, place, "DELETE FROM opsmail_store")
        with pytest.raises(StoreDamaged):
            place.open()
        with closing(place.open(create=True)) as again:
            assert publish(again, "a").number == 1

    def test_a_table_that_is_gone(self, server: DatabaseServer, place: Place, store: Store) -> None:
        publish(store, "a")
        self.administer(server, place, "DROP TABLE opsmail_events")
        with pytest.raises(StoreDamaged):
            store.head(ENVIRONMENT)

    def test_content_that_is_lost(self, server: DatabaseServer, place: Place, store: Store) -> None:
        head = publish(store, "a")
        self.administer(
            server, place, *self.without_foreign_key(f"DELETE FROM opsmail_blobs WHERE digest = '{head.digest}'")
        )
        with pytest.raises(StoreDamaged):
            audit(store, ENVIRONMENT)
        with pytest.raises(StoreDamaged):
            read_whole(store)

    def test_content_that_was_changed(self, server: DatabaseServer, place: Place, store: Store) -> None:
        head = publish(store, "a")
        self.administer(server, place, f"UPDATE opsmail_blobs SET content = '' WHERE digest = '{head.digest}'")
        with pytest.raises(StoreDamaged, match=str(head.digest)):
            read_whole(store)

    def test_what_is_read_cannot_be_changed(self, store: Store) -> None:
        backend: Any = store._backend  # type: ignore[attr-defined]  # what only SQL stores have
        with pytest.raises(StoreUnavailable, match="takes no changes"), backend.reading() as connection:
            connection.exec_driver_sql("DELETE FROM opsmail_events")

    # At the same time

    @pytest.mark.case("D-26")
    def test_somebody_who_holds_the_head(
        self, monkeypatch: pytest.MonkeyPatch, server: DatabaseServer, place: Place, store: Store
    ) -> None:
        monkeypatch.setattr(f"{self.module}.LOCK_SECONDS", 1)
        head = publish(store, "a")
        with self.hold(server, place, "UPDATE opsmail_heads SET events = events"):
            # Who only reads waits for nobody.
            assert store.head(ENVIRONMENT) == head
            with pytest.raises(StoreBusy) as caught:
                store.append_events(head, [b"{}"])
            assert caught.value.hint is not None
        assert store.append_events(head, [b"{}"]).events == 2

    def test_two_that_make_it_at_the_same_time(self, place: Place) -> None:
        made: list[Any] = []

        def make() -> None:
            try:
                with closing(place.open(create=True)) as store:
                    made.append(store.identity())
            except Exception as error:  # whatever it is, the test tells it
                made.append(error)
                raise

        makers = [threading.Thread(target=make) for _ in range(4)]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join(60)
        assert len(made) == len(makers)
        assert len(set(made)) == 1, made

    @pytest.mark.case("D-12")
    def test_publishers_whose_connections_are_ended(self, server: DatabaseServer, place: Place, store: Store) -> None:
        acknowledged = publish(store, "first").number
        attempted = acknowledged
        ended = threading.Event()

        def end() -> None:
            moment = int.from_bytes(os.urandom(1)) / 256
            while not ended.wait(0.02 + moment * 0.03):
                self.end_connections(server, place)

        ending = threading.Thread(target=end)
        ending.start()
        try:
            lost = 0
            while lost < 12:
                try:
                    attempted = max(attempted, acknowledged + 1)
                    acknowledged = publish(store, "a").number
                    attempted = max(attempted, acknowledged)
                except HeadMoved as error:
                    # An attempt with an unknown outcome, which had happened.
                    acknowledged = error.found.number
                except StoreUnavailable:
                    lost += 1
        finally:
            ended.set()
            ending.join(30)
        # It may notice only now that its last connection was ended.
        with suppress(StoreUnavailable):
            store.head(ENVIRONMENT)
        invariant(store, acknowledged=acknowledged, attempted=attempted + lost)
