"""Tokens: asked for once by all that share an application, looked at, refused once; no secret in any error."""

from __future__ import annotations

import base64
import json
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest

from opsmail.mail.failure import Failure, Kind, Stage
from opsmail.mail.oauth.tokens import AccessToken, Tokens
from opsmail.operator.model import Cloud
from opsmail.secrets import SecretError
from tests.unit.fleets import operator
from tests.unit.mail.oauth.identity import (
    CLIENT_SECRET,
    SECRET,
    TENANT,
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


def failed(provider: Provider, source: Tokens | None = None, **more: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        (source or tokens()).fetch(modern(provider, **more), soon())
    return caught.value


class TestWhatIsAskedFor:
    def test_a_token_of_the_cloud_s_exchange(self) -> None:
        with identity() as provider:
            token = tokens().fetch(modern(provider), soon())
        assert isinstance(token, AccessToken)
        assert token.claims is not None
        assert token.claims.permissions == ("SMTP.SendAsApp",)
        assert "ey" not in repr(token.token)
        assert provider.paths() == ["openid-configuration", "token"]
        (form,) = provider.forms()
        assert (form["grant_type"], form["client_id"], form["client_secret"]) == ("client_credentials", "x", SECRET)
        assert form["scope"] == "https://outlook.office365.com/.default"
        _, headers, _ = provider.asked[-1]
        assert len(headers["client-request-id"]) == 36
        assert headers["host"] == f"localhost:{provider.peer.port}"

    def test_a_region_in_the_environment_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
        with identity() as provider:
            tokens().fetch(modern(provider), soon())

    def test_once_for_all_operators_of_an_application(self) -> None:
        with identity() as provider:
            vault = Vault()
            source = tokens(vault)
            subjects = [modern(provider, name=f"o{number}", username=f"o{number}@empresa.test") for number in range(20)]
            with ThreadPoolExecutor(8) as pool:
                found = list(pool.map(lambda subject: source.fetch(subject, soon()), subjects))
        assert len({token.token.reveal() for token in found}) == 1
        assert provider.paths() == ["openid-configuration", "token"]
        assert vault.asked == ["X"]

    def test_another_secret_is_another_application(self) -> None:
        """A token that the right secret earned would hide that the other one is wrong."""
        with identity() as provider:
            source = tokens(Vault(X=SECRET, Y="another-secret"))
            source.fetch(modern(provider), soon())
            source.fetch(modern(provider, CLIENT_SECRET | {"secret": "env://Y"}), soon())
        assert [form["client_secret"] for form in provider.forms()] == [SECRET, "another-secret"]

    def test_forgotten_it_is_asked_for_again(self) -> None:
        vault = Vault()
        with identity() as provider:
            source, subject = tokens(vault), modern(provider)
            source.fetch(subject, soon())
            source.forget(subject)
            source.fetch(subject, soon())
        assert len(provider.forms()) == 2
        assert vault.asked == ["X", "X"]

    def test_nobody_asks_for_those_who_need_none(self) -> None:
        from opsmail.operator.digest import EffectiveOperator

        with pytest.raises(TypeError, match="basic"):
            tokens().fetch(EffectiveOperator(operator()), soon())

    @pytest.mark.parametrize("cloud", list(Cloud))
    def test_each_cloud_has_a_provider_of_its_own(self, cloud: Cloud) -> None:
        """And where it is, is looked up and judged as a mail server's address is."""
        asked: list[str] = []

        def lookup(host: str, port: int) -> list[Any]:
            asked.append(f"{host}:{port}")
            return [(2, 1, 6, "", ("10.0.0.1", port))]

        with identity() as provider:
            subject = modern(provider, connection={"authority": None, "authority_ca": None}, cloud=cloud.value)
            with pytest.raises(Failure) as caught:
                tokens(lookup=lookup).fetch(subject, soon())
        assert caught.value.kind is Kind.ADDRESS_NOT_ALLOWED
        hosts = {
            Cloud.GLOBAL: "login.microsoftonline.com",
            Cloud.US_GOV: "login.microsoftonline.us",
            Cloud.US_DOD: "login.microsoftonline.us",
            Cloud.CHINA: "login.partner.microsoftonline.cn",
        }
        assert asked == [f"{hosts[cloud]}:443"]
        assert provider.asked == []


class TestWhatItSays:
    @pytest.mark.case("O-11", "O-12")
    @pytest.mark.parametrize(
        ("claims", "kind", "told"),
        [
            ({"aud": "https://graph.microsoft.com"}, Kind.TOKEN_WRONG_AUDIENCE, "is for https://graph.microsoft.com"),
            ({"aud": None}, Kind.TOKEN_WRONG_AUDIENCE, "is for -"),
            ({"roles": ["Mail.Read"]}, Kind.TOKEN_MISSING_ROLE, "lacks SMTP.SendAsApp; it has Mail.Read"),
            ({"roles": None, "scp": "SMTP.Send"}, Kind.TOKEN_MISSING_ROLE, "it has SMTP.Send"),
            ({"roles": 7, "aud": [1, "https://outlook.office.com/"]}, Kind.TOKEN_MISSING_ROLE, "it has -"),
            ({"tid": "0" * 8}, Kind.TOKEN_WRONG_TENANT, "of tenant 00000000"),
            ({"tid": "\x1b[2J"}, Kind.TOKEN_WRONG_TENANT, r"of tenant \x1b[2J"),
            ({"tid": None}, Kind.TOKEN_WRONG_TENANT, "of tenant -"),
            ({"exp": 1_000_000_000}, Kind.TOKEN_NOT_VALID_NOW, "ended at 2001-09-09 01:46:40"),
            ({"exp": -5}, Kind.TOKEN_NOT_VALID_NOW, "ended at 1970-01-01"),
            ({"nbf": 1e99}, Kind.TOKEN_NOT_VALID_NOW, "begins at 9999-12-31"),
            ({"nbf": time.time() + 86_400}, Kind.TOKEN_NOT_VALID_NOW, "begins at"),
            ({"exp": "soon"}, Kind.TOKEN_MALFORMED, "no token that could be looked into"),
            ({"exp": True}, Kind.TOKEN_MALFORMED, "no token that could be looked into"),
            ({"exp": None}, Kind.TOKEN_MALFORMED, "no token that could be looked into"),
            ({"exp": float("inf")}, Kind.TOKEN_MALFORMED, "no token that could be looked into"),
        ],
    )
    def test_compared_before_it_is_used(self, claims: dict[str, Any], kind: Kind, told: str) -> None:
        with identity(granted(jwt(**claims))) as provider:
            failure = failed(provider)
        assert failure.kind is kind
        assert told in str(failure.detail)

    @pytest.mark.case("O-12")
    def test_clocks_may_differ_by_minutes(self) -> None:
        with identity(granted(jwt(nbf=time.time() + 200))) as provider:
            tokens().fetch(modern(provider), soon())

    @pytest.mark.case("O-12")
    def test_a_clock_that_is_wrong_here(self) -> None:
        with identity() as provider:
            failure = failed(provider, tokens(now=lambda: datetime.now(UTC) + timedelta(days=2)))
        assert failure.kind is Kind.TOKEN_NOT_VALID_NOW

    def test_a_domain_is_another_name_for_a_tenant(self) -> None:
        with identity(granted(jwt(tid="0" * 8))) as provider:
            provider.metadata = http(200, provider.discovery())
            tokens().fetch(modern(provider, tenant="empresa.onmicrosoft.com"), soon())

    @pytest.mark.parametrize("token", ["opaque-token", "a.b", "a.b.c", "a.!.c", "e30.W10.x", f"a.{'W1' * 3000}.c"])
    def test_what_is_no_token(self, token: str) -> None:
        with identity(granted(token)) as provider:
            assert failed(provider).kind is Kind.TOKEN_MALFORMED

    def test_those_of_personal_accounts_are_not_looked_into(self) -> None:
        with identity(granted("EwBgA8l6BAAU-opaque")) as provider:
            provider.metadata = http(200, provider.discovery())
            found = tokens().fetch(modern(provider, tenant="consumers"), soon())
        assert (found.claims, found.token.reveal()) == (None, "EwBgA8l6BAAU-opaque")

    @pytest.mark.case("O-06")
    @pytest.mark.parametrize("token", ["a\r\nRCPT TO:<x@y>", "a\x01auth=Bearer b", "", "x" * 9001, "é", 7, ["a"], None])
    def test_what_would_not_stay_in_its_field_is_not_sent(self, token: object) -> None:
        with identity(http(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})) as provider:
            failure = failed(provider)
        assert failure.kind in (Kind.TOKEN_MALFORMED, Kind.IDENTITY_PROVIDER_FAILED)

    @pytest.mark.case("O-05")
    @pytest.mark.parametrize("expires", ["abc", [1], {}, 1e400])
    def test_an_end_that_is_no_time(self, expires: object) -> None:
        with identity(granted(expires_in=expires)) as provider:
            assert failed(provider).kind is Kind.IDENTITY_PROVIDER_FAILED

    @pytest.mark.case("O-05")
    @pytest.mark.parametrize("expires", [-5, 0, "3600", 1e9])
    def test_ends_that_are_odd(self, expires: object) -> None:
        with identity(granted(expires_in=expires)) as provider:
            tokens().fetch(modern(provider), soon())


class TestRefusals:
    def test_it_is_told_with_its_numbers_and_id(self) -> None:
        with identity(refused("invalid_client", 7000215, status=401)) as provider:
            failure = failed(provider)
        assert failure.kind is Kind.OAUTH_ERROR
        assert failure.oauth is not None
        assert (failure.oauth.error, failure.oauth.codes) == ("invalid_client", (7000215,))
        assert (failure.oauth.description, failure.oauth.correlation_id) == ("AADSTS7000215: no.", "c-1")
        assert "invalid_client (AADSTS7000215)" in str(failure.detail)
        assert failure.at(Stage.TOKEN).oauth is failure.oauth

    def test_one_that_names_no_id_has_the_one_that_was_sent(self) -> None:
        with identity(refused(correlation_id=None)) as provider:
            failure = failed(provider)
        assert failure.oauth is not None
        assert failure.oauth.correlation_id == provider.asked[-1][1]["client-request-id"]

    def test_it_is_not_asked_again_for_a_minute(self) -> None:
        time_here = [0.0]
        with identity(refused("invalid_client", 7000215)) as provider:
            source = tokens(clock=lambda: time_here[0])
            for second in (0, 30, 59):
                time_here[0] = second
                assert failed(provider, source).oauth is not None
            assert len(provider.forms()) == 1
            time_here[0] = 61
            provider.token = granted()
            source.fetch(modern(provider), soon())
        assert len(provider.forms()) == 2

    def test_what_may_pass_is_asked_again(self) -> None:
        with identity(http(503, "<h1>busy</h1>", kind="text/html")) as provider:
            source = tokens()
            assert failed(provider, source).kind is Kind.IDENTITY_PROVIDER_FAILED
            provider.token = granted()
            source.fetch(modern(provider), soon())

    def test_a_tenant_that_there_is_none_of(self) -> None:
        with identity() as provider:
            provider.metadata = refused("invalid_tenant", 90002)
            failure = failed(provider)
        assert (failure.kind, failure.oauth and failure.oauth.codes) == (Kind.OAUTH_ERROR, (90002,))
        assert provider.forms() == []

    @pytest.mark.parametrize(
        "metadata", [{}, {"token_endpoint": 7}, {"authorization_endpoint": "x", "token_endpoint": "y"}]
    )
    def test_metadata_that_msal_makes_nothing_of(self, metadata: dict[str, Any]) -> None:
        with identity() as provider:
            provider.metadata = http(200, metadata)
            failure = failed(provider)
        assert failure.kind is Kind.IDENTITY_PROVIDER_FAILED
        assert "MSAL made nothing of its answer" in str(failure.detail)

    @pytest.mark.case("O-09")
    @pytest.mark.parametrize(
        "form",
        [
            lambda text: text,
            lambda text: base64.b64encode(text.encode()).decode(),
            lambda text: base64.b64encode(b"x" + text.encode() + b"y").decode(),
            quote_plus,
            lambda text: text.encode().hex(),
            lambda text: json.dumps({"client_secret": text}),
        ],
    )
    def test_the_secret_in_a_refusal_is_taken_out(self, form: Any) -> None:
        echoed = f"Invalid secret {form(SECRET)} provided"
        with identity(refused("invalid_client", error_description=echoed)) as provider:
            failure = failed(provider)
        assert failure.oauth is not None
        assert form(SECRET) not in failure.oauth.description
        assert "Invalid secret" in failure.oauth.description
        assert "[redacted]" in failure.oauth.description

    @pytest.mark.case("C-23")
    @pytest.mark.parametrize(
        "answer", [refused("invalid_client"), http(500, "no"), granted("x.y.z"), granted(expires_in="a")]
    )
    def test_no_secret_is_in_what_a_crash_reporter_would_see(self, answer: bytes) -> None:
        with identity(answer) as provider:
            failure = failed(provider)
        seen: list[str] = []
        errors: list[BaseException] = [failure]
        while errors:
            error = errors.pop()
            errors += [other for other in (error.__cause__, error.__context__) if other is not None]
            for frame, _ in traceback.walk_tb(error.__traceback__):
                if "/tests/" not in frame.f_code.co_filename:
                    seen += [repr(value) for value in frame.f_locals.values()]
        assert seen
        text = "\n".join([*seen, repr(failure), str(failure), *traceback.format_exception(failure)])
        assert SECRET not in text
        assert quote_plus(SECRET) not in text

    def test_a_secret_that_is_not_there(self) -> None:
        with identity() as provider, pytest.raises(SecretError, match="is not there"):
            tokens(Vault(Y="")).fetch(modern(provider), soon())
        assert provider.asked == []


class TestWaiting:
    def test_who_waits_for_another_s_request_has_a_deadline_of_its_own(self) -> None:
        asked, release = threading.Event(), threading.Event()

        def slow(connection: Any) -> None:
            asked.set()
            release.wait(10)
            connection.say(granted())

        with identity(slow) as provider:
            source = tokens()
            first = threading.Thread(target=lambda: source.fetch(modern(provider), soon()), daemon=True)
            first.start()
            assert asked.wait(10)
            with pytest.raises(Failure) as caught:
                source.fetch(modern(provider, name="other"), soon(0.4))
            assert caught.value.kind is Kind.TIMED_OUT
            release.set()
            first.join(10)
            assert not first.is_alive()

    def test_stopped_all_end_at_once(self) -> None:
        asked = threading.Event()

        def hold(connection: Any) -> None:
            asked.set()
            connection.hold()

        kinds: list[Kind] = []

        def ask() -> None:
            try:
                source.fetch(modern(provider), soon(60))
            except Failure as failure:
                kinds.append(failure.kind)

        with identity(hold) as provider:
            source = tokens()
            threads = [threading.Thread(target=ask, daemon=True) for _ in range(5)]
            for thread in threads:
                thread.start()
            assert asked.wait(10)
            began = time.monotonic()
            source.abort()
            for thread in threads:
                thread.join(10)
            assert time.monotonic() - began < 1
        assert kinds == [Kind.ABORTED] * 5
        assert len(provider.forms()) == 1


def test_the_authority_as_msal_wants_it() -> None:
    from opsmail.mail.oauth.clouds import cloud_facts
    from opsmail.mail.oauth.provider import IdentityProvider

    facts = cloud_facts(Cloud.GLOBAL)
    assert IdentityProvider(facts, TENANT, facts.authority).url == f"https://login.microsoftonline.com/{TENANT}"
    assert IdentityProvider(facts, "a/../b?c", "localhost", 9443).url == "https://localhost:9443/a%2F..%2Fb%3Fc"
