"""`vault://`: against a stand-in for Vault's API, over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from requests.exceptions import ContentDecodingError, TooManyRedirects

from opsmail.references import SecretReference
from opsmail.secrets.http import LARGEST_ANSWER
from opsmail.secrets.interface import SecretError, SecretStoreUnreachable
from opsmail.secrets.vault import open_store
from tests.unit.secrets.refusals import CANARY, ref, refused
from tests.unit.secrets.vault_double import IDENTITY_TOKEN, ROLE, ROLE_ID, SECRET_ID, TOKEN, VaultDouble, running
from tests.workflows.tokens import TokenService, token, token_service

REFERENCE = "vault://secret/opsmail/rh#password"
SECRETS = {
    "secret/opsmail/rh": {"password": CANARY, "digits": 12345678, "list": [CANARY]},
    "secret/old": None,
}


@pytest.fixture
def vault(tmp_path: Path) -> VaultDouble:
    """A Vault that is described, not yet running."""
    return VaultDouble(SECRETS)


def environment(vault: VaultDouble, **more: str) -> dict[str, str]:
    return {"VAULT_ADDR": vault.address, "VAULT_CACERT": vault.ca, "VAULT_TOKEN": TOKEN, **more}


def test_a_field_of_a_secret(vault: VaultDouble, tmp_path: Path) -> None:
    with running(vault, tmp_path):
        store = open_store(environment(vault))
        assert store.resolve(ref(REFERENCE)).reveal() == CANARY
    assert vault.requests == ["GET /v1/secret/data/opsmail/rh"]


@pytest.mark.parametrize(
    ("login", "requested"),
    [
        ({"VAULT_ROLE_ID": ROLE_ID, "VAULT_SECRET_ID": SECRET_ID}, "POST /v1/auth/approle/login"),
        ({"VAULT_AUTH_ROLE": ROLE, "VAULT_ID_TOKEN": IDENTITY_TOKEN}, "POST /v1/auth/jwt/login"),
        (
            {"VAULT_AUTH_ROLE": ROLE, "VAULT_ID_TOKEN": IDENTITY_TOKEN, "VAULT_AUTH_PATH": "gitlab"},
            "POST /v1/auth/gitlab/login",
        ),
    ],
)
def test_every_way_to_log_in(vault: VaultDouble, tmp_path: Path, login: dict[str, str], requested: str) -> None:
    with running(vault, tmp_path):
        store = open_store(environment(vault, VAULT_TOKEN="", **login))
        assert store.resolve(ref(REFERENCE)).reveal() == CANARY
    assert vault.requests[0] == requested


@contextmanager
def github(monkeypatch: pytest.MonkeyPatch, status: int = 200) -> Iterator[TokenService]:
    """A job of GitHub Actions that may ask for its identity."""
    with token_service(status) as service:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", service.bearer)
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", service.address)
        yield service


def test_the_ci_system_is_asked_for_an_identity(
    vault: VaultDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(vault, tmp_path), github(monkeypatch) as service:
        vault.identity = token(vault.address)
        store = open_store(environment(vault, VAULT_TOKEN="", VAULT_AUTH_ROLE=ROLE))
        assert store.resolve(ref(REFERENCE)).reveal() == CANARY
        assert service.asked == [f"/token?api-version=2.0&audience={quote_plus(vault.address)}"]
    assert vault.requests[0] == "POST /v1/auth/jwt/login"


def test_a_ci_system_that_gives_no_identity(
    vault: VaultDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(vault, tmp_path), github(monkeypatch, status=403):
        error = refused(lambda: open_store(environment(vault, VAULT_TOKEN="", VAULT_AUTH_ROLE=ROLE)), REFERENCE)
    assert str(error) == "the CI system gives no identity token to log in to Vault with (AmbientCredentialError)"
    assert vault.requests == []


def test_no_ci_system_to_ask(vault: VaultDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("id.detect_credential", lambda _audience: None)
    with running(vault, tmp_path):
        error = refused(lambda: open_store(environment(vault, VAULT_TOKEN="", VAULT_AUTH_ROLE=ROLE)), REFERENCE)
    assert str(error) == "nothing here says how to log in to Vault"


def test_a_refused_login_repeats_nothing_of_it(vault: VaultDouble, tmp_path: Path) -> None:
    """Vault's answer quotes what was sent."""
    with running(vault, tmp_path):
        wrong = environment(vault, VAULT_TOKEN="", VAULT_ROLE_ID=ROLE_ID, VAULT_SECRET_ID=CANARY)
        error = refused(lambda: open_store(wrong), REFERENCE)
    assert str(error) == "logging in to Vault failed: Vault answered with InvalidRequest"


