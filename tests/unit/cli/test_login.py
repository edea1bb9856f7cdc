"""`opsmail login`: on a terminal only, for those who are approved, with the code for nobody else's eyes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.unit.cli.checkout import HOST, Checkout
from tests.unit.mail.oauth.identity import TENANT, Provider, http, identity, proxy, refused, root
from tests.unit.mail.oauth.test_signin import CODE, DEVICE, REFRESH, signed_in


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _: True, raising=False)


def repository(
    checkout: Checkout, provider: Provider, place: Path, credential: str = "delegated", live: str = ""
) -> None:
    checkout.write("identity.pem", root().pem)
    checkout.write(
        "opsmail.toml",
        f'[[servers]]\nhost = "{HOST}"\nconnections = ["587/starttls"]\nauthentication = ["modern", "basic"]\n'
        f'microsoft_tokens = true\nsecrets = ["file://{place}", "env://OPSMAIL_SECRET_{{OPERATOR}}"]\n'
        f'tenants = ["{TENANT}"]\nclient_ids = ["x"]\n'
        f'authority = "{provider.authority}"\nauthority_ca = "identity.pem"\n{live}',
    )
    login = (
        f"  type: modern\n  username: rh@empresa.test\n  tenant: {TENANT}\n  client_id: x\n"
        f"  credential:\n    kind: delegated\n    token_cache: file://{place}\n"
    )
    checkout.operator("rh", role="master", authentication=login if credential == "delegated" else "")
    checkout.commit()
    provider.device = http(200, DEVICE)


def test_signed_in(checkout: Checkout, tmp_path: Path) -> None:
    place = tmp_path / "token"
    with identity(signed_in()) as provider:
        repository(checkout, provider, place)
        said = checkout.run("login", "rh")
    assert said.out == ""
    assert f"open {DEVICE['verification_uri']} and enter the code {CODE} within 15 minutes" in said.err
    assert "signed in as rh@empresa.test; `rh` can send now" in said.err
    assert REFRESH in place.read_text()
    assert place.stat().st_mode & 0o777 == 0o600
    assert not any(CODE in path.read_text() for path in checkout.root.rglob("*.yaml"))


def test_through_a_proxy(checkout: Checkout, tmp_path: Path) -> None:
    with identity(signed_in()) as provider, proxy(provider=provider) as way:
        live = f'[live]\nproxy = "http://localhost:{way.port}"\n'
        repository(checkout, provider, tmp_path / "token", live=live)
        assert "signed in as rh@empresa.test" in checkout.run("login", "rh").err
        assert provider.peer.connections == 0


def test_nobody_came(checkout: Checkout, tmp_path: Path) -> None:
    with identity(refused("expired_token")) as provider:
        repository(checkout, provider, tmp_path / "token")
        said = checkout.run("login", "rh", code=4)
    assert "nobody is signed in" in said.err
    assert not (tmp_path / "token").exists()


def test_not_into_a_log(checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _: False, raising=False)
    with identity() as provider:
        repository(checkout, provider, tmp_path / "token")
        assert "needs a terminal" in checkout.run("login", "rh", code=2).err
    assert provider.asked == []


def test_not_for_others(checkout: Checkout, tmp_path: Path) -> None:
    with identity() as provider:
        repository(checkout, provider, tmp_path / "token", "basic")
        assert "its credential is not `delegated`" in checkout.run("login", "rh", code=2).err
        assert "there is no operator `x`" in checkout.run("login", "x", code=2).err
    assert provider.asked == []


def test_not_for_those_with_errors(checkout: Checkout, tmp_path: Path) -> None:
    with identity() as provider:
        repository(checkout, provider, tmp_path / "token")
        checkout.edit("operators/rh.yaml", f"tenant: {TENANT}", "tenant: other.test")
        checkout.commit()
        said = checkout.run("login", "rh", code=3)
    assert "`rh` has errors" in said.err
    assert provider.asked == []
