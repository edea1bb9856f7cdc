"""Secrets: references resolved as late as possible, each scheme by its own adapter."""

from opsmail.secrets.interface import NeededSecret, Secret, SecretError, SecretStore, SecretStoreUnreachable
from opsmail.secrets.passwords import password
from opsmail.secrets.schemes import Secrets, known_schemes, open_secrets

__all__ = [
    "NeededSecret",
    "Secret",
    "SecretError",
    "SecretStore",
    "SecretStoreUnreachable",
    "Secrets",
    "known_schemes",
    "open_secrets",
    "password",
]
