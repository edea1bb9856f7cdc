"""Ed25519 keys (RFC 8032): made, read and written; which of them are trusted for what."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import field
from functools import lru_cache
from typing import Self, TypeVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from opsmail.canonical import canonical_json
from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.values import dataclass

#: Characters of a key's text; an Ed25519 key takes about 120.
MAX_KEY_TEXT = 16 * 1024

_PEM = "-----BEGIN "
_Key = TypeVar("_Key")


class InvalidKey(UsageError):  # noqa: N818 - the thing that is refused
    """A text is not a key of the kind that is needed. Never repeats any of it."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a key pair.

    Args:
        raw: 32 bytes (RFC 8032 section 5.1.5).
        key_id: SHA-256 over the key's canonical description, as TUF names keys
            (https://theupdateframework.github.io/specification/latest/#file-formats-keys); 64 hexadecimal digits.
    """

    raw: bytes
    key_id: str = field(init=False, compare=False)

    @classmethod
    def load(cls, text: str) -> Self:
        """Read a public key.

        Args:
            text: PEM (SubjectPublicKeyInfo), or one line with the base64 of its DER.

        Raises:
            InvalidKey: it is none, or not of Ed25519.
        """
        if "PRIVATE KEY" in text:
            raise InvalidKey(
                msg("this is a private key where the public one belongs"),
                hint=msg("take it out, consider it known to others, and make a new pair with `opsmail keygen`"),
            )
        key = _load(text, load_pem_public_key, load_der_public_key)
        if not isinstance(key, Ed25519PublicKey):
            raise InvalidKey(
                msg("this is not an Ed25519 public key in PEM form"), hint=msg("`opsmail keygen` makes a pair")
            )
        return cls(key.public_bytes(Encoding.Raw, PublicFormat.Raw))

    def __post_init__(self) -> None:
        described = canonical_json({"keytype": "ed25519", "keyval": {"public": self.raw.hex()}, "scheme": "ed25519"})
        object.__setattr__(self, "key_id", hashlib.sha256(described).hexdigest())

    def pem(self) -> str:
        """Return the PEM form (SubjectPublicKeyInfo)."""
        key = _ed25519(self.raw)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` is this key's over `data`."""
        try:
            _ed25519(self.raw).verify(signature, data)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """A key pair; its private half shows itself in `pem` only.

    Args:
        key: the private key.
    """

    __slots__ = ("_key", "public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @classmethod
    def generate(cls) -> Self:
        """Make a new pair."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, text: str) -> Self:
        """Read a private key.

        Args:
            text: PEM (PKCS #8, RFC 5958) without a passphrase, or one line with the base64 of its DER.

        Raises:
            InvalidKey: it is none, not of Ed25519, or has a passphrase.
        """
        key = _load(text, lambda data: load_pem_private_key(data, None), lambda data: load_der_private_key(data, None))
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidKey(
                msg("this is not an Ed25519 private key in PEM form without a passphrase"),
                hint=msg("`opsmail keygen` makes one; its line breaks have to be kept, or use the base64 of its DER"),
            )
        return cls(key)

    def pem(self) -> str:
        """Return the private key (PKCS #8 in PEM, no passphrase): the caller keeps it safe."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")

    def sign(self, data: bytes) -> bytes:
        """Return the signature over `data`: 64 bytes."""
        return self._key.sign(data)

    def __repr__(self) -> str:
        return f"SigningKey({self.public.key_id})"

    def __reduce__(self) -> str:
        raise TypeError("a private key is not pickled")


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key, and what its statements count for.

    Args:
        public: the key.
        kinds: the kinds of statements it may sign.
        environments: where they count.
        revoked: refused, whatever time a statement claims.
        name: what people call it, such as its file.
    """

    public: PublicKey
    kinds: frozenset[str]
    environments: frozenset[str]
    revoked: bool = False
    name: str = ""

    @classmethod
    def load(
        cls, pem: str, *, kinds: Iterable[str], environments: Iterable[str], revoked: bool = False, name: str = ""
    ) -> Self:
        """Read a trusted key from its public half; see `PublicKey.load`."""
        return cls(PublicKey.load(pem), frozenset(kinds), frozenset(environments), revoked, name)

    def __str__(self) -> str:
        return self.name or self.public.key_id


@lru_cache(maxsize=64)
def _ed25519(raw: bytes) -> Ed25519PublicKey:
    """Return the library's key of 32 octets; a few keys sign thousands of statements."""
    return Ed25519PublicKey.from_public_bytes(raw)


def _load(text: str, pem: Callable[[bytes], _Key], der: Callable[[bytes], _Key]) -> _Key | None:
    """Return the key that `text` holds, None where it holds none; what the library says may quote, so it stays here."""
    if len(text) > MAX_KEY_TEXT or not text.isascii():
        return None
    data = text.strip().encode("ascii")
    try:
        return pem(data) if text.strip().startswith(_PEM) else der(base64.b64decode(data, validate=True))
    # TypeError is what the library raises for a key that has a passphrase.
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
