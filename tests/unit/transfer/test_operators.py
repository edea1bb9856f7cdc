"""From rows to operators: what a row says, what is missing, and never what a person did not say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmail.operator.model import Operator
from opsmail.references import SecretReference
from opsmail.scaffold.operator_file import plain_text
from opsmail.shape import Decoder
from opsmail.source.reader import read_document
from opsmail.transfer.header import MappingError
from opsmail.transfer.operators import Conversion, Imported, parse_defaults
from tests.unit.transfer.tables import (
    COLUMNS,
    KeptInVariables,
    complete,
    csv_table,
    imported,
    json_table,
    operator_from,
    remarks,
)

DECODER = Decoder(Operator)


def read_back(operator: Imported) -> Any:
    """Return what the reader makes of the file; it has to be what the file was written to say."""
    document, problems = read_document(plain_text(operator.data, "operators").encode())
    assert problems == []
    assert document is not None
    assert document.data == operator.data
    return document.data


def test_a_row_that_says_everything() -> None:
    cells = complete(
        name="RH",
        role="Sim",
        enabled="Não",
        server_minimum_tls="1.3",
        sender_display_name="RH Empresa",
        sender_reply_to="x@y",
        sender_send_as="Sim",
        authentication_secret_expires="2027-05-01",
        limits_messages_per_minute="30",
    )
    operator = operator_from(cells | {"labels.no": "0123"})
    assert operator.remarks == ()
    assert operator.references == (("authentication.password", SecretReference("env", "SECRET_RH")),)
    data = read_back(operator)
    assert data == {
        "version": 1,
        "operator": "rh",
        "name": "RH",
        "role": "master",
        "enabled": False,
        "sender": {"address": "rh@empresa.com.br", "display_name": "RH Empresa", "reply_to": "x@y", "send_as": True},
        "server": {"host": "smtp.empresa.com.br", "port": 587, "encryption": "starttls", "minimum_tls": "1.3"},
        "authentication": {
            "type": "basic",
            "username": "rh@empresa.com.br",
            "password": "env://SECRET_RH",
            "secret_expires": "2027-05-01",
        },
        "limits": {"messages_per_minute": 30},
        "labels": {"no": "0123"},
    }
    assert list(data["authentication"]) == ["type", "username", "password", "secret_expires"]
    assert DECODER.decode(data)[1] == []


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"server_host": "", "server_port": "", "server_encryption": ""}, "server", "the field `server` is missing"),
        ({"server_port": ""}, "server.port", "`server` lacks the field `port`"),
        ({"authentication_type": ""}, "authentication.type", "`authentication` lacks the field `type`"),
        ({"authentication_type": "modern"}, "authentication.tenant", "`authentication` lacks the field `tenant`"),
        ({"server_port": "x"}, "server.port", "`server_port` is no number from 1 to 65535"),
        ({"sender_display_name": "x" * 65}, "sender.display_name", "has 65 characters; at most 64"),
        ({"sender_display_name": "a\u202eb"}, "sender.display_name", "it holds the character U+202E"),
        ({"name": "a\0b"}, "name", "it holds the character U+0000"),
        ({"authentication_tenant": "t"}, "authentication.tenant", "does not belong to type `basic`"),
        (
            {"authentication_credential_kind": "federated"},
            "authentication.credential",
            "does not belong to type `basic`",
        ),
        ({"labels.a b": "x"}, "labels.a b", "a label's name"),
        ({"version": "2"}, "version", "no number from 1 to 1"),
    ],
)
def test_what_a_person_has_to_look_at(fields: dict[str, str], path: str, message: str) -> None:
    operator = operator_from(complete(**fields))
    assert message in remarks(operator)[path]
    # What cannot stand in a file does not; what is missing is not made up.
    data = read_back(operator)
    for name in path.split("."):
        data = data.get(name) if isinstance(data, dict) else None
    assert data is None or path == "version"


def test_modern_authentication_gets_a_credential_and_says_what_it_lacks() -> None:
    operator = operator_from(complete(authentication_type="Moderna (OAuth 2.0)"))
    assert operator.data["authentication"]["credential"] == {"kind": "client-secret", "secret": "env://SECRET_RH"}
    assert set(remarks(operator)) == {"authentication.tenant", "authentication.client_id"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [("certificate", "pfx"), ("delegated", "token_cache"), ("federated", None), ("managed-identity", None)],
)
def test_each_credential_has_its_reference(kind: str, name: str | None) -> None:
    fields = {"authentication_tenant": "t", "authentication_client_id": "c", "authentication_credential_kind": kind}
    operator = operator_from(complete(authentication_type="modern", **fields))
    assert operator.remarks == ()
    wanted = {"kind": kind} | ({} if name is None else {name: "env://SECRET_RH"})
    assert operator.data["authentication"]["credential"] == wanted
    assert len(operator.references) == (name is not None)
    assert DECODER.decode(operator.data)[1] == []


def test_without_a_login_there_is_no_reference() -> None:
    operator = operator_from(complete(authentication_type="Nenhuma", authentication_username=""))
    assert operator.data["authentication"] == {"type": "none"}
    assert operator.references == ()


def test_a_reference_that_cannot_be_is_told() -> None:
    class Nowhere(KeptInVariables):
        def reference(self, operator: str, host: str, kind: str) -> SecretReference:
            return SecretReference.parse("hunter2")

    table = csv_table("operator,authentication_type,server_host\nrh,basic,s\n")
    (operator,) = Conversion(COLUMNS, {}, Nowhere()).operators(table)
    assert "no reference to a secret can be made" in remarks(operator)["authentication.password"]
    assert operator.references == ()


# --- names


def test_where_the_id_comes_from() -> None:
    head = "Operador,Nome,E-mail,Servidor\n"
    table = csv_table(f"{head}rh,,,s\nRH Ação,,,s\nRH Ação,Recursos,,s\n,Recursos,,s\n,,ana@x,s\n,,,s\n,,日@x,s\n")
    operators = imported(table)
    assert [(operator.row, operator.operator) for operator in operators] == [
        (2, "rh"),
        (3, "rh-acao"),
        (4, "rh-acao-2"),
        (5, "recursos"),
        (6, "ana"),
        (7, "operator-7"),
        (8, "operator-8"),
    ]
    assert [operator.data.get("name") for operator in operators] == [
        None,
        "RH Ação",
        "Recursos",
        "Recursos",
        None,
        None,
        None,
    ]


# --- what opsmail itself wrote


def test_references_of_an_export_stay() -> None:
    text = """{"generation": 1, "operators": {"rh": {"version": 1, "operator": "rh",
        "sender": {"address": "a@b"}, "server": {"host": "s", "port": 587, "encryption": "starttls"},
        "authentication": {"type": "basic", "username": "u", "password": "vault://a/b#c"}}}}"""
    (operator,) = imported(json_table(text))
    assert operator.remarks == ()
    assert operator.data["authentication"]["password"] == "vault://a/b#c"


# --- defaults


def test_a_default_stands_where_a_row_says_nothing() -> None:
    defaults = ("authentication.type=basic", "server.encryption=none", "labels.team=rh")
    operator = operator_from(complete(authentication_type=""), *defaults)
    assert operator.remarks == ()
    assert operator.data["authentication"]["type"] == "basic"
    assert operator.data["server"]["encryption"] == "starttls"
    assert operator.data["labels"] == {"team": "rh"}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("server.port", "takes FIELD=VALUE"),
        ("server.port=", "takes FIELD=VALUE"),
        ("server.prt=1", "there is no field"),
        ("authentication.password=x", "a reference to a secret"),
        ("server.port=x", "`server.port` is no number"),
        ("server.encryption=ssl", "the port does not tell which"),
        ("name=a\u200bb", "U+200B"),
    ],
)
def test_a_default_that_cannot_be(said: str, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        parse_defaults(COLUMNS, (said,))
    assert message in str(caught.value)


# --- anything


@given(st.dictionaries(st.sampled_from([field.path for field in COLUMNS.fields]), st.text(max_size=70)))
def test_any_row_becomes_a_file_that_reads_back(cells: dict[str, str]) -> None:
    text = {name: "".join(character for character in cell if character.isprintable()) for name, cell in cells.items()}
    operator = operator_from(text | {"server.host": "s"})
    read_back(operator)
    problems = DECODER.decode(operator.data)[1]
    # What is still wrong is missing, and told.
    assert {problem.path for problem in problems} <= {remark.path for remark in operator.remarks}
