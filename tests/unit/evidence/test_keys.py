from __future__ import annotations

import base64
import copy
import hashlib
import pickle
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from opsmail.errors import UsageError
from opsmail.evidence.keys import MAX_KEY_TEXT, InvalidKey, PublicKey, SigningKey, TrustedKey

KEY = SigningKey.generate()


def one_line(pem: str) -> str:
    """The base64 of the DER, as it fits into a variable of a CI system."""
    return "".join(pem.splitlines()[1:-1])


def private_pem(key: Any, encryption: Any = None, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    text: bytes = key.private_bytes(Encoding.PEM, form, encryption or NoEncryption())
    return text.decode()


@pytest.mark.parametrize("form", [str, one_line, lambda pem: f"\n  {pem}\n\n", lambda pem: pem.replace("\n", "\r\n")])
def test_a_pair_is_written_and_read(form: Any) -> None:
    assert SigningKey.load(form(KEY.pem())).public == KEY.public
    assert PublicKey.load(form(KEY.public.pem())) == KEY.public
    assert PublicKey.load(form(KEY.public.pem())).key_id == KEY.public.key_id


def test_the_standard_forms() -> None:
    assert KEY.pem().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert KEY.public.pem().startswith("-----BEGIN PUBLIC KEY-----\n")
    assert len(KEY.public.raw) == 32


def test_the_key_id_of_a_known_key() -> None:
    """RFC 8032 section 7.1, test 1; the id is SHA-256 over the canonical JSON of type, scheme and value."""
    known = PublicKey(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    description = f'{{"keytype":"ed25519","keyval":{{"public":"{known.raw.hex()}"}},"scheme":"ed25519"}}'
    assert known.key_id == hashlib.sha256(description.encode()).hexdigest()
    assert known.key_id == "74c181c7ad8a0855d4b55e44d2ba87aabdddb196832571f15f92fece332e4916"


NO_PRIVATE_KEYS = {
    "empty": "",
    "text": "not a key",
    "a PEM that is none": "-----BEGIN PRIVATE KEY-----\nhunter2secret\n-----END PRIVATE KEY-----\n",
    "no base64": "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
    "cut short": KEY.pem()[:60],
    "line breaks lost": KEY.pem().replace("\n", "\\n"),
    "base64 of nothing": base64.b64encode(b"hunter2secret").decode(),
    "not ASCII": KEY.pem() + "ç",
    "too long": KEY.pem() + " " * MAX_KEY_TEXT,
    "public": KEY.public.pem(),
    "with a passphrase": private_pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"hunter2")),
    "elliptic curve": private_pem(ec.generate_private_key(ec.SECP256R1())),
    "elliptic curve, old form": private_pem(
        ec.generate_private_key(ec.SECP256R1()), form=PrivateFormat.TraditionalOpenSSL
    ),
    "for another purpose": private_pem(x25519.X25519PrivateKey.generate()),
    "OpenSSH": private_pem(Ed25519PrivateKey.generate(), form=PrivateFormat.OpenSSH),
}


@pytest.mark.parametrize("text", NO_PRIVATE_KEYS.values(), ids=NO_PRIVATE_KEYS.keys())
def test_what_is_no_private_key(text: str) -> None:
    with pytest.raises(InvalidKey, match="Ed25519 private key") as caught:
        SigningKey.load(text)
    assert isinstance(caught.value, UsageError)
    assert caught.value.hint is not None
    shown = f"{caught.value!r} {caught.value} {caught.value.hint}"
    assert "hunter2" not in shown
    assert not any(line in shown for line in text.splitlines() if len(line) > 30 and "KEY" not in line)


NO_PUBLIC_KEYS = {
    "empty": "",
    "text": "not a key",
    "a certificate's label": KEY.public.pem().replace("PUBLIC KEY", "CERTIFICATE"),
    "elliptic curve": ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode(),
    "raw bytes": base64.b64encode(KEY.public.raw).decode(),
}


@pytest.mark.parametrize("text", NO_PUBLIC_KEYS.values(), ids=NO_PUBLIC_KEYS.keys())
def test_what_is_no_public_key(text: str) -> None:
    with pytest.raises(InvalidKey, match="Ed25519 public key"):
        PublicKey.load(text)


def test_a_private_key_in_the_public_place() -> None:
    with pytest.raises(InvalidKey, match="private key where the public one belongs") as caught:
        PublicKey.load(KEY.pem())
    assert one_line(KEY.pem()) not in f"{caught.value!r}"
    assert "make a new pair" in str(caught.value.hint)


def test_the_private_half_does_not_show() -> None:
    secret = one_line(KEY.pem())
    for shown in (repr(KEY), str(KEY), f"{KEY}"):
        assert secret not in shown
    assert KEY.public.key_id in repr(KEY)
    for action in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            action(KEY)


def test_a_trusted_key() -> None:
    key = TrustedKey.load(KEY.public.pem(), kinds=["test-send"], environments=["production"], name="keys/ci.pub.pem")
    assert (key.public, key.kinds, key.environments) == (
        KEY.public,
        frozenset({"test-send"}),
        frozenset({"production"}),
    )
    assert not key.revoked
    assert str(key) == "keys/ci.pub.pem"
    assert str(TrustedKey.load(KEY.public.pem(), kinds=[], environments=[])) == KEY.public.key_id
