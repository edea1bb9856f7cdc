"""`azure-keyvault://vault/name`: a secret in Azure Key Vault; `vault` is a vault's name or, in other clouds, its host.

Who asks is found as Azure's own tools find it: a service principal in the environment, a workload or managed identity,
or who signed in with `az`. Source: https://learn.microsoft.com/python/api/azure-identity/azure.identity.defaultazurecredential
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

from opsmail.messages import Message, msg
from opsmail.references import SecretReference
from opsmail.secrets.http import TIMEOUT, BoundedSession
from opsmail.secrets.interface import Secret, not_resolved

# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers
_SUFFIXES = ("vault.azure.net", "vault.azure.cn", "vault.usgovcloudapi.net")
_VAULT = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]")
_NAME = re.compile(r"[A-Za-z0-9-]{1,127}")


class AzureSecrets:
    """Secrets of Azure key vaults.

    Args:
        credential: proves who asks.
    """

    def __init__(self, credential: TokenCredential) -> None:
        self._credential = credential
        self._clients: dict[str, SecretClient] = {}

    def resolve(self, reference: SecretReference) -> Secret:
        """Return the secret's newest version."""
        vault, _, name = reference.locator.partition("/")
        host = _host(vault)
        if host is None or _NAME.fullmatch(name) is None or reference.field is not None:
            raise not_resolved(
                reference, msg("it does not name a vault and a secret"), msg("write `azure-keyvault://vault/name`")
            )
        try:
            value = self._client(host).get_secret(name).value
        except AzureError as error:
            unreachable = not isinstance(error, HttpResponseError) or (error.status_code or 0) >= 500
            raise not_resolved(reference, *_reason(error), unreachable=unreachable) from None
        if value is None:
            raise not_resolved(reference, msg("the secret is empty"), msg("store a value"))
        return Secret(value)

    def _client(self, host: str) -> SecretClient:
        if host not in self._clients:
            connect, read = TIMEOUT
            self._clients[host] = SecretClient(
                f"https://{host}",
                self._credential,
                transport=RequestsTransport(
                    session=BoundedSession(),
                    session_owner=False,
                    use_env_settings=False,
                    connection_timeout=connect,
                    read_timeout=read,
                ),
                retry_total=1,
            )
        return self._clients[host]


def open_store() -> AzureSecrets:
    """Return the vaults as whoever opsmail runs as."""
    return AzureSecrets(DefaultAzureCredential(exclude_interactive_browser_credential=True))


def _host(vault: str) -> str | None:
    """Return the vault's host, None for what is none: a token for a vault goes nowhere else."""
    name, separator, suffix = vault.partition(".")
    suffix = suffix if separator else _SUFFIXES[0]
    return f"{name.lower()}.{suffix}" if _VAULT.fullmatch(name) and suffix in _SUFFIXES else None


_REASONS: Mapping[type[AzureError], tuple[Message, Message]] = {
    ClientAuthenticationError: (
        msg("Azure does not know who asks, or denies it"),
        msg("give this identity the role `Key Vault Secrets User` on the vault"),
    ),
    ResourceNotFoundError: (
        msg("the vault has no such secret"),
        msg("correct its name: `azure-keyvault://vault/name`"),
    ),
}


def _reason(error: AzureError) -> tuple[Message, Message]:
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return reason
    if isinstance(error, HttpResponseError) and error.status_code == 403:
        return _REASONS[ClientAuthenticationError]
    return (
        msg("Azure failed with {kind}", kind=type(error).__name__),
        msg("see whether the vault can be reached from here"),
    )
