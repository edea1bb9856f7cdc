"""`opsmail export`: what is published, in other programs' forms; and imported again, the same operators."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from opsmail.cli import importing
from opsmail.operator.digest import EffectiveOperator
from opsmail.output.exports import FORMATS
from opsmail.store.interface import StoreDamaged
from opsmail.transfer import published as reading
from opsmail.transfer.published import Fleet
from tests.unit.cli.checkout import HOST, Checkout
from tests.unit.output.exports.fleets import effective
from tests.unit.transfer.tables import imported, json_table


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "today", lambda: date(2026, 11, 24))


def test_json_is_the_default(published: Checkout) -> None:
    said = published.run("export")
    document = said.json()
    assert document["generation"] == 1
    assert list(document["operators"]) == ["a", "b", "chefe"]
    assert document["operators"]["chefe"] == {
        "version": 1,
        "operator": "chefe",
        "role": "master",
        "enabled": True,
        "sender": {"address": "chefe@empresa.test", "send_as": False},
        "server": {"host": HOST, "port": 587, "encryption": "starttls", "minimum_tls": "1.2"},
        "authentication": {
            "type": "basic",
            "username": "chefe@empresa.test",
            "password": "env://OPSMAIL_SECRET_CHEFE",
        },
        "labels": {},
    }
    assert "generation 1 of default; this is not signed" in said.err


def test_several_formats_at_once(published: Checkout) -> None:
    arguments = [argument for name in FORMATS for argument in ("--format", f"{name}:out/{name}")]
    assert published.run("export", *arguments).out == ""
    assert sorted(path.name for path in (published.root / "out").iterdir()) == sorted(FORMATS)
    assert "MAIL_OPERATORS__CHEFE__ROLE='master'" in published.read("out/env")
    assert json.loads(published.read("out/appsettings"))["MailOperators"]["chefe"]["Server"]["Host"] == HOST
    assert "account default : chefe" in published.read("out/msmtp")


def test_nothing_is_written_when_one_format_cannot_have_a_value(published: Checkout) -> None:
    published.operator("b", more="labels:\n  a: x\n  A: y\n")
    published.commit()
    published.run("publish", "--yes")
    said = published.run("export", "--format", "json:out/x.json", "--format", "appsettings", code=3)
    assert "b: the labels `A` and `a` are one key" in said.err
    assert said.out == ""
    assert list((published.root / "out").iterdir()) == []


def test_an_unknown_format(published: Checkout) -> None:
    assert "known: appsettings, env, json, msmtp" in published.run("export", "--format", "yaml", code=2).err


def test_before_the_first_publish(checkout: Checkout) -> None:
    checkout.fleet(None)
    assert "there is no store" in checkout.run("export", code=4).err


def test_another_environment_has_nothing(published: Checkout) -> None:
    published.edit("opsmail.toml", "[gate]", "[environments.production]\n\n[gate]")
    assert (
        "nothing is published in environment production" in published.run("export", "--env", "production", code=2).err
    )


def test_what_was_not_signed_is_not_exported(published: Checkout) -> None:
    published.write("keys/ci.pub.pem", type(published.key).generate().public.pem())
    assert published.run("export", code=None).out == ""


class _Blobs:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, digests: Any) -> dict[str, bytes]:
        return dict.fromkeys(digests, self._content)


@pytest.mark.parametrize("content", [b"{}", b"{", effective(operator="other").canonical()])
def test_a_document_of_something_else(content: bytes) -> None:
    class Published:
        manifest = {"rh": "0" * 64}

    with pytest.raises(StoreDamaged, match="what is published as `rh` is not"):
        reading.read_fleet(_Blobs(content), Published())  # type: ignore[arg-type]  # as much of both as is read


# --- the way round


def table() -> str:
    rows = [
        ("Chefe", "Básica", "chefe@empresa.test", "Sim"),
        ("RH Notificações", "Básica", "rh@empresa.test", "Não"),
        ("Relé", "Nenhuma", "rele@empresa.test", "Não"),
    ]
    lines = (
        f"{name};{login};{HOST};587;{address};{address if login == 'Básica' else ''};s3nh4;TLS;{master}"
        for name, login, address, master in rows
    )
    head = "Operador;Tipo de autenticação;Servidor;Porta;Remetente;Usuário;Senha;Criptografia;Mestre"
    return "\n".join([head, *lines, ""])


def operators(folder: Path) -> dict[str, Any]:
    return {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in folder.glob("*.yaml")}


def test_import_check_publish_export_import(checkout: Checkout) -> None:
    checkout.settings(require="[]")
    checkout.write("form.csv", table())
    checkout.run("import", "form.csv")
    checkout.run("check", "--fail-on", "error")
    checkout.commit()
    checkout.run("publish", "--yes")
    checkout.run("export", "--format", "json:out/fleet.json")
    first = operators(checkout.root / "operators")
    checkout.run("import", "out/fleet.json", "--force")
    assert set(operators(checkout.root / "operators")) == set(first) == {"chefe", "rh-notificacoes", "rele"}
    # What git has now is what is published, whatever way the files are written.
    checkout.commit()
    checkout.run("plan", "--exit-code")
    again = checkout.run("export").json()
    assert again == json.loads(checkout.read("out/fleet.json"))


def test_references_to_other_places_stay(published: Checkout) -> None:
    published.edit("opsmail.toml", "{OPERATOR}", '{OPERATOR}", "vault://x/*#y')
    published.edit("operators/a.yaml", "env://OPSMAIL_SECRET_A", "vault://x/a#y")
    published.commit()
    published.run("publish", "--yes", "--accept-settings", settings_digest(published))
    published.run("export", "--format", "json:out/fleet.json")
    published.run("import", "out/fleet.json", "--force")
    assert operators(published.root / "operators")["a"]["authentication"]["password"] == "vault://x/a#y"


def settings_digest(checkout: Checkout) -> str:
    said = checkout.run("publish", "--yes", code=3).err
    return next(word.strip("`.,") for word in said.split() if "sha256:" in word)


NAME = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="\ufffd"), min_size=1, max_size=40)
LOGINS = st.sampled_from(
    [
        {"type": "none", "username": None, "password": None},
        {"type": "basic", "username": "u", "password": "keyring://opsmail/x"},
        {
            "type": "modern",
            "tenant": "t",
            "client_id": "c",
            "password": None,
            "cloud": "china",
            "secret_expires": "2027-05-01",
            "credential": {"kind": "certificate", "pfx": "file:///run/pfx", "passphrase": "env://PHRASE"},
        },
        {
            "type": "modern",
            "tenant": "t",
            "client_id": "c",
            "password": None,
            "credential": {"kind": "managed-identity", "client_id": "m"},
        },
    ]
)


@given(
    name=NAME,
    login=LOGINS,
    labels=st.dictionaries(st.sampled_from(["team", "no", "x-y"]), NAME),
    enabled=st.booleans(),
    most=st.none() | st.integers(1, 100_000),
)
def test_every_operator_comes_back_as_it_was(
    name: str, login: dict[str, Any], labels: dict[str, str], enabled: bool, most: int | None
) -> None:
    limits: dict[str, Any] = {} if most is None else {"limits": {"messages_per_minute": most}}
    before = effective(
        name=name,
        enabled=enabled,
        authentication=login,
        labels=labels,
        sender={"display_name": name, "send_as": not enabled},
        **limits,
    )
    text = FORMATS["json"](Fleet("default", 1, {"rh": before}))
    (found,) = imported(json_table(text))
    assert found.remarks == ()
    document = json.dumps({"format": "opsmail/operator/v1", "operator": found.data, "connection": {}}).encode()
    assert EffectiveOperator.parse(document).digest == before.digest
