# ruff: noqa: S608 - the damage is done in SQL
"""What is found in tables that somebody else has changed, and how many statements a call takes."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event as sqlalchemy_event

from opsmail.store.audit import audit
from opsmail.store.interface import PAGE, Event, MissingBlobs, StoreDamaged
from opsmail.store.sql import SqlStore
from opsmail.store.sqlite import open_sqlite
from tests.conformance.publishing import ENVIRONMENT, generation, name, publish, read_whole


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    with closing(open_sqlite(f"sqlite:///{path}", create=True)) as store:
        for publisher in "abc":
            publish(store, publisher)
        yield store


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def counted(store: SqlStore) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    for engine in (store._backend.reader, store._backend.writer):
        sqlalchemy_event.listen(engine, "before_cursor_execute", note)
    yield statements


def test_the_head_is_one_statement(store: SqlStore) -> None:
    with counted(store) as statements:
        assert store.head(ENVIRONMENT).number == 3
    assert len(statements) == 1


def test_a_poll_is_one_statement_about_one_table(store: SqlStore) -> None:
    digest = str(store.head(ENVIRONMENT).digest)
    with counted(store) as statements:
        assert store.stands_at(ENVIRONMENT, digest)
    assert len(statements) == 1
    assert re.findall(r"(?:FROM|JOIN) (\w+)", statements[0]) == ["opsmail_heads"]


def test_ten_thousand_blobs_take_few_statements(store: SqlStore) -> None:
    blobs = {name(content): content for content in (b"%d" % i for i in range(10_000))}
    with counted(store) as statements:
        store.write_missing(blobs)
    # Per thousand a question and an INSERT of many rows, and the BEGIN.
    assert len(statements) == 21
    with counted(store) as statements:
        store.read(blobs)
    assert len(statements) == 10


HEADS = [
    # A publisher that moves the head before it writes the generation.
    "UPDATE opsmail_heads SET number = 4",
    "UPDATE opsmail_heads SET number = 2",
    "UPDATE opsmail_heads SET number = 0, digest = NULL",
    "UPDATE opsmail_heads SET number = 0",
    "UPDATE opsmail_heads SET number = 'three'",
    "UPDATE opsmail_heads SET number = -1",
    "UPDATE opsmail_heads SET digest = NULL",
    "UPDATE opsmail_heads SET digest = 'x'",
    f"UPDATE opsmail_heads SET digest = '{'0' * 64}'",
    "UPDATE opsmail_heads SET events = 4",
    "UPDATE opsmail_heads SET events = 2",
    "UPDATE opsmail_heads SET events = 'three'",
    "UPDATE opsmail_heads SET last_hash = 'x'",
    f"UPDATE opsmail_heads SET last_hash = '{'0' * 64}'",
    "DELETE FROM opsmail_heads",
    # Put back as a whole, to a generation that was published once.
    (
        "UPDATE opsmail_heads SET (number, digest, events, last_hash) = (SELECT 2, g.digest, 2, e.hash"
        " FROM opsmail_generations g, opsmail_events e WHERE g.number = 2 AND e.sequence = 2)"
    ),
    "DELETE FROM opsmail_events WHERE sequence = 3",
    "DELETE FROM opsmail_generations WHERE number = 3",
    "UPDATE opsmail_generations SET digest = 'x' WHERE number = 3",
]


@pytest.mark.case("D-05")
@pytest.mark.parametrize("statement", HEADS)
def test_a_head_that_fits_nothing(path: Path, store: SqlStore, statement: str) -> None:
    edit(path, statement)
    with pytest.raises(StoreDamaged, match="head of environment production"):
        store.head(ENVIRONMENT)
    with pytest.raises(StoreDamaged):
        read_whole(store)
    with pytest.raises(StoreDamaged):
        publish(store, "d")


def test_a_head_before_the_first_generation(path: Path, store: SqlStore) -> None:
    store.append_events(store.head("staging"), [b"{}"])
    edit(path, "UPDATE opsmail_events SET hash = 'x' WHERE environment = 'staging'")
    edit(path, "UPDATE opsmail_heads SET last_hash = 'x' WHERE environment = 'staging'")
    with pytest.raises(StoreDamaged, match="staging"):
        store.head("staging")


EVENTS = [
    "UPDATE opsmail_events SET payload = x'7b7d' WHERE sequence = 2",
    "UPDATE opsmail_events SET payload = '{}' WHERE sequence = 2",
    "UPDATE opsmail_events SET payload = 7 WHERE sequence = 2",
    "UPDATE opsmail_events SET hash = 'x' WHERE sequence = 2",
    "UPDATE opsmail_events SET hash = x'ff' WHERE sequence = 2",
    "DELETE FROM opsmail_events WHERE sequence = 2",
    "UPDATE opsmail_events SET sequence = 0 WHERE sequence = 1",
]


@pytest.mark.parametrize("statement", EVENTS)
def test_a_log_that_was_changed(path: Path, store: SqlStore, statement: str) -> None:
    edit(path, statement)
    with pytest.raises(StoreDamaged, match=r"event [12] "):
        store.events(ENVIRONMENT)
    with pytest.raises(StoreDamaged):
        audit(store, ENVIRONMENT)


@pytest.mark.parametrize("statement", ["DELETE FROM opsmail_events WHERE sequence = 2", EVENTS[3]])
def test_a_page_that_follows_nothing(path: Path, store: SqlStore, statement: str) -> None:
    edit(path, statement)
    with pytest.raises(StoreDamaged, match="event 2 is missing"):
        store.events(ENVIRONMENT, after=2)


@pytest.mark.parametrize("value", ["x'00'", "'text'", "1000000000", "''"])
def test_a_blob_that_was_changed(path: Path, store: SqlStore, value: str) -> None:
    digest = store.head(ENVIRONMENT).digest
    assert digest is not None
    edit(path, f"UPDATE opsmail_blobs SET content = {value} WHERE digest = '{digest}'")
    with pytest.raises(StoreDamaged, match=digest):
        store.read([digest])
    with pytest.raises(StoreDamaged):
        audit(store, ENVIRONMENT)


@pytest.mark.parametrize("change", ["digest = 'x'", "digest = 7", "number = 'two'", "number = 2.5"])
def test_a_generation_that_was_changed(path: Path, store: SqlStore, change: str) -> None:
    edit(path, f"UPDATE opsmail_generations SET {change} WHERE number = 2")
    with pytest.raises(StoreDamaged, match="has no digest"):
        store.generations(ENVIRONMENT)


def test_rows_in_the_way_of_a_publish(path: Path, store: SqlStore) -> None:
    head = store.head(ENVIRONMENT)
    digest, blobs = generation(head, "d")
    store.write_missing(blobs)
    edit(path, "INSERT INTO opsmail_events SELECT environment, 4, payload, hash FROM opsmail_events WHERE sequence = 1")
    with pytest.raises(StoreDamaged, match="UNIQUE"):
        store.swap_head(head, number=4, digest=digest, events=[b"{}"])
    assert store.generation(ENVIRONMENT, 4) is None
    edit(path, "DELETE FROM opsmail_events WHERE sequence = 4")
    assert store.head(ENVIRONMENT) == head


# Publishers that do it wrong, told by what they leave


@pytest.mark.case("D-05")
@pytest.mark.parametrize(
    ("left_behind", "said"),
    [
        # No compare-and-swap: the later one wrote over the head and log of the earlier one.
        (["DELETE FROM opsmail_generations WHERE number = 2"], "generations"),
        (["UPDATE opsmail_generations SET number = 0 WHERE number = 2"], "generations"),
        # No transaction: the log was cut and its end written anew.
        (
            [
                "DELETE FROM opsmail_events WHERE sequence = 1",
                "UPDATE opsmail_events SET sequence = sequence - 1 WHERE sequence = 2",
            ],
            "event 1",
        ),
        # Content of a generation lost.
        (
            ["DELETE FROM opsmail_blobs WHERE digest = (SELECT digest FROM opsmail_generations WHERE number = 1)"],
            "lost",
        ),
    ],
)
def test_an_audit_finds_what_a_head_does_not_show(
    path: Path, store: SqlStore, left_behind: list[str], said: str
) -> None:
    edit(path, *left_behind)
    assert store.head(ENVIRONMENT).number == 3
    with pytest.raises(StoreDamaged, match=said):
        audit(store, ENVIRONMENT)


def test_an_audit_reads_the_blobs(path: Path, store: SqlStore) -> None:
    first = store.generation(ENVIRONMENT, 1)
    edit(path, f"UPDATE opsmail_blobs SET content = x'00' WHERE digest = '{first}'")
    with pytest.raises(StoreDamaged, match=str(first)):
        audit(store, ENVIRONMENT)


class CutShort(SqlStore):
    """A backend that lost the end of a log and did not notice."""

    def events(self, environment: str, *, after: int = 0, limit: int = PAGE) -> tuple[Event, ...]:
        return super().events(environment, after=after, limit=2) if after == 0 else ()


def test_an_audit_reaches_the_head(store: SqlStore) -> None:
    with pytest.raises(StoreDamaged, match="events of environment production do not reach its head"):
        audit(CutShort(store._backend), ENVIRONMENT)


def test_an_audit_without_the_databases_own(path: Path, store: SqlStore) -> None:
    """What a backend without foreign keys would have to find."""
    edit(path, "DELETE FROM opsmail_blobs WHERE digest = (SELECT digest FROM opsmail_generations WHERE number = 1)")
    digest = str(store.generation(ENVIRONMENT, 1))
    with pytest.raises(MissingBlobs):
        store.read([digest])


@pytest.mark.parametrize("count", ["-1", "'x'", "NULL"])
def test_a_count_of_sweeps_that_is_none(path: Path, store: SqlStore, count: str) -> None:
    edit(
        path,
        "CREATE TABLE other AS SELECT * FROM opsmail_store",
        "DROP TABLE opsmail_store",
        "ALTER TABLE other RENAME TO opsmail_store",
        f"UPDATE opsmail_store SET sweeps = {count}",
    )
    with pytest.raises(StoreDamaged, match="how often it was collected"):
        store.head(ENVIRONMENT)


def test_a_blob_whose_name_is_none(path: Path, store: SqlStore) -> None:
    edit(path, "INSERT INTO opsmail_blobs (digest, content) VALUES ('x', x'00')")
    with pytest.raises(StoreDamaged, match="a blob has no digest"):
        store.blobs()
