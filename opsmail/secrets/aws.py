"""`aws-secretsmanager://name[#field]`: a secret in AWS Secrets Manager; with a field, one entry of its JSON object.

Region and login are found as AWS's own tools find them.
Source: https://boto3.amazonaws.com/v1/documentation/api/latest/guide/credentials.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from opsmail.messages import Message, msg
from opsmail.references import SecretReference
from opsmail.secrets.http import TIMEOUT
from opsmail.secrets.interface import Secret, SecretError, not_resolved

_NO_LOGIN = (
    msg("nothing here says who asks AWS, or in which region"),
    msg("set AWS_REGION and let the CI assume a role, or run `aws configure`"),
)
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors
_REASONS: Mapping[str, tuple[Message, Message]] = {
    "ResourceNotFoundException": (
        msg("AWS has no such secret in this region"),
        msg("correct the name or the region: `aws-secretsmanager://name#field`"),
    ),
    "AccessDeniedException": (
        msg("AWS denies this login the secret"),
        msg("allow it `secretsmanager:GetSecretValue` on the secret, and `kms:Decrypt` on its key"),
    ),
    "DecryptionFailure": (msg("AWS cannot decrypt the secret"), msg("allow this login `kms:Decrypt` on its key")),
}


class AwsSecrets:
    """Secrets of one AWS account and region.

    Args:
        client: of boto3, for `secretsmanager`.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def resolve(self, reference: SecretReference) -> Secret:
        """Return the secret's current version, or one entry of it."""
        try:
            text = self._client.get_secret_value(SecretId=reference.locator).get("SecretString")
        except ClientError as error:
            raise not_resolved(reference, *_reason(error)) from None
        except BotoCoreError as error:
            unreachable = not isinstance(error, NoCredentialsError | NoRegionError)
            raise not_resolved(reference, *_trouble(error), unreachable=unreachable) from None
        secret = text if reference.field is None else _entry(text, reference.field)
        if isinstance(secret, str):
            return Secret(secret)
        del text, secret
        if reference.field is None:
            raise not_resolved(reference, msg("the secret is binary"), msg("store it as text"))
        raise not_resolved(
            reference,
            msg("the secret is no JSON object with this entry as text"),
            msg("correct the name behind `#`, or leave it out where the secret is one text"),
        )


def open_store() -> AwsSecrets:
    """Return the secrets of the account that this machine is logged in to."""
    connect, read = TIMEOUT
    config = Config(connect_timeout=connect, read_timeout=read, retries={"total_max_attempts": 2}, proxies={})
    try:
        return AwsSecrets(boto3.client("secretsmanager", config=config))
    except BotoCoreError as error:
        what, hint = _trouble(error)
        raise SecretError(msg("AWS Secrets Manager cannot be used: {reason}", reason=what), hint=hint) from None


def _entry(text: str | None, name: str) -> object:
    try:
        data = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return data.get(name) if isinstance(data, dict) else None


def _reason(error: ClientError) -> tuple[Message, Message]:
    code = str(error.response.get("Error", {}).get("Code", ""))
    otherwise = (
        msg("AWS answered with {code}", code=code),
        msg("look it up among the errors of GetSecretValue in AWS's documentation"),
    )
    return _REASONS.get(code, otherwise)


def _trouble(error: BotoCoreError) -> tuple[Message, Message]:
    if isinstance(error, NoCredentialsError | NoRegionError):
        return _NO_LOGIN
    return (
        msg("AWS failed with {kind}", kind=type(error).__name__),
        msg("see whether AWS can be reached from here"),
    )
