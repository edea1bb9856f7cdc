"""What IT is asked for is what approves the operator."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from opsmail.operator.model import Operator
from opsmail.scaffold.approval import approval, toml_value
from opsmail.shape import Decoder
from tests.builders import operator_data, settings_of

MODERN: dict[str, Any] = {"type": "modern", "username": "a@b.example", "tenant": "b.example", "client_id": "x"}
LOGINS: list[dict[str, Any]] = [
    {"type": "none"},
    {"type": "basic", "username": "a@b.example", "password": "env://OPSMAIL_SECRET_RH_X"},
    {"type": "basic", "username": "a@b.example", "password": "vault://secret/opsmail/rh-x#password"},
    {**MODERN, "credential": {"kind": "client-secret", "secret": "env://SHARED"}},
    {**MODERN, "credential": {"kind": "certificate", "pfx": "file:///run/rh-x.pfx", "passphrase": "env://RH_X"}},
    {**MODERN, "credential": {"kind": "federated"}},
    {**MODERN, "credential": {"kind": "managed-identity"}},
    {**MODERN, "credential": {"kind": "delegated", "token_cache": "keyring://opsmail/rh-x"}},
]
ENTRY = """
[[servers]]
host = "smtp.empresa.com.br"
connections = ["465/implicit-tls"]
authentication = ["basic"]
secrets = ["env://OTHER_{OPERATOR}"]
"""


def operator(authentication: dict[str, Any]) -> Operator:
    data = operator_data(operator="rh-x") | {"authentication": authentication}
    decoded, problems = Decoder(Operator).decode(data)
    assert decoded is not None, problems
    return decoded


@pytest.mark.parametrize("before", ["servers = []\n", ENTRY])
@pytest.mark.parametrize("login", LOGINS, ids=lambda login: str(login.get("credential", login)))
def test_what_is_asked_for_approves_it(login: dict[str, Any], before: str) -> None:
    wanted = operator(login)
    settings = settings_of(before)
    assert list(settings.catalogue.denials(wanted)) != []
    asked = approval(wanted, settings.catalogue.entry(wanted.server.host))
    assert list(settings_of(asked).catalogue.denials(wanted)) == []


def test_what_was_approved_stays() -> None:
    wanted = operator(LOGINS[1])
    asked = approval(wanted, settings_of(ENTRY).catalogue.entry(wanted.server.host))
    (entry,) = tomllib.loads(asked)["servers"]
    assert entry == {
        "host": "smtp.empresa.com.br",
        "connections": ["465/implicit-tls", "587/starttls"],
        "authentication": ["basic"],
        "secrets": ["env://OTHER_{OPERATOR}", "env://OPSMAIL_SECRET_{OPERATOR}"],
    }


@pytest.mark.parametrize("value", ["a", 'a"b', "a\\b", "á\U0001f4e7", "\x7f", "a\tb\n", True, ["a", "b"], []])
def test_values_are_toml(value: object) -> None:
    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": value}
