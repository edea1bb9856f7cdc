"""The effective operator: one canonical form and one digest, on any machine and in any order."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from opsmail.operator.digest import Connection, EffectiveOperator, canonical_host
from tests.unit.fleets import operator

#: Written out by hand: a change of the canonical form is a change of every digest that was ever signed.
CANONICAL = (
    '{"connection":{"private":false},"format":"opsmail/operator/v1","operator":{"authentication":{"password":'
    '"env://OPSMAIL_SECRET_RH","type":"basic","username":"rh@empresa.test"},"enabled":true,"labels":{},"name":"Ação",'
    '"operator":"rh","role":"standard","sender":{"address":"rh@empresa.test","send_as":false},"server":{"encryption":'
    '"starttls","host":"mail.empresa.test","minimum_tls":"1.2","port":587},"version":1}}'
)


def effective(**sections: Any) -> EffectiveOperator:
    return EffectiveOperator(operator("rh", **sections))


def test_the_canonical_form_is_what_it_always_was() -> None:
    subject = effective(name="Ação")
    assert subject.canonical().decode() == CANONICAL
    assert subject.digest == f"sha256:{hashlib.sha256(CANONICAL.encode()).hexdigest()}"


def test_spelling_a_default_out_changes_nothing() -> None:
    spelt = effective(
        role="standard",
        enabled=True,
        labels={},
        sender={"send_as": False},
        server={"minimum_tls": "1.2", "host": "MAIL.Empresa.TEST."},
        name=None,
        limits=None,
    )
    assert spelt.digest == effective().digest


@pytest.mark.parametrize(
    "sections",
    [
        {"name": "X"},
        {"role": "master"},
        {"enabled": False},
        {"labels": {"a": "b"}},
        {"sender": {"address": "RH@empresa.test"}},
        {"sender": {"send_as": True}},
        {"sender": {"reply_to": "x@empresa.test"}},
        {"server": {"host": "mail2.empresa.test"}},
        {"server": {"port": 25}},
        {"server": {"minimum_tls": "1.3"}},
        {"limits": {"messages_per_minute": 1}},
        {"authentication": {"type": "none"}},
        {"authentication": {"type": "basic", "username": "rh@empresa.test", "password": "env://OTHER"}},
    ],
)
def test_any_difference_is_another_digest(sections: dict[str, Any]) -> None:
    assert effective(**sections).digest != effective().digest


@pytest.mark.parametrize(
    "connection", [Connection(private=True), Connection(address="127.0.0.1:25"), Connection(ca="x")]
)
def test_so_is_another_connection(connection: Connection) -> None:
    """Evidence that was made at another endpoint does not fit."""
    assert EffectiveOperator(operator("rh"), connection).digest != effective().digest


def test_it_comes_back_from_its_document() -> None:
    subject = EffectiveOperator(operator("rh", labels={"team": "rh"}), Connection(address="127.0.0.1:25", ca="x"))
    assert EffectiveOperator.parse(subject.canonical()) == subject


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "Expecting value"),
        (b"[]", "not a document of the format opsmail/operator/v1"),
        (b'{"format":"opsmail/operator/v2"}', "not a document of the format opsmail/operator/v1"),
        (b'{"format":"opsmail/operator/v1"}', ""),
        (CANONICAL.replace('"port":587', '"port":"587"').encode(), "port"),
        (CANONICAL.replace('"port":587', '"port":587,"later":1').encode(), "later"),
        (CANONICAL.replace('"private":false', '"private":false,"later":1').encode(), "later"),
    ],
)
def test_what_is_no_document_says_what_is_wrong(content: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told or "is"):
        EffectiveOperator.parse(content)


def test_hosts_are_compared_in_one_form() -> None:
    assert [canonical_host(name) for name in ("Mail.Test.", "MAIL.TEST", "mail.test")] == ["mail.test"] * 3


def test_the_document_is_plain_json() -> None:
    assert json.loads(json.dumps(effective().document())) == effective().document()
