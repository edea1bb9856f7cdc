from __future__ import annotations

import base64
import time
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from opsmail.mail.redaction import Redactor

SECRETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x17F), min_size=4, max_size=40)


def test_nothing_secret_nothing_changed() -> None:
    assert Redactor([])([b"a", b"b"]) == [b"a", b"b"]
    assert Redactor([""])([b"a"]) == [b"a"]
    assert Redactor(["correct-horse"])([b"5.7.8 wrong password", b"5.7.8 try again"]) == [
        b"5.7.8 wrong password",
        b"5.7.8 try again",
    ]


def test_the_text_around_stays() -> None:
    assert Redactor(["correct-horse"])([b"user rh with correct-horse failed"]) == [b"user rh with [redacted] failed"]


def test_the_whole_encoded_run_goes() -> None:
    blob = base64.b64encode(b"\0rh\0correct-horse")
    assert Redactor(["correct-horse"])([b"got " + blob + b", " + blob + b"!"]) == [b"got [redacted], [redacted]!"]


def test_several_lines_with_one_lose_their_text() -> None:
    assert Redactor(["correct-horse"])([b"5.7.8 see below", b"5.7.8 correct-", b"horse"]) == [
        b"5.7.8 [redacted]",
        b"5.7.8 [redacted]",
        b"[redacted]",
    ]


@settings(deadline=None)  # a busy machine is not a failure
@given(SECRETS, st.binary(max_size=5), st.binary(max_size=5))
def test_no_encoding_survives(secret: str, before: bytes, after: bytes) -> None:
    redact = Redactor([secret])
    raw = secret.encode()
    blob = base64.b64encode(before + raw + after)
    urlsafe = base64.urlsafe_b64encode(before + raw + after)
    for form in (raw, raw.hex().encode(), quote(secret, safe="").encode(), blob, urlsafe):
        cleaned = redact([b"535 [" + form + b"]"])[0]
        assert form not in cleaned
        assert b"redacted" in cleaned


@settings(deadline=None)  # a busy machine is not a failure
@given(SECRETS, st.integers(1, 60))
def test_no_wrapping_survives(secret: str, width: int) -> None:
    blob = base64.b64encode(b"\0rh@x.test\0" + secret.encode())
    lines = [blob[place : place + width] for place in range(0, len(blob), width)]
    assert blob not in b"".join(Redactor([secret])(lines))


def test_a_long_line_takes_no_time() -> None:
    """64 KiB of what could be base64, with and without hits, stay far from a second."""
    redact = Redactor(["correct-horse-battery"])
    hit = base64.b64encode(b"correct-horse-battery")
    started = time.perf_counter()
    redact([b"A" * 65536])
    redact([hit[:8] * 8192])
    redact([(hit + b" ") * 2000])
    assert time.perf_counter() - started < 1


TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL291dGxvb2sifQ.c2lnbmF0dXJlLW9mLWEtdGVzdA"


def test_a_token_in_every_encoding_and_cut_anywhere_after_its_first_part() -> None:
    redact = Redactor([TOKEN])
    response = f"user=rh@x.test\x01auth=Bearer {TOKEN}\x01\x01".encode()
    for form in (TOKEN.encode(), base64.b64encode(response), response.hex().encode(), quote(TOKEN).encode()):
        (cleaned,) = redact([b"500 line too long: " + form])
        assert cleaned == b"500 line too long: [redacted]" or form not in cleaned
    header, payload, signature = TOKEN.split(".")
    for piece in (header, payload, signature):
        for form in (piece.encode(), base64.b64encode(b"x" + piece.encode() + b"y")):
            assert redact([b"got " + form + b" and no more"]) == [b"got [redacted] and no more"]
    cut = TOKEN[: len(header) + len(payload) + 6].encode()
    assert payload.encode() not in redact([cut])[0]


def test_three_short_words_are_no_token() -> None:
    assert Redactor(["a.b.c"])([b"a b c"]) == [b"a b c"]
