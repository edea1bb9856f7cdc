"""The files that an application server trusts: public keys, and the authority of the store's server."""

from __future__ import annotations

from pathlib import Path

from opsmail.errors import UsageError
from opsmail.evidence.keys import InvalidKey, TrustedKey
from opsmail.evidence.statement import Kind
from opsmail.messages import Message, msg, quoted


def load_key(path: Path, environment: str) -> TrustedKey:
    """Return the public key in a file, as one that signs generations of `environment`.

    Raises:
        UsageError: the file cannot be read.
        InvalidKey: it holds no key.
    """
    hint = msg("copy the public key that `opsmail keygen` wrote to this machine")
    pem = _read(path, msg("the public key"), hint)
    try:
        return TrustedKey.load(pem, kinds=[Kind.GENERATION], environments=[environment], name=str(path))
    except InvalidKey as error:
        raise InvalidKey(msg("{path}: {reason}", path=path, reason=error.message), hint=error.hint) from error


def load_authority(path: Path) -> str:
    """Return the certificates in a file, in PEM.

    Raises:
        UsageError: the file cannot be read.
    """
    hint = msg("copy the certificate of the authority that signed the server's to this machine")
    return _read(path, msg("the store's CA certificate"), hint)


def _read(path: Path, what: Message, hint: Message) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError) as error:
        reason = quoted(getattr(error, "strerror", None) or "not a PEM file")
        message = msg("{what} {path} cannot be read: {reason}", what=what, path=path, reason=reason)
        raise UsageError(message, hint=hint) from error
