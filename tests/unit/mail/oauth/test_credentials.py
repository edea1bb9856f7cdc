"""What an application proves itself with: certificate, outside identity token, machine identity."""

from __future__ import annotations

import base64
import sys
import threading
import time
import types
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12

from opsmail.mail.failure import Failure, Kind
from opsmail.mail.oauth.claims import payload
from opsmail.operator.model import Certificate
from opsmail.secrets import SecretError
from tests.hostile.catalogue import case
from tests.hostile.certificates import Wish, issue
from tests.hostile.peer import Connection, Peer
from tests.unit.mail.oauth.identity import AUDIENCE, Vault, http, identity, jwt, modern, soon, tokens

PASSPHRASE = "c4n4ry-passphrase"
CERTIFICATE = {"kind": "certificate", "pfx": "env://PFX", "passphrase": "env://PASS"}
FEDERATED = {"kind": "federated"}
MACHINE = {"kind": "managed-identity"}


def pfx(key: Any, certificate: x509.Certificate | None, passphrase: str | None = PASSPHRASE) -> str:
    protection = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase.encode())
    content = pkcs12.serialize_key_and_certificates(b"x", key, certificate, None, protection)
    return base64.b64encode(content).decode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


class TestCertificate:
    @pytest.mark.parametrize("passphrase", [PASSPHRASE, None])
    def test_an_assertion_is_signed_with_its_key(self, key: rsa.RSAPrivateKey, passphrase: str | None) -> None:
        issued = issue(Wish("app", key=key))
        credential = {name: value for name, value in CERTIFICATE.items() if passphrase or name != "passphrase"}
        vault = Vault(PFX=pfx(key, issued.certificate, passphrase), PASS=PASSPHRASE)
        with identity() as provider:
            tokens(vault).fetch(modern(provider, credential), soon())
            (form,) = provider.forms()
        assert form["client_assertion_type"].endswith("jwt-bearer")
        claims = payload(form["client_assertion"])
        assert claims is not None
        assert (claims["iss"], claims["sub"]) == ("x", "x")
        assert claims["aud"] == f"{provider.discovery()['token_endpoint']}"

    @pytest.mark.parametrize(
        "case", ["no base64", "no PFX", "another passphrase", "no certificate", "not RSA", "a half"]
    )
    def test_what_does_not_open(self, key: rsa.RSAPrivateKey, case: str) -> None:
        issued = issue(Wish("app", key=key))
        good = pfx(key, issued.certificate)
        curve = ec.generate_private_key(ec.SECP256R1())
        held = {
            "no base64": "*" * 40,
            "no PFX": base64.b64encode(b"x" * 100).decode(),
            "another passphrase": good,
            "no certificate": pfx(key, None),
            "not RSA": pfx(curve, issue(Wish("app", key=curve)).certificate),
            "a half": good[:400],
        }[case]
        vault = Vault(PFX=held, PASS="another" if case == "another passphrase" else PASSPHRASE)
        with identity() as provider, pytest.raises(SecretError, match="env://PFX") as caught:
            tokens(vault).fetch(modern(provider, CERTIFICATE), soon())
        assert held not in str(caught.value)
        assert caught.value.hint is not None
        assert provider.forms() == []

    def test_a_key_shows_itself_nowhere(self, key: rsa.RSAPrivateKey) -> None:
        from opsmail.mail.oauth.certificate import open_pfx
        from opsmail.references import SecretReference
        from opsmail.secrets import Secrets

        issued = issue(Wish("app", key=key))
        credential = Certificate(kind="certificate", pfx=SecretReference.parse("env://PFX"))
        pair = open_pfx(credential, Secrets({"env": Vault(PFX=pfx(key, issued.certificate, None))}))
        assert "key=" not in repr(pair)


def outside(
    subject: str = "repo:empresa/mail:environment:production", audience: str = "api://AzureADTokenExchange"
) -> str:
    return jwt(aud=audience, sub=subject)


