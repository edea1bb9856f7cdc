"""Tables in JSON: arrays, objects by name, and what `opsmail export` writes."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmail.errors import UsageError
from opsmail.references import SecretReference
from opsmail.transfer import interface
from opsmail.transfer import json as json_tables
from opsmail.transfer.interface import TableError
from tests.unit.transfer.tables import json_table, rows

ROW = {"Servidor": "s", "Porta": 587, "Ativo": True, "Senha": "hunter2", "Obs": None}
CELLS = {"server.host": "s", "server.port": "587", "enabled": "true"}


def cells(document: Any) -> list[Any]:
    return [row.cells for row in rows(json_table(json.dumps(document)))]


def refused(text: str | bytes) -> str:
    with pytest.raises(TableError) as caught:
        rows(json_table(text))
    assert caught.value.hint is not None
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    return str(caught.value)


@pytest.mark.parametrize(
    "document",
    [[ROW], {"operators": [ROW]}, {"generation": 3, "operators": {"rh": ROW}}, {"rh": ROW}],
    ids=["array", "array of operators", "export", "by name"],
)
def test_where_the_rows_are(document: Any) -> None:
    name = {} if isinstance(document, list) or isinstance(document.get("operators"), list) else {"operator": "rh"}
    assert cells(document) == [CELLS | name]


def test_a_name_in_the_object_is_the_one_that_counts() -> None:
    assert cells({"1": {"Servidor": "s", "operator": "rh"}})[0]["operator"] == "rh"


def test_sections_are_columns_with_dots() -> None:
    assert cells([{"server": {"host": "s", "port": 25}, "labels": {"team": "rh"}}]) == [
        {"server.host": "s", "server.port": "25", "labels.team": "rh"}
    ]


def test_rows_may_have_different_keys() -> None:
    assert cells([{"Servidor": "s"}, {"Servidor": "t", "Nome": "n"}]) == [
        {"server.host": "s"},
        {"server.host": "t", "name": "n"},
    ]


def test_what_no_cell_can_be_is_left_out() -> None:
    deep: Any = {"x": "y"}
    for _ in range(20):
        deep = {"a": deep}
    assert cells([{"Servidor": "s", "Nome": ["n"], "Porta": float("nan"), "deep": deep}]) == [{"server.host": "s"}]


def test_a_byte_order_mark_and_the_encoding_of_windows() -> None:
    text = json.dumps([{"Servidor": "s", "Nome": "Ação"}], ensure_ascii=False)
    wanted = [(1, {"server.host": "s", "name": "Ação"})]
    assert rows(json_table(text.encode("utf-8-sig"))) == wanted
    assert rows(json_table(text, encoding="cp1252")) == wanted
    assert refused(b"[\n\xe7]") == "row 2 is not UTF-8"


# --- secrets


def test_a_value_of_a_key_of_secrets_is_gone_when_it_is_parsed() -> None:
    secret = "hunter2"
    document = [{"Servidor": "s", "Senha": secret, "client": {"secret": secret, "token": {"value": [secret]}}}]
    table = json_table(json.dumps(document))
    assert [str(name) for name in table.header.secret] == ["`Senha`", "`client.secret`", "`client.token`"]
    assert secret not in repr(vars(table))


def test_references_are_kept_where_an_operator_has_them_and_nowhere_else() -> None:
    credential = {"kind": "certificate", "pfx": "vault://a/b#c", "passphrase": "hunter2", "secret": "nobody://x"}
    document = [
        {
            "server": {"host": "s"},
            "authentication": {"password": "env://RH", "credential": credential},
            "Senha": "env://OTHER",
        },
        {"server": {"host": "s"}, "authentication": {"password": "hunter2"}},
    ]
    first, second = cells(document)
    assert first == {
        "server.host": "s",
        "authentication.password": SecretReference("env", "RH"),
        "authentication.credential.kind": "certificate",
        "authentication.credential.pfx": SecretReference("vault", "a/b", "c"),
    }
    assert second == {"server.host": "s"}
    assert cells([{"Servidor": "s", "authentication": {"credential": "hunter2"}}]) == [{"server.host": "s"}]


# --- what is refused


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "row 1 is no object"),
        ('[{"Servidor": "s"}, "hunter2"]', "row 2 is no object"),
        ("{}", "this is no table of operators"),
        ("[]", "this is no table of operators"),
        ('{"a": {}, "b": 1}', "this is no table of operators"),
        ('"hunter2"', "this is no table of operators"),
        ("[" * 100_000, "this is no table of operators"),
        ('[{"Senha": "hunter2",\n;}', "line 2 is no JSON"),
        ('[{"Senha": "hunter2', "line 1 is no JSON"),
        ('[{"Servidor": "s", "Senha": "hunter2", "Senha": ""}]', "an object has the same key twice"),
        ("", "line 1 is no JSON"),
    ],
)
def test_what_is_no_table(text: str, message: str) -> None:
    assert message in refused(text)


def test_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "MOST_ROWS", 2)
    assert "row 3: a table of more than 2" in refused(json.dumps([ROW] * 3))
    monkeypatch.setattr(json_tables, "MOST_BYTES", 1 << 20)
    assert refused(" " * ((1 << 20) + 1)) == "a file of more than 1 MiB is not read"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Servidor", "Senha", "x"]), inner),
    max_leaves=8,
)


@given(JSON)
def test_any_document_is_rows_or_a_sentence(document: Any) -> None:
    with suppress(UsageError):
        assert all(row.cells.keys() <= {"server.host", "operator"} for row in rows(json_table(json.dumps(document))))
