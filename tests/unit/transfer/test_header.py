"""What the columns of a table are taken for, before anything of its rows is seen."""

from __future__ import annotations

import pytest

from opsmail.errors import UsageError
from opsmail.transfer.header import Header, MappingError, require_field
from tests.unit.transfer.tables import COLUMNS, expected


def header(*names: str, maps: tuple[str, ...] = ()) -> Header:
    return expected(*maps).header(names)


def test_known_secret_and_unknown_columns() -> None:
    found = header("Operador", "Servidor", "Senha", "Obs", "", "x9", "a b c", "api-key 2")
    assert found.fields == {"operator": 0, "server.host": 1}
    assert found.names == {"operator": "Operador", "server.host": "Servidor"}
    assert [str(name) for name in found.secret] == [
        "`Senha`",
        "number 8 (its name is not shown, since it may be a secret)",
    ]
    assert [str(name) for name in found.unknown] == [
        "`Obs`",
        "number 6 (its name is not shown, since it may be a secret)",
        "`a b c`",
    ]


def test_a_first_row_of_values_is_not_taken_for_names_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        header("rh", "smtp.empresa.com.br", "587", "hunter2")
    assert "no column is known as that of a server, a sender or a user" in str(caught.value)
    assert "hunter2" not in f"{caught.value}{caught.value.hint}"


def test_what_is_said_of_a_column_counts() -> None:
    found = header("Servidor", "Máquina", "E-mail", maps=("Máquina=server.host", "e_mail = "))
    assert found.fields == {"server.host": 1}
    assert found.unknown == ()  # the one gave way, the other is not wanted


def test_a_column_may_have_an_equals_sign_in_its_name() -> None:
    assert header("a=b", "Servidor", maps=("a=b=name",)).names["name"] == "a=b"


def test_two_columns_for_one_field_are_not_chosen_from() -> None:
    with pytest.raises(UsageError, match=r"the columns `E-mail` and `Remetente` are both `sender\.address`") as caught:
        header("E-mail", "Remetente")
    assert str(caught.value.hint) == "say which one: `--map COLUMN=sender.address`"
    assert header("E-mail", "Remetente", maps=("Remetente=sender.address",)).fields == {"sender.address": 1}
    with pytest.raises(UsageError, match="are both `name`"):
        header("Servidor", "X", "Y", maps=("X=name", "Y=name"))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("Servidor", "takes COLUMN=FIELD"),
        ("=server.host", "takes COLUMN=FIELD"),
        ("Senha=name", "the column `Senha` may hold secrets"),
        ("Chave=authentication.password", "a reference to a secret"),
        ("X=authentication.credential.secret", "a reference to a secret"),
        ("X=server.hosts", "there is no field `server.hosts`"),
        ("X=qqqqqqqqqqq", "there is no field"),
        ("X=labels.", "no label"),
        ("X=labels.a b", "no label"),
        ("X=labels." + "x" * 65, "no label"),
    ],
)
def test_what_cannot_be_said(said: str, message: str) -> None:
    with pytest.raises(MappingError, match=message) as caught:
        expected(said)
    assert caught.value.hint is not None


def test_the_hint_names_the_nearest_field_or_all() -> None:
    with pytest.raises(MappingError) as caught:
        require_field(COLUMNS, "server.prot")
    assert str(caught.value.hint) == "did you mean `server.port`?"
    with pytest.raises(MappingError) as caught:
        require_field(COLUMNS, "qqqqqqqqqqq")
    assert "sender.address" in str(caught.value.hint)


@pytest.mark.parametrize(("column", "hint"), [("Servidro", "did you mean `Servidor`?"), ("Q", "name a column as")])
def test_a_column_that_is_not_there(column: str, hint: str) -> None:
    with pytest.raises(MappingError, match=f"there is no column `{column}`") as caught:
        header("Servidor", "x9secret", maps=(f"{column}=name",))
    assert hint in str(caught.value.hint)


def test_a_label_is_free() -> None:
    assert header("Servidor", "Equipe", maps=("Equipe=labels.team",)).fields["labels.team"] == 1
