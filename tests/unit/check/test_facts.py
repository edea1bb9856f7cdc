"""What operators are compared by."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

import pytest

from opsmail.check.facts import Facts
from opsmail.operator import model
from opsmail.operator.model import Operator
from opsmail.references import LITERAL, SecretReference
from opsmail.shape import Decoder
from tests.builders import operator_data

CREDENTIALS: dict[str, dict[str, Any]] = {
    "client-secret": {"secret": "env://OPSMAIL_RH"},
    "certificate": {"pfx": "env://OPSMAIL_RH", "passphrase": "env://OPSMAIL_RH_PASSPHRASE"},
    "federated": {},
    "managed-identity": {"client_id": "x"},
    "delegated": {"token_cache": "file:///run/secrets/rh"},
}
LOGIN = {"type": "modern", "username": "rh@empresa.com.br", "tenant": "t", "client_id": "c", "password": None}


def operator(**sections: Any) -> Operator:
    value, problems = Decoder(Operator).decode(operator_data(**sections))
    assert value is not None, problems
    return value


FULL = {"name": "RH", "limits": {"messages_per_minute": 3}, "labels": {"a": "b"}}
OPERATORS = {
    "bare": operator(authentication={"type": "none", "username": None, "password": None}),
    "basic": operator(**FULL, authentication={"secret_expires": "2027-05-01"}),
    **{
        kind: operator(**FULL, authentication={**LOGIN, "credential": {"kind": kind, **more}})
        for kind, more in CREDENTIALS.items()
    },
}


def other(value: Any) -> Any:
    """Return another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, StrEnum):
        return next(item for item in type(value) if item is not value)
    if isinstance(value, SecretReference):
        return replace(value, locator="OTHER")
    if isinstance(value, dict):
        return {**value, "other": "x"}
    return {int: 999, str: "other", date: date(2030, 1, 1), type(None): "other"}[type(value)]


def changed(value: Any) -> list[tuple[str, Any]]:
    """Return, for each field below a value, its path and the value with this field changed."""
    result = []
    for field in fields(value):
        item = getattr(value, field.name)
        if is_dataclass(item) and not isinstance(item, SecretReference):
            inner = [(f"{field.name}.{path}", replace(value, **{field.name: new})) for path, new in changed(item)]
            result += inner
        elif field.name == "limits":
            result.append((field.name, replace(value, limits=model.Limits(messages_per_minute=7))))
        elif field.name not in ("version", "operator"):
            result.append((field.name, replace(value, **{field.name: other(item)})))
    return result


@pytest.mark.parametrize("subject", OPERATORS.values(), ids=OPERATORS)
def test_no_two_operators_that_differ_in_a_field_are_alike(subject: Operator) -> None:
    variants = changed(subject)
    assert len(variants) > 10
    likenesses = {path: Facts.of(variant).likeness for path, variant in variants}
    assert Facts.of(subject).likeness not in likenesses.values()
    assert len(set(likenesses.values())) == len(likenesses)


def test_the_id_makes_no_difference_and_neither_does_it_in_a_secrets_name() -> None:
    def likeness(name: str, reference: str, **sections: Any) -> bytes:
        return Facts.of(operator(operator=name, authentication={"password": reference}, **sections)).likeness

    assert likeness("rh.x", "env://OPSMAIL_RH_X") == likeness("ti-1", "env://OPSMAIL_TI_1")
    assert likeness("rh", "file:///run/rh/rh") == likeness("ti", "file:///run/ti/ti")
    assert likeness("rh", "file:///run/rhx") != likeness("ti", "file:///run/tix")
    assert likeness("rh", "file:///run/rhx/rh") != likeness("ti", "file:///run/rhx/rh")
    assert likeness("rh", "file:///run/\u00e9rh") == likeness("ti", "file:///run/\u00e9ti")


def test_what_is_written_in_another_way_makes_no_difference() -> None:
    plain = Facts.of(operator(labels={"a": "1", "b": "2"}))
    written = operator(
        labels={"b": "2", "a": "1"}, server={"host": "SMTP.empresa.com.br.", "minimum_tls": "1.2"}, enabled=True
    )
    assert Facts.of(written).likeness == plain.likeness
    assert Facts.of(written).host == "SMTP.empresa.com.br."


def test_the_account_of_a_secret_is_the_applications_or_the_users() -> None:
    accounts = {kind: [secret.account for secret in Facts.of(item).secrets] for kind, item in OPERATORS.items()}
    assert accounts == {
        "bare": [],
        "basic": ["rh@empresa.com.br"],
        "client-secret": ["t/c"],
        "certificate": ["t/c", "t/c"],
        "federated": [],
        "managed-identity": [],
        "delegated": ["rh@empresa.com.br"],
    }


def test_what_is_no_reference_is_no_fact() -> None:
    subject = operator()
    assert isinstance(subject.authentication, model.BasicAuthentication)
    literal = replace(subject, authentication=replace(subject.authentication, password=LITERAL))
    assert Facts.of(literal).secrets == ()
