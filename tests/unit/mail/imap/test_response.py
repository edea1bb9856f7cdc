"""Responses: their lines and literals, however the bytes arrive, and the limits."""

from __future__ import annotations

import pytest

from opsmail.mail.imap.response import Limits, Response, ResponseParser, ResponseSyntaxError
from opsmail.mail.redaction import Redactor

SAID = (
    b"* OK [CAPABILITY IMAP4rev1] ready\r\n"
    b"+ \r\n"
    b"* 3 FETCH (UID 9 BODY[HEADER] {12}\r\nFrom: a\r\n\r\n\r X {0}\r\n)\r\n"
    b"o1 OK done\r\n"
    b"*\r\n"
)
UNDERSTOOD = [
    Response("*", "OK [CAPABILITY IMAP4rev1] ready"),
    Response("+", ""),
    Response("*", "3 FETCH (UID 9 BODY[HEADER] {12} X {0})", (b"From: a\r\n\r\n\r", b"")),
    Response("o1", "OK done"),
    Response("*", ""),
]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_bytes_in_pieces_of_any_size(size: int) -> None:
    parser = ResponseParser()
    found = [item for start in range(0, len(SAID), size) for item in parser.feed(SAID[start : start + size])]
    assert found == UNDERSTOOD
    assert [item.word for item in found] == ["OK", "", "3", "OK", ""]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"220 mail ESMTP\r\n", "no response"),
        (b"\x16\x03\x01", "no response"),
        (b"* " + b"x" * 100, "a line of more than 60 octets"),
        (b"* " + b"x" * 100 + b"\r\n", "a line of more than 60 octets"),
        (b"* BODY {999999}\r\n", "a response of more than 200 octets"),
        (b"* BODY {150}\r\n" + b"x" * 150 + b" and forty more octets of a line to come\r\n", "more than 200 octets"),
        (b"* {1}\r\nx" * 40, "more than 200 octets"),
    ],
)
def test_what_is_none_or_too_much(said: bytes, why: str) -> None:
    parser = ResponseParser(Limits(line=60, response=200))
    with pytest.raises(ResponseSyntaxError, match=why):
        parser.feed(said)


def test_a_literal_is_announced_at_the_end_of_a_line_only() -> None:
    (response,) = ResponseParser().feed(b"* OK {5} is no literal {7}x {99999999}\r\n")
    assert response.literals == ()


def test_nothing_that_acts_and_no_secret_is_kept() -> None:
    parser = ResponseParser()
    parser.redact = Redactor(["s3nh4-ção"])
    said = "* OK \x1b[31m s3nh4-ção\r\n* X {24}\r\nX: s3nh4-ção\r\nY: z\r\n\r\n\r\n".encode()
    first, second = parser.feed(said)
    assert first.text == "OK \\x1b[31m [redacted]"
    assert second.literals[0].startswith(b"[redacted]") or b"[redacted]" in second.literals[0]
    assert b"s3nh4" not in second.literals[0]
