"""Of which kind a table is, is seen from what it holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from opsmail.errors import UnavailableError, UsageError
from opsmail.secrets import Secret
from opsmail.store.server import Access
from opsmail.transfer import interface, sql
from opsmail.transfer.interface import Row
from opsmail.transfer.sources import Source
from tests.unit.transfer.tables import expected

CREATE = """CREATE TABLE "Operadores" (id INTEGER PRIMARY KEY, "Operador" TEXT, "Servidor SMTP" TEXT, "Porta" INTEGER,
 "Senha" TEXT, "Ativo" BOOLEAN, "Foto" BLOB, "Validade da senha" DATE)"""
#: The second has a password that a reader would stumble over.
ROWS = (
    (2, "rh", "smtp.x.test", 587, "hunter2", True, b"\x00", "2027-05-01"),
    (1, "folha", "smtp.y.test", None, b"\xffhunter2", False, None, None),
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "legacy.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(CREATE)
        connection.executemany(f'INSERT INTO "Operadores" VALUES ({", ".join("?" * 8)})', ROWS)  # noqa: S608 - its own
    return path


def rows(place: object, table: str | None = None, *maps: str, access: Access | None = None) -> list[Row]:
    source = Source(str(place), "utf-8", table, access or Access())
    with source.opened(expected(*maps)) as opened:
        return list(opened.rows())


def refused(place: object, table: str | None = None, access: Access | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        rows(place, table, access=access)
    assert caught.value.hint is not None
    return str(caught.value)


@pytest.mark.parametrize(
    "text", ["Servidor,Nome\ns,n\n", '\ufeff [{"Servidor": "s", "Nome": "n"}]', '{"n": {"Servidor": "s"}}']
)
def test_text_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table"
    path.write_text(text, "utf-8")
    (row,) = rows(path)
    assert row.cells["server.host"] == "s"


@pytest.mark.parametrize("url", [False, True])
def test_a_database(database: Path, url: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(database.parent)
    found = rows("sqlite:///legacy.db" if url else "legacy.db", "Operadores")
    assert found == [
        (1, {"operator": "folha", "server.host": "smtp.y.test", "enabled": "0"}),
        (
            2,
            {
                "operator": "rh",
                "server.host": "smtp.x.test",
                "server.port": "587",
                "enabled": "1",
                "authentication.secret_expires": "2027-05-01",
            },
        ),
    ]


def test_the_column_of_passwords_is_not_even_asked_for(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    connect = sqlite3.connect

    def watched(*arguments: object, **options: object) -> sqlite3.Connection:
        connection = connect(*arguments, **options)  # type: ignore[call-overload]  # passed on as they are
        connection.set_trace_callback(asked.append)
        assert isinstance(connection, sqlite3.Connection)
        return connection

    monkeypatch.setattr(sqlite3, "connect", watched)
    rows(database, "Operadores")
    reading = [statement for statement in asked if "ORDER BY" in statement]
    assert len(reading) == 1
    assert "Servidor" in reading[0]
    assert "Senha" not in reading[0]
    assert not any("hunter2" in statement for statement in asked)


def test_what_is_no_text_is_left_to_who_judges_values(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (Servidor TEXT, Nome TEXT, Porta REAL, Ativo BLOB)")
        connection.execute("INSERT INTO t VALUES ('s', CAST(X'C3' AS TEXT), 587.0, X'01')")
        connection.execute("INSERT INTO t VALUES ('t', X'6EC3A3', NULL, X'6E')")
    first, second = rows(path, "main.t")
    assert first.cells == {"server.host": "s", "name": "\udcc3", "server.port": "587.0", "enabled": "1"}
    assert second.cells == {"server.host": "t", "name": "nã", "enabled": "n"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (Decimal(587), "587"),
        (datetime(2027, 5, 1), "2027-05-01T00:00:00"),  # noqa: DTZ001 - as drivers give what has no zone
        (date(2027, 5, 1), "2027-05-01"),
        (memoryview(b" a "), "a"),
        (" a ", "a"),
    ],
)
def test_values_of_other_drivers(value: object, text: str) -> None:
    assert sql._text(value) == text


def test_too_many_rows(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "MOST_ROWS", 1)
    monkeypatch.setattr(sql, "MOST_ROWS", 1)
    assert "row 2: a table of more than 1 operators" in refused(database, "Operadores")


@pytest.mark.parametrize(
    ("place", "table", "message"),
    [
        ("sqlite:///legacy.db", None, "a database has many tables"),
        ("oracle://x", "t", "a table cannot be read from such a URL"),
        ("postgresql://u:hunter2@localhost/x", "t", "the store's URL holds a password"),
        ("postgresql://u@db.test/x", "t", "nothing says which certificate to trust"),
        ("nowhere.csv", None, "nowhere.csv cannot be read: No such file"),
        (".", None, "cannot be read: Is a directory"),
        ("a\0b", None, "cannot be read: not a path"),
        ("table.csv", "t", "table.csv is none"),
    ],
)
def test_what_cannot_be_read(
    database: Path, place: str, table: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(database.parent)
    Path("table.csv").write_text("Servidor\ns\n")
    said = refused(place, table)
    assert message in said
    assert "hunter2" not in said


def test_a_password_is_for_databases(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Servidor\ns\n")
    assert "are for databases" in refused(path, access=Access(Secret("hunter2")))
    assert "neither a password nor a certificate" in refused("sqlite:///x", "t", Access(Secret("hunter2")))


@pytest.mark.parametrize(
    ("place", "table", "message"),
    [
        ("legacy.db", "operadores; DROP TABLE x", "there is no such table that this user may see"),
        ("sqlite:///nowhere.db", "t", "there is no such file"),
        ("broken.db", "t", "cannot be read"),
    ],
)
def test_a_database_that_cannot_be_read(
    database: Path, place: str, table: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(database.parent)
    Path("broken.db").write_bytes(b"SQLite format 3\0" + b"x" * 200)
    with pytest.raises(UnavailableError, match=message) as caught:
        rows(place, table)
    assert "--table" in str(caught.value.hint)


def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str) -> None:
        raise ImportError(f"No module named {module!r}")

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(UsageError, match="the library for this database is not installed") as caught:
        rows("mysql://u@localhost/x", "t")
    assert str(caught.value.hint) == "run `pip install 'opsmail[mysql]'`"


@pytest.mark.parametrize("beginning", [b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00"])
def test_a_spreadsheet_is_named_as_what_it_is(tmp_path: Path, beginning: bytes) -> None:
    (tmp_path / "form.xlsx").write_bytes(beginning + b"hunter2")
    assert refused(tmp_path / "form.xlsx").endswith("form.xlsx is a spreadsheet, and no table as text")
