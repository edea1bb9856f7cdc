"""An application's certificate: a PFX in base64, opened in memory."""

from __future__ import annotations

import base64
import binascii
from dataclasses import field
from typing import Any

from opsmail.messages import msg
from opsmail.operator.model import Certificate
from opsmail.secrets import Secret, SecretError, Secrets
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class KeyPair:
    """What a PFX holds.

    Args:
        key: an object of `cryptography`, never written out.
        certificate: in PEM.
    """

    key: Any = field(repr=False)
    certificate: str


def open_pfx(credential: Certificate, secrets: Secrets) -> KeyPair:
    """Return the key and certificate that an operator refers to.

    Raises:
        SecretError: a reference does not resolve, or what it resolves to is no PFX with that passphrase.
    """
    passphrase = None if credential.passphrase is None else secrets.resolve(credential.passphrase)
    # Opened in a function of its own: no variable of a frame that an error passes through holds the key.
    found = _opened(secrets.resolve(credential.pfx), passphrase)
    if found is None:
        raise SecretError(
            msg("what `{reference}` gives is no PFX that opens", reference=credential.pfx),
            hint=msg("store the PFX as base64 in one line, with key and certificate, and its passphrase if it has one"),
        )
    return found


def _opened(pfx: Secret, passphrase: Secret | None) -> KeyPair | None:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

    try:
        octets = base64.b64decode("".join(pfx.reveal().split()), validate=True)
        key, certificate, _ = pkcs12.load_key_and_certificates(
            octets, None if passphrase is None else passphrase.reveal().encode()
        )
    except (binascii.Error, ValueError):
        return None
    # Microsoft takes RSA keys for assertions: https://learn.microsoft.com/entra/identity-platform/certificate-credentials
    if not isinstance(key, RSAPrivateKey) or certificate is None:
        return None
    return KeyPair(key, certificate.public_bytes(Encoding.PEM).decode("ascii"))
