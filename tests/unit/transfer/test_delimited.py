"""Text tables: whatever their delimiter and encoding, read exactly or refused with the row."""

from __future__ import annotations

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmail.transfer import delimited, interface
from opsmail.transfer.delimited import DELIMITERS
from opsmail.transfer.interface import TableError
from tests.unit.transfer.tables import csv_table, rows

HEAD = "Operador,Servidor,Senha,Remetente\n"


def refused(content: str | bytes, encoding: str = "utf-8") -> str:
    with pytest.raises(TableError) as caught:
        rows(csv_table(content, encoding=encoding))
    assert caught.value.hint is not None
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    return str(caught.value)


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_delimiter_and_the_line_ends_of_a_spreadsheet(delimiter: str, end: str) -> None:
    table = [
        ("Operador", "Servidor SMTP", "Senha", "Descrição"),
        ("rh", "smtp.x.test", "hunter2", f'a{delimiter} "b", c;d'),
        ("", "", "", ""),
        (" folha ", "smtp.y.test", "hunter2", ""),
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(table)
    found = rows(csv_table(text.getvalue()))
    assert found == [
        (2, {"operator": "rh", "server.host": "smtp.x.test", "name": f'a{delimiter} "b", c;d'}),
        (4, {"operator": "folha", "server.host": "smtp.y.test"}),
    ]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20), min_size=1))
def test_whatever_is_written_is_read(names: list[str]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("Servidor", "Senha", "Nome"), *(("s", "hunter2", name) for name in names)])
    found = rows(csv_table(text.getvalue()))
    assert [row.cells.get("name", "") for row in found] == [name.strip() for name in names]


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_a_sentence(content: bytes) -> None:
    for encoding in ("utf-8", "cp1252"):
        table = csv_table(HEAD.encode() + content, encoding=encoding)
        with suppress(TableError):
            assert all(row.cells.keys() <= {"operator", "server.host", "sender.address"} for row in table.rows())


def test_the_encodings_of_windows() -> None:
    text = "Servidor;Descrição\ns;Notificações – “RH”\n"
    wanted = [(2, {"server.host": "s", "name": "Notificações – “RH”"})]
    assert rows(csv_table(text.encode("utf-8-sig"))) == wanted
    assert rows(csv_table(text, encoding="cp1252")) == wanted
    assert refused(text.encode("cp1252")) == "row 1 is not UTF-8"
    assert refused(b"Servidor,Nome\ns,\x81\n", encoding="cp1252") == "row 2 is not CP1252"


@pytest.mark.parametrize("first", ["sep=;\n", "\nSEP=;\r\n", "\n  \n"])
def test_what_may_stand_before_the_names(first: str) -> None:
    number = first.count("\n") + 2
    assert rows(csv_table(f"{first}Servidor;Nome\ns;n\n")) == [(number, {"server.host": "s", "name": "n"})]


def test_a_delimiter_at_the_end_of_each_line() -> None:
    assert rows(csv_table("Servidor,Nome,\ns,n,\n")) == [(2, {"server.host": "s", "name": "n"})]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{HEAD}rh,s,hunter2,x,hunter2\n", "row 2 has 5 cells, but 4 columns have names"),
        (f"{HEAD}rh,s,x@y,hunter2\nrh,s,hunter2\n", "row 3 has 3 cells, but 4 columns have names"),
        (f'{HEAD}rh,"s"hunter2,x,y\n', "row 2: its quotes do not fit together"),
        (f'{HEAD}\nrh,s,"hunter2,x\ny,z\n', "row 3: its quotes do not fit together"),
        (HEAD + 'a,b,c,d\nrh,s,"hunter2' + "x" * 200_000 + '",x\n', "row 3 has more than 64 KiB"),
        (
            HEAD + 'a,b,"' + "hunter2\n" * 20_000 + '",d\n',
            "row 2: its quotes do not fit together, or a cell never ends",
        ),
        ('"Servidor\n', "row 1: its quotes do not fit together"),
        ("x" * 70_000, "row 1 has more than 64 KiB"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_row(content: str, message: str) -> None:
    assert message in refused(content)


def test_a_million_rows_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "MOST_ROWS", 3)
    assert "row 5: a table of more than 3 operators is not read" in refused(HEAD + "a,b,hunter2,d\n" * 1_000_000)


def test_neither_is_more_than_a_file_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MOST_BYTES", 1 << 20)
    line = f"a,b,hunter2,{'d' * 60_000}\n"
    assert "a file of more than 1 MiB is not read" in refused(HEAD + line * 20)
