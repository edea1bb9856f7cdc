"""A person's sign-in: by device code once, then by the refresh token; the code and the token are nowhere else."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from opsmail.errors import UnavailableError
from opsmail.live.login import Login
from opsmail.mail.failure import Failure, Kind
from opsmail.operator.digest import EffectiveOperator
from opsmail.secrets import SecretError, Secrets
from tests.unit.fleets import operator
from tests.unit.mail.oauth.identity import (
    Provider,
    Vault,
    granted,
    http,
    identity,
    jwt,
    modern,
    refused,
    soon,
    tokens,
)

DELEGATED = {"kind": "delegated", "token_cache": "env://CACHE"}
CODE, REFRESH = "C4N4-RYCO", "c4n4ry-refresh-token"
DEVICE = {
    "device_code": "c4n4ry-device-code",
    "user_code": CODE,
    "verification_uri": "https://microsoft.com/devicelogin",
    "expires_in": 900,
    "interval": 1,
}


def personal(**claims: Any) -> str:
    return jwt(roles=None, scp="openid SMTP.Send", **claims)


def signed_in(expires_in: int = 3600, **more: Any) -> bytes:
    name = jwt(preferred_username="rh@empresa.test", sub="rh", aud="x", iss="i")
    scope = "https://outlook.office.com/SMTP.Send"
    return granted(personal(), refresh_token=REFRESH, id_token=name, expires_in=expires_in, scope=scope, **more)


def begin(provider: Provider, vault: Vault, device: dict[str, Any] | None = None) -> Login:
    provider.device = http(200, DEVICE if device is None else device)
    return Login.begin(modern(provider, DELEGATED), Secrets({"env": vault}))


class TestLogin:
    def test_a_code_then_a_refresh_token_in_its_place(self) -> None:
        vault = Vault(Y="")
        with identity(signed_in()) as provider:
            login = begin(provider, vault)
            prompt = login.prompt
            assert (prompt.uri, prompt.code.reveal(), prompt.seconds) == (DEVICE["verification_uri"], CODE, 900)
            assert CODE not in repr(login)
            assert login.finish() == "rh@empresa.test"
            assert "SMTP.Send" in provider.forms()[0]["scope"]
            assert "claims" not in provider.forms()[0]
            assert REFRESH in vault.held["CACHE"]
            found = tokens(vault).fetch(modern(provider, DELEGATED), soon())
            assert found.claims is not None
            assert len(provider.forms()) == 2  # the token of the sign-in is still good

    def test_it_waits_for_the_person(self) -> None:
        answers = [refused("authorization_pending"), signed_in()]
        vault = Vault(Y="")
        with identity(lambda connection: connection.say(answers.pop(0))) as provider:
            assert begin(provider, vault).finish() == "rh@empresa.test"
        assert answers == []

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (refused("authorization_declined"), "authorization_declined"),
            (refused("invalid_grant", 70000), "correlation id c-1"),
            (http(500, "<h1>"), "answered 500"),
            (granted(jwt()), "does not permit sending"),
        ],
    )
    def test_nobody_signed_in_nothing_is_kept(self, answer: bytes, told: str) -> None:
        vault = Vault(Y="")
        with identity(answer) as provider:
            login = begin(provider, vault)
            with pytest.raises(UnavailableError, match=told) as caught:
                login.finish()
        assert "CACHE" not in vault.held
        assert caught.value.hint is not None
        assert "c4n4ry" not in str(caught.value)

    def test_a_code_that_ends_before_anybody_comes(self) -> None:
        with identity(refused("authorization_pending")) as provider:
            login = begin(provider, Vault(Y=""), DEVICE | {"expires_in": 0})
            began = time.monotonic()
            with pytest.raises(UnavailableError, match="authorization_pending"):
                login.finish()
            assert time.monotonic() - began < 3

    def test_no_patience_without_end(self) -> None:
        with identity() as provider:
            assert begin(provider, Vault(Y=""), DEVICE | {"expires_in": 10**12}).prompt.seconds == 900

    @pytest.mark.parametrize(
        "device",
        [
            {},
            {"error": "x"},
            DEVICE | {"user_code": 7},
            DEVICE | {"verification_uri": "http://x"},
            DEVICE | {"expires_in": "a"},
        ],
    )
    def test_no_code(self, device: dict[str, Any]) -> None:
        with identity() as provider, pytest.raises(UnavailableError, match="nobody is signed in"):
            begin(provider, Vault(Y=""), device)

    def test_a_provider_without_device_codes(self) -> None:
        with identity() as provider:
            provider.metadata = http(200, provider.discovery(device_authorization_endpoint=None))
            with pytest.raises(UnavailableError, match="ValueError"):
                begin(provider, Vault(Y=""))

    def test_an_answer_without_a_name(self) -> None:
        with identity(granted(personal(), refresh_token=REFRESH)) as provider:
            assert begin(provider, Vault(Y="")).finish() is None

    def test_a_place_that_is_only_read_is_told_before_anybody_goes_to_a_browser(self) -> None:
        class ReadOnly:
            def resolve(self, reference: object) -> object:
                raise AssertionError

        with identity() as provider, pytest.raises(SecretError, match="nothing can be kept at `env://CACHE`"):
            Login.begin(modern(provider, DELEGATED), Secrets({"env": ReadOnly()}))  # type: ignore[dict-item]  # less than a store
        assert provider.asked == []

    def test_for_others_nobody_signs_in(self) -> None:
        with identity() as provider, pytest.raises(TypeError, match="client-secret"):
            Login.begin(modern(provider), Secrets({}))
        with pytest.raises(TypeError, match="basic"):
            Login.begin(EffectiveOperator(operator()), Secrets({}))


class TestResuming:
    def kept(self, provider: Provider, vault: Vault, expires_in: int = 3600) -> None:
        provider.token = signed_in(expires_in)
        begin(provider, vault).finish()

    def test_a_token_that_has_ended_is_renewed_and_what_is_new_is_kept(self) -> None:
        vault = Vault(Y="")
        with identity() as provider:
            self.kept(provider, vault, expires_in=1)
            provider.token = signed_in().replace(REFRESH.encode(), b"another-refresh-tok.")
            tokens(vault).fetch(modern(provider, DELEGATED), soon())
            assert provider.forms()[-1]["refresh_token"] == REFRESH
        assert "another-refresh-tok." in vault.held["CACHE"]

    def test_a_refresh_token_that_has_ended(self) -> None:
        vault = Vault(Y="")
        with identity() as provider:
            self.kept(provider, vault, expires_in=1)
            provider.token = refused("invalid_grant", 700082, error_description=f"AADSTS700082: {REFRESH} has expired")
            with pytest.raises(Failure) as caught:
                tokens(vault).fetch(modern(provider, DELEGATED), soon())
        assert caught.value.oauth is not None
        assert caught.value.oauth.codes == (700082,)
        assert REFRESH not in caught.value.oauth.description

    def test_nobody_has_signed_in(self) -> None:
        with identity() as provider, pytest.raises(SecretError) as caught:
            tokens(Vault(Y="")).fetch(modern(provider, DELEGATED), soon())
        assert "opsmail login" in str(caught.value.hint)

    @pytest.mark.case("O-15")
    @pytest.mark.parametrize(
        "kept", ["", "{}", "not JSON", "[]", "7", '{"RefreshToken": []}', '{"RefreshToken": {"a": 1}}', "[" * 10_000]
    )
    def test_what_is_no_token_cache(self, kept: str) -> None:
        with identity() as provider, pytest.raises(Failure) as caught:
            tokens(Vault(CACHE=kept)).fetch(modern(provider, DELEGATED), soon())
        assert caught.value.kind is Kind.NOT_SIGNED_IN

    def test_a_cache_without_a_refresh_token(self) -> None:
        vault = Vault(Y="")
        with identity() as provider:
            self.kept(provider, vault)
            held = json.loads(vault.held["CACHE"])
            vault.held["CACHE"] = json.dumps({"Account": held["Account"]})
            with pytest.raises(Failure, match="no token any more") as caught:
                tokens(vault).fetch(modern(provider, DELEGATED), soon())
        assert caught.value.kind is Kind.NOT_SIGNED_IN
