"""Envelopes by the letter of DSSE: an independent implementation takes ours, and we take its."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import (  # type: ignore[attr-defined]  # its own way of exporting
    CryptoSigner,
    SSlibKey,
)

from opsmail.evidence.dsse import Envelope, pre_authentication_encoding
from opsmail.evidence.keys import SigningKey

KEY = SigningKey.generate()
THEIR_KEY = load_pem_private_key(KEY.pem().encode(), None)


def signed(payload: bytes, payload_type: str) -> Envelope:
    signature = KEY.sign(pre_authentication_encoding(payload_type, payload))
    return Envelope(payload, payload_type, KEY.public.key_id, signature)


def test_what_is_signed() -> None:
    """The example of the protocol's description."""
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_keys_have_the_same_names() -> None:
    assert SSlibKey.from_crypto(THEIR_KEY.public_key()).keyid == KEY.public.key_id


@given(st.binary(max_size=200), st.text(st.characters(codec="utf-8"), max_size=20))
def test_theirs_and_ours_are_the_same(payload: bytes, payload_type: str) -> None:
    theirs = TheirEnvelope(payload, payload_type, {})
    theirs.sign(CryptoSigner(THEIR_KEY))
    ours = signed(payload, payload_type)
    assert json.loads(ours.canonical()) == theirs.to_dict()
    assert Envelope.parse(theirs.to_dict()) == ours
    verifier = SSlibKey.from_crypto(THEIR_KEY.public_key())
    assert TheirEnvelope.from_dict(json.loads(ours.canonical())).verify([verifier], 1)


@given(st.binary(max_size=50), st.integers(0, 511))
def test_a_changed_bit_is_noticed_by_both(payload: bytes, bit: int) -> None:
    ours = signed(payload, "application/x")
    changed = bytearray(ours.signature)
    changed[bit // 8] ^= 1 << bit % 8
    encoded = pre_authentication_encoding("application/x", payload)
    assert KEY.public.verifies(ours.signature, encoded)
    assert not KEY.public.verifies(bytes(changed), encoded)
    broken = Envelope(payload, "application/x", ours.key_id, bytes(changed))
    with pytest.raises(VerificationError):
        TheirEnvelope.from_dict(json.loads(broken.canonical())).verify(
            [SSlibKey.from_crypto(THEIR_KEY.public_key())], 1
        )


@pytest.mark.parametrize("signature", [b"", b"x", b"x" * 63, b"x" * 65, b"x" * 10_000])
def test_a_signature_of_another_length_holds_for_nothing(signature: bytes) -> None:
    assert not KEY.public.verifies(signature, b"data")
