from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmail.errors import RefusedError
from opsmail.evidence.envelope import InvalidStatement, sign, verify
from opsmail.evidence.invalid import InvalidEvidence, Reason
from opsmail.evidence.keys import SigningKey
from opsmail.evidence.statement import Kind, Statement
from opsmail.evidence.strict_json import MAX_BYTES
from tests.unit.evidence.statements import (
    CONTEXT,
    closed,
    envelope,
    name_of,
    opened,
    payload_of,
    sent,
    signed_payload,
    trusted,
)

KEY = SigningKey.generate()
OTHER = SigningKey.generate()
TRUSTED = [trusted(OTHER, name="keys/other.pub.pem"), trusted(KEY)]
ENVELOPE = envelope(KEY)


def reason_of(content: bytes, keys: Any = TRUSTED, **expected: Any) -> Reason:
    with pytest.raises(InvalidEvidence) as caught:
        verify(content, keys, **expected)
    assert isinstance(caught.value, RefusedError)
    assert str(caught.value)
    return caught.value.reason


def test_round_trip() -> None:
    verified = verify(ENVELOPE, TRUSTED)
    assert verified.statement == sent()
    assert verified.key == TRUSTED[1]
    assert verified.digest == name_of(ENVELOPE)
    assert verified.source == ""
    assert sign(sent(), KEY) == ENVELOPE


def test_the_runtime_gets_the_facts_of_a_generation() -> None:
    facts = {"number": 1, "manifest": {"rh": "ab" * 32}}
    content = sign(Statement.generation(CONTEXT, facts), KEY)
    assert verify(content, TRUSTED, kind=Kind.GENERATION, environment="production").predicate == facts


def test_an_envelope_made_by_the_letter_of_the_protocol() -> None:
    assert verify(signed_payload(sent().payload(), KEY), TRUSTED).statement == sent()


def test_verifying_leaves_its_arguments_alone() -> None:
    content = bytes(ENVELOPE)
    verify(content, iter(TRUSTED))
    verify(content, TRUSTED)
    assert content == ENVELOPE


# What was changed after it was signed


def reencoded(change: Callable[[Any], None]) -> bytes:
    """The envelope with its payload changed and the signature left."""
    data = opened(ENVELOPE)
    payload = json.loads(base64.b64decode(data["payload"]))
    change(payload)
    data["payload"] = base64.b64encode(closed(payload)).decode()
    return closed(data)


@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload["subject"][0]["digest"].update(sha256="00" * 32),
        lambda payload: payload["predicate"]["context"].update(environment="staging"),
        lambda payload: payload["predicate"]["context"].update(time="2036-03-10T12:00:00Z"),
        lambda payload: payload.update(added=1),
        lambda payload: payload.clear(),
        id,
    ],
)
def test_an_altered_payload(change: Callable[[Any], None]) -> None:
    assert reason_of(reencoded(change)) is Reason.BAD_SIGNATURE


def test_an_altered_signature() -> None:
    for at in (0, 31, 32, 63):
        data = opened(ENVELOPE)
        signature = bytearray(base64.b64decode(data["signatures"][0]["sig"]))
        signature[at] ^= 1
        data["signatures"][0]["sig"] = base64.b64encode(signature).decode()
        assert reason_of(closed(data)) is Reason.BAD_SIGNATURE


