"""`azure-keyvault://`: Azure's library over a transport that answers as the service documents it."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from opsmail.secrets import azure
from opsmail.secrets.azure import AzureSecrets
from opsmail.secrets.http import BoundedSession
from opsmail.secrets.interface import SecretStore, SecretStoreUnreachable
from tests.unit.secrets.refusals import CANARY, ref, refused

REFERENCE = "azure-keyvault://empresa-mail/rh"


class Service(BaseAdapter):
    """Key Vault's answers; https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret."""

    def __init__(self, status: int, value: str | None) -> None:
        super().__init__()
        self.status = status
        self.value = value
        self.asked: list[str] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.asked.append(str(request.url).partition("?")[0])
        headers = {"Content-Type": "application/json"}
        body: dict[str, Any] = {"value": self.value, "id": f"{self.asked[-1]}/1", "attributes": {"enabled": True}}
        status = self.status
        if "Authorization" not in request.headers:  # the library asks first where a token is to be had
            status = 401
            resource = str(request.url).split("/")[2].partition(".")[2]
            where = f'Bearer authorization="https://login.microsoftonline.com/t", resource="https://{resource}"'
            headers["WWW-Authenticate"] = where
        if status != 200:
            body = {"error": {"code": "Whatever", "message": CANARY}}
        response = requests.Response()
        response.status_code = status
        response.headers.update(headers)
        response.request = request
        response.url = str(request.url)
        response.raw = HTTPResponse(
            io.BytesIO(json.dumps(body).encode()), headers=headers, status=status, preload_content=False
        )
        return response

    def close(self) -> None:
        """Nothing is open."""


class Identity:
    """Somebody who is known, or is not."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        if self.error is not None:
            raise self.error
        return AccessToken("token", int(time.time()) + 3600)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """Key Vault, wherever the adapter looks for it."""
    service = Service(200, CANARY)

    def session() -> BoundedSession:
        session = BoundedSession()
        session.mount("https://", service)
        return session

    monkeypatch.setattr(azure, "BoundedSession", session)
    return service


def opened() -> SecretStore:
    return AzureSecrets(Identity())


@pytest.mark.parametrize(
    ("vault", "host"),
    [
        ("empresa-mail", "empresa-mail.vault.azure.net"),
        ("Empresa-Mail", "empresa-mail.vault.azure.net"),
        ("empresa.vault.azure.cn", "empresa.vault.azure.cn"),
        ("empresa.vault.usgovcloudapi.net", "empresa.vault.usgovcloudapi.net"),
    ],
)
def test_a_secret(service: Service, vault: str, host: str) -> None:
    assert opened().resolve(ref(f"azure-keyvault://{vault}/rh")).reveal() == CANARY
    assert {url.removesuffix("/") for url in service.asked} == {f"https://{host}/secrets/rh"}


def test_a_vault_is_known_the_second_time(service: Service) -> None:
    """The library asks once in a process where a token for it is to be had; a vault of its own has not been asked."""
    store = opened()
    reference = ref("azure-keyvault://segunda-vez/rh")
    assert [store.resolve(reference).reveal() for _ in range(2)] == [CANARY] * 2
    assert len(service.asked) == 3


@pytest.mark.parametrize(
    "reference",
    [
        "azure-keyvault://empresa.example/rh",
        "azure-keyvault://empresa.vault.azure.net.example/rh",
        "azure-keyvault://-/rh",
        "azure-keyvault://empresa-mail/rh#x",
    ],
)
def test_a_token_goes_to_no_other_host(service: Service, reference: str) -> None:
    assert "does not name a vault and a secret" in str(refused(opened, reference))
    assert service.asked == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, "the vault has no such secret"),
        (403, "Azure does not know who asks, or denies it"),
        (400, "Azure failed with HttpResponseError"),
        (501, "Azure failed with HttpResponseError"),
    ],
)
def test_what_does_not_resolve(service: Service, status: int, reason: str) -> None:
    service.status = status
    refusal = refused(opened, REFERENCE)
    assert reason in str(refusal)
    assert isinstance(refusal, SecretStoreUnreachable) is (status >= 500)


def test_an_empty_secret(service: Service) -> None:
    service.value = None
    assert "the secret is empty" in str(refused(opened, REFERENCE))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ClientAuthenticationError(CANARY), "does not know who asks"),
        (ServiceRequestError(CANARY), "Azure failed with ServiceRequestError"),
    ],
)
def test_nobody_is_logged_in(service: Service, error: Exception, reason: str) -> None:
    refusal = refused(lambda: AzureSecrets(Identity(error)), REFERENCE)
    assert reason in str(refusal)
    assert isinstance(refusal, SecretStoreUnreachable) is isinstance(error, ServiceRequestError)


def test_it_opens_without_asking_anybody() -> None:
    assert isinstance(azure.open_store(), AzureSecrets)
