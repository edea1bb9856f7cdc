"""`aws-secretsmanager://`: against moto, which stands in for AWS inside the process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from opsmail.secrets.aws import AwsSecrets, open_store
from opsmail.secrets.interface import SecretStoreUnreachable
from tests.unit.secrets.refusals import CANARY, ref, refused


@pytest.fixture(autouse=True, scope="module")
def account() -> Iterator[Any]:
    """An account with some secrets; logging in takes long, so it is done once."""
    with pytest.MonkeyPatch.context() as monkeypatch, mock_aws():
        monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        client = boto3.client("secretsmanager")
        client.create_secret(Name="opsmail/rh", SecretString=CANARY)
        client.create_secret(Name="opsmail/json", SecretString=f'{{"password": "{CANARY}", "port": 587}}')
        client.create_secret(Name="opsmail/binary", SecretBinary=CANARY.encode())
        yield client


def test_a_text() -> None:
    assert open_store().resolve(ref("aws-secretsmanager://opsmail/rh")).reveal() == CANARY


def test_an_entry_of_a_json_object() -> None:
    assert open_store().resolve(ref("aws-secretsmanager://opsmail/json#password")).reveal() == CANARY


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("aws-secretsmanager://opsmail/nothing", "no such secret in this region"),
        ("aws-secretsmanager://opsmail/binary", "the secret is binary"),
        ("aws-secretsmanager://opsmail/json#port", "no JSON object with this entry as text"),
        ("aws-secretsmanager://opsmail/json#other", "no JSON object with this entry as text"),
        ("aws-secretsmanager://opsmail/rh#password", "no JSON object with this entry as text"),
        ("aws-secretsmanager://opsmail/binary#password", "no JSON object with this entry as text"),
    ],
)
def test_what_does_not_resolve(reference: str, reason: str) -> None:
    error = refused(open_store, reference)
    assert reason in str(error)
    assert reference in str(error)
    assert error.hint is not None


class Failing:
    """A client whose questions fail."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_secret_value(self, **_: object) -> object:
        raise self.error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ClientError({"Error": {"Code": "AccessDeniedException", "Message": CANARY}}, "X"), "denies this login"),
        (ClientError({"Error": {"Code": "Throttling", "Message": CANARY}}, "X"), "AWS answered with Throttling"),
        (EndpointConnectionError(endpoint_url="https://x"), "AWS failed with EndpointConnectionError"),
    ],
)
def test_what_fails(error: Exception, reason: str) -> None:
    refusal = refused(lambda: AwsSecrets(Failing(error)), "aws-secretsmanager://opsmail/rh")
    assert reason in str(refusal)
    assert isinstance(refusal, SecretStoreUnreachable) is isinstance(error, EndpointConnectionError)


def test_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert "in which region" in str(refused(open_store, "aws-secretsmanager://opsmail/rh"))


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert open_store().resolve(ref("aws-secretsmanager://opsmail/rh")).reveal() == CANARY