@pytest.mark.parametrize("signature", [b"", b"\0" * 63, b"\0" * 64, b"\0" * 65, b"\xff" * 64])
def test_a_signature_that_is_none(signature: bytes) -> None:
    data = opened(ENVELOPE)
    data["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    assert reason_of(closed(data)) is Reason.BAD_SIGNATURE


def test_a_signature_under_another_keys_id() -> None:
    data = opened(ENVELOPE)
    data["signatures"][0]["keyid"] = OTHER.public.key_id
    assert reason_of(closed(data)) is Reason.BAD_SIGNATURE


def test_the_signature_covers_the_payload_type() -> None:
    data = opened(ENVELOPE)
    data["payloadType"] = "application/json"
    assert reason_of(closed(data)) is Reason.PAYLOAD_TYPE
    assert reason_of(signed_payload(sent().payload(), KEY, "application/json")) is Reason.PAYLOAD_TYPE
    # Signed for another type, said to be of ours.
    foreign = opened(signed_payload(sent().payload(), KEY, "application/json"))
    foreign["payloadType"] = "application/vnd.in-toto+json"
    assert reason_of(closed(foreign)) is Reason.BAD_SIGNATURE


# Who signed


def test_an_unknown_key() -> None:
    assert reason_of(ENVELOPE, [trusted(OTHER)]) is Reason.UNKNOWN_KEY
    assert reason_of(ENVELOPE, []) is Reason.UNKNOWN_KEY


def test_a_revoked_key_whatever_the_time() -> None:
    keys = [trusted(KEY, revoked=True)]
    assert reason_of(ENVELOPE, keys) is Reason.REVOKED_KEY
    assert reason_of(sign(sent(time=CONTEXT.time.replace(year=2001)), KEY), keys) is Reason.REVOKED_KEY


def test_a_key_for_other_kinds() -> None:
    assert reason_of(ENVELOPE, [trusted(KEY, kinds=frozenset({"approval", "generation"}))]) is Reason.KIND_NOT_ALLOWED
    assert reason_of(ENVELOPE, [trusted(KEY, kinds=frozenset())]) is Reason.KIND_NOT_ALLOWED


def test_a_key_for_other_environments() -> None:
    keys = [trusted(KEY, environments=frozenset({"staging"}))]
    assert reason_of(ENVELOPE, keys) is Reason.ENVIRONMENT_NOT_ALLOWED
    assert verify(envelope(KEY, environment="staging"), keys).statement.context.environment == "staging"


def test_kinds_as_plain_words() -> None:
    """Settings have their own type for kinds; the words are what counts."""
    assert verify(ENVELOPE, [trusted(KEY, kinds=frozenset({"test-send"}))], kind="test-send").statement == sent()


def test_what_was_not_looked_for() -> None:
    assert reason_of(ENVELOPE, kind=Kind.GENERATION) is Reason.UNEXPECTED
    assert reason_of(ENVELOPE, environment="staging") is Reason.UNEXPECTED
    assert verify(ENVELOPE, TRUSTED, kind=Kind.TEST_SEND, environment="production").statement == sent()


def test_what_was_verified_is_at_hand() -> None:
    """Its file may be exchanged before it is published."""
    verified = verify(ENVELOPE, TRUSTED)
    assert verified.envelope == ENVELOPE
    assert verified.digest == hashlib.sha256(ENVELOPE).hexdigest()
    assert "payload" not in repr(verified)


def test_a_refusal_tells_of_the_statement() -> None:
    for keys in ([], [trusted(KEY, revoked=True)]):
        with pytest.raises(InvalidStatement) as caught:
            verify(ENVELOPE, keys)
        assert caught.value.statement == sent()


def test_where_there_is_none_to_read_it_tells_of_none() -> None:
    with pytest.raises(InvalidEvidence) as caught:
        verify(reencoded(lambda payload: payload.clear()), TRUSTED)
    assert not isinstance(caught.value, InvalidStatement)


# What it is made of


def change(**fields: Any) -> bytes:
    return closed({**opened(ENVELOPE), **fields})


SIGNATURE = opened(ENVELOPE)["signatures"][0]

MALFORMED = {
    "nothing": (b"", Reason.NOT_JSON),
    "no JSON": (b"-----BEGIN", Reason.NOT_JSON),
    "not UTF-8": (b'{"a":"\xff"}', Reason.NOT_JSON),
    "UTF-16": (ENVELOPE.decode().encode("utf-16"), Reason.NOT_JSON),
    "byte order mark": (b"\xef\xbb\xbf" + ENVELOPE, Reason.NOT_JSON),
    "a list": (b"[]", Reason.NOT_JSON),
    "a text": (b'"x"', Reason.NOT_JSON),
    "two documents": (ENVELOPE * 2, Reason.NOT_JSON),
    "a key twice": (ENVELOPE[:-1] + b',"payload":""}', Reason.NOT_JSON),
    "NaN": (b'{"payload":NaN}', Reason.NOT_JSON),
    "infinity": (b'{"payload":-Infinity}', Reason.NOT_JSON),
    "a number too large": (b'{"payload":1e999}', Reason.NOT_JSON),
    "an integer too large": (b'{"payload":9007199254740993}', Reason.NOT_JSON),
    "an integer of many digits": (b'{"payload":' + b"9" * 5000 + b"}", Reason.NOT_JSON),
    "a lone surrogate": (b'{"payload":"\\ud800"}', Reason.NOT_JSON),
    "too deep": (b'{"payload":' + b"[" * 200_000 + b"]" * 200_000 + b"}", Reason.NOT_JSON),
    "too large": (b" " * (MAX_BYTES + 1), Reason.TOO_LARGE),
    "empty": (b"{}", Reason.NOT_AN_ENVELOPE),
    "no payload": (change(payload=None), Reason.NOT_AN_ENVELOPE),
    "payload not base64": (change(payload="{}"), Reason.NOT_AN_ENVELOPE),
    "payload not ASCII": (change(payload="ção="), Reason.NOT_AN_ENVELOPE),
    "payload without its padding": (
        change(payload=base64.b64encode(b"{}").decode().rstrip("=")),
        Reason.NOT_AN_ENVELOPE,
    ),
    "payload with line breaks": (change(payload=opened(ENVELOPE)["payload"] + "\n"), Reason.NOT_AN_ENVELOPE),
    "payload spelt in another way": (change(payload="e31="), Reason.NOT_AN_ENVELOPE),
    "payload type no text": (change(payloadType=None), Reason.NOT_AN_ENVELOPE),
    "no signatures": (change(signatures=[]), Reason.NOT_AN_ENVELOPE),
    "signatures no list": (change(signatures=SIGNATURE), Reason.NOT_AN_ENVELOPE),
    "two signatures": (change(signatures=[SIGNATURE, SIGNATURE]), Reason.NOT_AN_ENVELOPE),
    "signature no object": (change(signatures=["x"]), Reason.NOT_AN_ENVELOPE),
    "signature without a key": (change(signatures=[{"sig": SIGNATURE["sig"]}]), Reason.NOT_AN_ENVELOPE),
    "signature no text": (change(signatures=[{**SIGNATURE, "sig": 7}]), Reason.NOT_AN_ENVELOPE),
    "signature not base64": (change(signatures=[{**SIGNATURE, "sig": "!"}]), Reason.NOT_AN_ENVELOPE),
}


@pytest.mark.parametrize(("content", "reason"), MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_envelope(content: bytes, reason: Reason) -> None:
    assert reason_of(content) is reason


def test_fields_of_others_are_ignored() -> None:
    """A transparency log adds its own, for example."""
    data = opened(ENVELOPE)
    data["signatures"][0]["cert"] = "x"
    data["more"] = [1]
    assert verify(closed(data), TRUSTED).statement == sent()


TWICE = sent().payload()[:-1] + b',"_type":"https://in-toto.io/Statement/v1"}'


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"\xff\xfe", Reason.NOT_JSON),
        (b"[]", Reason.NOT_JSON),
        (TWICE, Reason.NOT_JSON),
        (b"{}", Reason.NOT_A_STATEMENT),
        (closed({**payload_of(sent()), "predicate": {}}), Reason.NOT_A_STATEMENT),
    ],
)
def test_a_signed_payload_that_says_nothing(payload: bytes, reason: Reason) -> None:
    assert reason_of(signed_payload(payload, KEY)) is reason


