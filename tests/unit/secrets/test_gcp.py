"""`gcp-secretmanager://`: Google's library over a session that answers as the service documents it."""

from __future__ import annotations

import base64
import json
from typing import Any

import google.auth
import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.secretmanager import SecretManagerServiceClient
from requests.adapters import BaseAdapter

from opsmail.secrets import gcp
from opsmail.secrets.gcp import GcpSecrets, strict
from opsmail.secrets.interface import SecretStore, SecretStoreUnreachable
from tests.unit.secrets.refusals import CANARY, ref, refused

REFERENCE = "gcp-secretmanager://empresa-mail/rh"


class Identity(AnonymousCredentials):
    """Somebody whose login does not get better by being renewed."""

    def refresh(self, request: object) -> None:
        """Stay as it is."""


def identity() -> Identity:
    return Identity()  # type: ignore[no-untyped-call]  # of the library


class Service(BaseAdapter):
    """Secret Manager's answers.

    https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
    """

    def __init__(self, status: int = 200, value: bytes = CANARY.encode()) -> None:
        super().__init__()
        self.status = status
        self.value = value
        self.asked: list[str] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.asked.append(str(request.url).partition("?")[0])
        body: dict[str, Any] = {"name": "x", "payload": {"data": base64.b64encode(self.value).decode()}}
        if self.status != 200:
            body = {"error": {"code": self.status, "message": CANARY}}
        response = requests.Response()
        response.status_code = self.status
        response.headers["Content-Type"] = "application/json"
        if self.status == 302:
            response.headers["Location"] = "https://elsewhere.example/"
        response.request = request
        response.url = str(request.url)
        response._content = json.dumps(body).encode()
        return response

    def close(self) -> None:
        """Nothing is open."""


def opened(service: Service) -> SecretStore:
    client = strict(SecretManagerServiceClient(transport="rest", credentials=identity()))
    vars(client.transport)["_session"].mount("https://", service)
    return GcpSecrets(client)


def test_a_secret() -> None:
    service = Service()
    assert opened(service).resolve(ref(REFERENCE)).reveal() == CANARY
    url = "https://secretmanager.googleapis.com/v1/projects/empresa-mail/secrets/rh/versions/latest:access"
    assert service.asked == [url]


@pytest.mark.parametrize("reference", ["gcp-secretmanager://e/rh", f"{REFERENCE}#x"])
def test_what_names_no_secret(reference: str) -> None:
    service = Service()
    assert "does not name a project and a secret" in str(refused(lambda: opened(service), reference))
    assert service.asked == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, "no such secret"),
        (403, "denies this login"),
        (401, "does not know who asks"),
        (500, "Google failed with InternalServerError"),
        (302, "Google failed with TooManyRedirects"),
    ],
)
def test_what_does_not_resolve(status: int, reason: str) -> None:
    service = Service(status)
    refusal = refused(lambda: opened(service), REFERENCE)
    assert reason in str(refusal)
    assert isinstance(refusal, SecretStoreUnreachable) is (status in (500, 302))
    assert len(set(service.asked)) == 1


def test_what_is_no_text() -> None:
    assert "no UTF-8 text" in str(refused(lambda: opened(Service(value=b"\xff\xfe")), REFERENCE))


def test_nothing_of_the_environment_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google.auth, "default", lambda *_, **__: (identity(), "p"))
    store = gcp.open_store()
    assert vars(store._client.transport)["_session"].trust_env is False


def test_nobody_is_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def default(*_: Any, **__: Any) -> None:
        raise DefaultCredentialsError(CANARY)  # type: ignore[no-untyped-call]  # of the library

    monkeypatch.setattr(google.auth, "default", default)
    assert "nothing here says who asks Google" in str(refused(gcp.open_store, REFERENCE))