def test_a_namespace(vault: VaultDouble, tmp_path: Path) -> None:
    vault.namespace = "ti"
    with running(vault, tmp_path):
        store = open_store(environment(vault, VAULT_NAMESPACE="ti"))
        assert store.resolve(ref(REFERENCE)).reveal() == CANARY
        assert "no such secret" in str(refused(lambda: open_store(environment(vault)), REFERENCE))


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("vault://secret/opsmail/rh", "does not name a mount, a path and a field"),
        ("vault://secret/opsmail/rh#other", "the secret has no such field"),
        ("vault://secret/opsmail/rh#digits", "the field is no text"),
        ("vault://secret/opsmail/rh#list", "the field is no text"),
        ("vault://secret/nothing#password", "Vault has no such secret"),
        ("vault://secret/old#password", "Vault has no such secret"),
    ],
)
def test_what_does_not_resolve(vault: VaultDouble, tmp_path: Path, reference: str, reason: str) -> None:
    with running(vault, tmp_path):
        error = refused(lambda: open_store(environment(vault)), reference)
    assert reason in str(error)
    assert reference in str(error)
    assert error.hint is not None


def test_a_token_that_may_not(vault: VaultDouble, tmp_path: Path) -> None:
    with running(vault, tmp_path):
        error = refused(lambda: open_store(environment(vault, VAULT_TOKEN=CANARY)), REFERENCE)
    assert "denies this login" in str(error)
    assert not isinstance(error, SecretStoreUnreachable)


@pytest.mark.parametrize("login", [{}, {"VAULT_TOKEN": "", "VAULT_ROLE_ID": ROLE_ID, "VAULT_SECRET_ID": SECRET_ID}])
def test_a_sealed_vault(vault: VaultDouble, tmp_path: Path, login: dict[str, str]) -> None:
    vault.sealed = True
    with running(vault, tmp_path):
        error = refused(lambda: open_store(environment(vault, **login)), REFERENCE)
    assert "Vault is sealed" in str(error)
    assert isinstance(error, SecretStoreUnreachable)


@pytest.mark.parametrize(
    "address",
    ["", "vault.empresa.com.br", "http://vault.empresa.com.br:8200", "ftp://127.0.0.1", "https://a:b@vault.example"],
)
def test_an_address_that_is_not_protected(address: str) -> None:
    with pytest.raises(SecretError, match="over TLS"):
        open_store({"VAULT_ADDR": address, "VAULT_TOKEN": TOKEN})


def test_an_agent_on_this_machine_needs_no_tls() -> None:
    open_store({"VAULT_ADDR": "http://127.0.0.1:8100", "VAULT_TOKEN": TOKEN})


def test_no_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A token that lies about in the home folder or the process's own environment is not taken."""
    (tmp_path / ".vault-token").write_text(TOKEN)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)
    with pytest.raises(SecretError, match="how to log in"):
        open_store({"VAULT_ADDR": "https://localhost:1"})


def test_a_redirect_is_not_followed(vault: VaultDouble, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with running(vault, tmp_path), running(VaultDouble(SECRETS), tmp_path / "other") as other:
        vault.elsewhere = f"{other.address}/v1/secret/data/opsmail/rh"
        with pytest.raises(TooManyRedirects):
            open_store(environment(vault)).resolve(ref(REFERENCE))
    assert other.requests == []


def test_an_endless_answer_is_not_read(vault: VaultDouble, tmp_path: Path) -> None:
    vault.padding = LARGEST_ANSWER
    with running(vault, tmp_path), pytest.raises(ContentDecodingError, match="too large"):
        open_store(environment(vault)).resolve(ref(REFERENCE))


def test_an_unknown_authority_is_not_trusted(
    vault: VaultDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even when the process's environment names it: that is for other programs."""
    with running(vault, tmp_path):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", vault.ca)
        with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
            open_store(environment(vault, VAULT_CACERT="")).resolve(ref(REFERENCE))
    assert vault.requests == []


def test_a_literal_in_its_form() -> None:
    assert SecretReference.parse(f"vault://{CANARY}!").is_literal