def test_too_much_is_not_signed() -> None:
    # Below the limit as it is, beyond it in base64.
    with pytest.raises(InvalidEvidence) as caught:
        sign(Statement.generation(CONTEXT, {"reason": "x" * 900_000}), KEY)
    assert caught.value.reason is Reason.TOO_LARGE


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_are_refused(content: bytes) -> None:
    assert reason_of(content) in (Reason.NOT_JSON, Reason.NOT_AN_ENVELOPE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {
            "payload": JSON,
            "payloadType": JSON,
            "signatures": st.lists(JSON) | st.lists(st.fixed_dictionaries({"keyid": JSON, "sig": JSON})),
        }
    )
)
@settings(max_examples=50, deadline=None)
def test_any_envelope_is_refused(data: Any) -> None:
    assert reason_of(closed(data)) in (Reason.NOT_JSON, Reason.NOT_AN_ENVELOPE, Reason.PAYLOAD_TYPE)


@given(JSON)
@settings(max_examples=30, deadline=None)
def test_any_signed_payload_is_refused(data: Any) -> None:
    assert reason_of(signed_payload(closed(data), KEY)) in (Reason.NOT_JSON, Reason.NOT_A_STATEMENT)


@given(st.integers(0, len(ENVELOPE) - 1), st.integers(1, 255))
@settings(max_examples=100, deadline=None)
def test_any_changed_byte_is_refused(at: int, difference: int) -> None:
    content = bytearray(ENVELOPE)
    content[at] ^= difference
    assert reason_of(bytes(content)) in (
        Reason.NOT_JSON,
        Reason.NOT_AN_ENVELOPE,
        Reason.PAYLOAD_TYPE,
        Reason.UNKNOWN_KEY,
        Reason.BAD_SIGNATURE,
    )