@pytest.fixture
def ambient(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine that is no CI system, whatever this one is."""
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME"):
        monkeypatch.delenv(name, raising=False)
    import id._internal.oidc.ambient as detection

    monkeypatch.setattr(detection, "_GCP_PRODUCT_NAME_FILE", "/nowhere")
    return monkeypatch


def on_github(ambient: pytest.MonkeyPatch, port: int) -> None:
    ambient.setenv("GITHUB_ACTIONS", "true")
    ambient.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner-token")
    ambient.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"http://127.0.0.1:{port}/token?api-version=2")


class TestFederated:
    def test_github_s_token_is_the_assertion(self, ambient: pytest.MonkeyPatch) -> None:
        token = outside()
        with identity() as provider, identity(http(200, {"value": token}), secure=False) as runner:
            on_github(ambient, runner.peer.port)
            tokens().fetch(modern(provider, FEDERATED), soon())
            (form,) = provider.forms()
        assert form["client_assertion"] == token
        ((path, headers, _),) = runner.asked
        assert "audience=api%3A%2F%2FAzureADTokenExchange" in path
        assert headers["authorization"] == "bearer runner-token"

    def test_gitlab_s_token_and_the_catalogue_s_audience(self, ambient: pytest.MonkeyPatch) -> None:
        ambient.setenv("GITLAB_CI", "true")
        ambient.setenv("EMPRESA_ID_TOKEN", outside("project_path:empresa/mail:ref_type:branch:ref:main", "empresa"))
        with identity() as provider:
            subject = modern(provider, FEDERATED, connection={"federated_audience": "empresa"})
            tokens().fetch(subject, soon())
            assert "client_assertion" in provider.forms()[0]

    def test_a_token_from_a_place(self, ambient: pytest.MonkeyPatch) -> None:
        vault = Vault(TOKEN=outside())
        with identity() as provider:
            subject = modern(provider, FEDERATED, connection={"federated_token": "env://TOKEN"})
            source = tokens(vault)
            source.fetch(subject, soon())
            assert provider.forms()[0]["client_assertion"] == vault.held["TOKEN"]
            with pytest.raises(SecretError):
                tokens(Vault(OTHER="x")).fetch(subject, soon())

    def test_where_there_is_none(self, ambient: pytest.MonkeyPatch) -> None:
        with identity() as provider:
            subject = modern(provider, FEDERATED)
            with pytest.raises(Failure, match="no CI system that is known") as caught:
                tokens().fetch(subject, soon())
            assert caught.value.kind is Kind.IDENTITY_TOKEN_MISSING
            ambient.setenv("GITHUB_ACTIONS", "true")
            ambient.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", raising=False)
            with pytest.raises(Failure, match="GitHubOidcPermissionCredentialError"):
                tokens().fetch(subject, soon())
        assert provider.forms() == []

    @pytest.mark.parametrize(
        ("token", "told"),
        [
            case("O-16 of a pull request", outside("repo:empresa/mail:pull_request"), "any pull request"),
            ("opaque", "no JWT"),
            ("a\r\nb", "no access token"),
        ],
    )
    def test_one_that_anyone_may_get_is_not_used(self, ambient: pytest.MonkeyPatch, token: str, told: str) -> None:
        with identity() as provider:
            subject = modern(provider, FEDERATED, connection={"federated_token": "env://TOKEN"})
            with pytest.raises(Failure, match=told):
                tokens(Vault(TOKEN=token)).fetch(subject, soon())
        assert provider.forms() == []

    def test_a_runner_that_does_not_answer(self, ambient: pytest.MonkeyPatch) -> None:
        """`id` cannot be interrupted; who waits for it can, by the deadline and by `abort`."""
        peer = Peer(lambda connection: connection.hold())
        try:
            on_github(ambient, peer.port)
            with identity() as provider:
                subject, source = modern(provider, FEDERATED), tokens()
                with pytest.raises(Failure) as caught:
                    source.fetch(subject, soon(0.5))
                assert caught.value.kind is Kind.TIMED_OUT
                timer = threading.Timer(0.3, source.abort)
                timer.start()
                began = time.monotonic()
                with pytest.raises(Failure) as caught:
                    source.fetch(subject, soon(30))
                timer.join()
                assert caught.value.kind is Kind.ABORTED
                assert time.monotonic() - began < 2
        finally:
            peer.stop()

    def test_an_error_in_the_library_tells_no_value(self, ambient: pytest.MonkeyPatch) -> None:
        def broken(audience: str) -> str:
            raise KeyError("c4n4ry")

        ambient.setitem(sys.modules, "id", types.SimpleNamespace(detect_credential=broken))
        with identity() as provider, pytest.raises(Failure, match="KeyError") as caught:
            tokens().fetch(modern(provider, FEDERATED), soon())
        assert "c4n4ry" not in str(caught.value.detail)


class TestMachine:
    @pytest.fixture(autouse=True)
    def nowhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("IDENTITY_SERVER_THUMBPRINT", "MSI_ENDPOINT", "IMDS_ENDPOINT"):
            monkeypatch.delenv(name, raising=False)

    def app_service(self, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{port}/MSI/token/")
        monkeypatch.setenv("IDENTITY_HEADER", "header-secret")

    @pytest.mark.parametrize("client_id", [None, "22222222-2222-3333-4444-555555555555"])
    def test_the_machine_s_service_is_asked(self, monkeypatch: pytest.MonkeyPatch, client_id: str | None) -> None:
        answer = http(200, {"access_token": jwt(), "expires_on": str(int(time.time()) + 3600), "resource": AUDIENCE})
        credential = MACHINE if client_id is None else MACHINE | {"client_id": client_id}
        with identity() as provider, identity(answer, secure=False) as service:
            self.app_service(monkeypatch, service.peer.port)
            source, subject = tokens(), modern(provider, credential)
            assert source.fetch(subject, soon()).claims is not None
            source.fetch(subject, soon())
            assert provider.asked == []
        ((path, headers, _),) = service.asked
        assert "resource=https%3A%2F%2Foutlook.office365.com" in path
        assert (client_id is not None and client_id in path) is (client_id is not None)
        assert headers["x-identity-header"] == "header-secret"

    def test_where_there_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with identity() as provider:
            peer = Peer(Connection.close)
            peer.stop()
            self.app_service(monkeypatch, peer.port)
            with pytest.raises(Failure, match="no identity of its own") as caught:
                tokens().fetch(modern(provider, MACHINE), soon())
        assert caught.value.kind is Kind.NO_MACHINE_IDENTITY

    def test_one_that_the_environment_puts_elsewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with identity() as provider:
            monkeypatch.setenv("IDENTITY_ENDPOINT", "http://attacker.invalid/token")
            monkeypatch.setenv("IDENTITY_HEADER", "header-secret")
            with pytest.raises(Failure) as caught:
                tokens().fetch(modern(provider, MACHINE), soon())
        assert caught.value.kind is Kind.FOREIGN_ENDPOINT

    def test_a_refusal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answer = http(400, {"error": {"code": "BadRequest", "message": "no identity"}})
        with identity() as provider, identity(answer, secure=False) as service:
            self.app_service(monkeypatch, service.peer.port)
            with pytest.raises(Failure) as caught:
                tokens().fetch(modern(provider, MACHINE), soon())
        assert caught.value.oauth is not None
        assert (caught.value.oauth.error, caught.value.oauth.description) == ("BadRequest", "no identity")
