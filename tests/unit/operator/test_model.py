from typing import Any

import pytest

from opsmail.operator.model import Cloud, Encryption, Operator, Role, TlsVersion, claimed_id
from opsmail.shape import Decoder
from tests.builders import operator_data
from tests.unit.operator.test_schema import CREDENTIALS, MODERN

DECODER = Decoder(Operator)


def operator(**sections: Any) -> Operator:
    value, problems = DECODER.decode(operator_data(**sections))
    assert value is not None, problems
    return value


def test_defaults() -> None:
    value = operator(role=None)
    assert value.role is Role.STANDARD
    assert value.enabled is True
    assert value.name is None
    assert value.limits is None
    assert value.labels == {}
    assert value.sender.send_as is False
    assert value.server.encryption is Encryption.STARTTLS
    assert value.server.minimum_tls is TlsVersion.TLS_1_2


def test_the_account() -> None:
    assert operator().username == "rh@empresa.com.br"
    assert operator(authentication={"type": "none", "username": None, "password": None}).username is None


def test_references_of_a_basic_login() -> None:
    assert [(path, str(reference)) for path, reference in operator().references()] == [
        ("authentication.password", "env://OPSMAIL_SECRET_RH")
    ]


def test_no_login_has_none() -> None:
    data = {**operator_data(), "authentication": {"type": "none"}}
    value, _ = DECODER.decode(data)
    assert value is not None
    assert list(value.references()) == []


@pytest.mark.parametrize(
    ("credential", "paths"),
    list(zip(CREDENTIALS, (["secret"], ["pfx", "passphrase"], [], [], ["token_cache"]), strict=True)),
    ids=lambda value: value.get("kind") if isinstance(value, dict) else "",
)
def test_references_of_a_modern_login(credential: dict[str, Any], paths: list[str]) -> None:
    data = {**operator_data(), "authentication": {**MODERN, "credential": credential}}
    value, _ = DECODER.decode(data)
    assert value is not None
    assert [path for path, _ in value.references()] == [f"authentication.credential.{name}" for name in paths]
    assert value.username == "rh@empresa.com.br"
    assert getattr(value.authentication, "cloud", None) is Cloud.GLOBAL


@pytest.mark.parametrize(
    ("claimed", "shown"),
    [("rh", "rh"), ("RH", "RH"), ("-x", "-x"), ("", None), ("a b", None), ("x" * 64, None), ("ação", None), (5, None)],
)
def test_the_id_that_a_file_claims(claimed: object, shown: str | None) -> None:
    assert claimed_id({"operator": claimed}) == shown
    assert claimed_id({}) is None
