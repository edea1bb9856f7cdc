"""What is known of columns fits the operator file, and no name means two things."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from opsmail.form.fields import form_fields
from opsmail.operator.model import Encryption, Role
from opsmail.settings.model import AuthenticationType
from opsmail.transfer.columns import FieldColumns, parse_columns, plain
from opsmail.transfer.interface import REFERENCES
from tests.unit.transfer.tables import COLUMNS


def test_every_field_of_the_operator_file_but_references_can_come_from_a_column() -> None:
    fields = {field.path for field in form_fields()} - set(REFERENCES)
    assert set(COLUMNS.by_path) == fields | {"version"}


def test_choices_are_those_of_the_model() -> None:
    choices = {field.path: field.choices for field in form_fields() if field.choices}
    for field in COLUMNS.fields:
        assert (field.kind == "choice") == bool(field.values), field.path
        if field.kind == "choice":
            assert tuple(field.values) == choices[field.path]
    assert tuple(COLUMNS.by_path["server.encryption"].values) == tuple(Encryption)
    assert set(COLUMNS.by_path["role"].values) == set(Role)
    assert set(COLUMNS.by_path["authentication.type"].values) == set(AuthenticationType)


def test_no_name_and_no_value_means_two_things() -> None:
    names = Counter(plain(name) for field in COLUMNS.fields for name in (field.path, *field.names))
    assert [name for name, count in names.items() if count > 1] == []
    for field in COLUMNS.fields:
        words = Counter(plain(word) for value, more in field.values.items() for word in {value, *more})
        words.update(map(plain, set(field.by_port)))
        assert [word for word, count in words.items() if count > 1] == [], field.path
    assert len(COLUMNS.truths) == len(COLUMNS.truth.true_words) + len(COLUMNS.truth.false_words)


def test_everything_says_where_it_is_from() -> None:
    told = [(COLUMNS.secret.source, COLUMNS.secret.verified_on), (COLUMNS.truth.source, COLUMNS.truth.verified_on)]
    for source, day in [*told, *((field.source, field.verified_on) for field in COLUMNS.fields)]:
        assert source
        assert date.fromisoformat(day).year >= 2026


@pytest.mark.parametrize(
    ("column", "path"),
    [
        ("Tipo de autenticação", "authentication.type"),
        ("TIPO_DE_AUTENTICACAO", "authentication.type"),
        ("TipoDeAutenticacao", "authentication.type"),
        ("Authentication type", "authentication.type"),
        ("Servidor SMTP", "server.host"),
        ("Server", "server.host"),
        ("Porta", "server.port"),
        ("E-mail", "sender.address"),
        ("Remetente", "sender.address"),
        ("Usuário", "authentication.username"),
        ("Criptografia", "server.encryption"),
        ("SSL/TLS", "server.encryption"),
        ("server_host", "server.host"),
        ("sender.display_name", "sender.display_name"),
        ("Validade da senha", "authentication.secret_expires"),
        ("labels.team", "labels.team"),
        ("labels.", None),
        ("labels.password", None),
        ("Observações", None),
        ("Senha", None),
    ],
)
def test_which_field_a_column_is(column: str, path: str | None) -> None:
    assert COLUMNS.path_of(column) == path


@pytest.mark.parametrize(
    "column",
    [
        *("Senha", "SENHA", "Senha do usuário", "password", "Pass", "smtp_pwd", "Client Secret", "Segredo do cliente"),
        *("access token", "API key", "passphrase", "Credencial", "authentication_password", "PFX"),
        *(*REFERENCES, "EmailHostPassword", "s e n h a", "ſenha"),
    ],
)
def test_what_may_hold_secrets(column: str) -> None:
    assert COLUMNS.is_secret(column)
    assert COLUMNS.path_of(column) is None


@pytest.mark.parametrize("field", COLUMNS.fields, ids=lambda field: field.path)
def test_no_column_of_a_field_is_taken_for_one_of_secrets(field: FieldColumns) -> None:
    assert not [name for name in (field.path, *field.names) if COLUMNS.is_secret(name)]


@pytest.mark.parametrize("content", [b"", b"[]", b"secret: 1\n", b"unknown: 1\n"])
def test_another_shape_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"^\["):
        parse_columns(content)
