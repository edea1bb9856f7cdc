from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmail.mail.reply import Limits, Reply, ReplyParser, ReplySyntaxError, readable


def parse(data: bytes, limits: Limits | None = None) -> tuple[Reply | None, bytes]:
    return ReplyParser(limits or Limits()).feed(data)


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"250 ok\r\n", Reply(250, None, ("ok",))),
        (b"250\r\n", Reply(250, None, ("",))),
        (b"250 \r\n", Reply(250, None, ("",))),
        (b"250-a\r\n250 b\r\n", Reply(250, None, ("a", "b"))),
        (b"250-a\r\n250\r\n", Reply(250, None, ("a", ""))),
        (b"535 5.7.8 no\r\n", Reply(535, "5.7.8", ("no",))),
        (b"535 5.7.8\r\n", Reply(535, "5.7.8", ("",))),
        (b"535-5.7.8 no\r\n535-5.7.8\r\n535 more\r\n", Reply(535, "5.7.8", ("no", "", "more"))),
        (b"250 5.7.8 no\r\n", Reply(250, None, ("5.7.8 no",))),
        (b"550 5.7.8888 no\r\n", Reply(550, None, ("5.7.8888 no",))),
        (b"334 4.0.0 no\r\n", Reply(334, None, ("4.0.0 no",))),
        (b"554 \xc3\xa9 \xff\xfe\x1b[31m\x00\t\r\n", Reply(554, None, ("é \\xff\\xfe\\x1b[31m\\x00\\x09",))),
        ("554 a\u2028b\u202ec\U000e0041\r\n".encode(), Reply(554, None, ("a\\u2028b\\u202ec\\U000e0041",))),
    ],
)
def test_replies(data: bytes, reply: Reply) -> None:
    assert parse(data) == (reply, b"")
    # Octet by octet it is the same.
    parser = ReplyParser()
    found = [parser.feed(data[place : place + 1])[0] for place in range(len(data))]
    assert found == [None] * (len(data) - 1) + [reply]
    assert not parser.begun


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n",
        b"\r\n",
        b"25 ok\r\n",
        b"2500 ok\r\n",
        b"150 ok\r\n",
        b"650 ok\r\n",
        b"260 ok\r\n",
        b"2x0 ok\r\n",
        b"250_ok\r\n",
        b"250 ok\n",
        b"250\n",
        b"250 a\rb\r\n",
        b"250\rx\r\n",
        b"250-a\r\n550 b\r\n",
        b"250-a\r\n25\r\n",
        b"250-a\r\n250x\r\n",
        "２５０ ok\r\n".encode(),
        "2５0 ok\r\n".encode(),
    ],
)
def test_no_replies(data: bytes) -> None:
    with pytest.raises(ReplySyntaxError):
        parse(data)


@pytest.mark.parametrize("begin", [b"H", b"\x16", b"2H", b"25H", b"250H", b"250-a\r\n5", b"250-a\r\n250H"])
def test_no_reply_is_seen_without_its_end(begin: bytes) -> None:
    with pytest.raises(ReplySyntaxError):
        parse(begin)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"250 " + b"x" * 60, "a line of more than 64 octets"),
        (b"250-x\r\n" * 5, "more than 4 lines"),
        (b"250-" + b"x" * 40 + b"\r\n250-" + b"x" * 40 + b"\r\n", "more than 80 octets"),
    ],
)
def test_limits(data: bytes, what: str) -> None:
    with pytest.raises(ReplySyntaxError, match=what):
        parse(data, Limits(line=64, lines=4, reply=80))


def test_what_follows_a_reply_is_returned() -> None:
    assert parse(b"250 a\r\n250 b\r\n") == (Reply(250, None, ("a",)), b"250 b\r\n")


def test_a_reply_in_one_line() -> None:
    reply = parse(b"535-5.7.8 Username and Password\r\n535 5.7.8 not accepted\r\n")[0]
    assert reply is not None
    assert reply.text == "Username and Password not accepted"
    assert str(reply) == "535 5.7.8 Username and Password not accepted"
    assert reply.severity == 5
    assert str(Reply(250, None, ("",))) == "250"
    long = Reply(554, None, ("x" * 1000,))
    assert (len(str(long)), len(long.text), len(long.whole_text)) == (500, 500, 1000)


def test_secrets_are_taken_out_first() -> None:
    parser = ReplyParser()
    parser.redact = lambda lines: [line.replace(b"secret", b"-") for line in lines]
    assert parser.feed(b"535-secret\r\n535 secret\r\n")[0] == Reply(535, None, ("-", "-"))


@settings(deadline=None)  # a busy machine is not a failure
@given(st.binary())
def test_readable_is_printable_and_keeps_text(data: bytes) -> None:
    text = readable(data)
    assert text.isprintable()
    if data.isascii() and data.decode().isprintable():
        assert text == data.decode()


@settings(deadline=None)  # a busy machine is not a failure
@given(st.lists(st.binary(max_size=300) | st.sampled_from([b"250-", b"250 ", b"\r\n", b"2", b"-x\r\n"]), max_size=40))
def test_any_bytes_in_any_split(chunks: list[bytes]) -> None:
    limits = Limits(line=100, lines=5, reply=300)
    parser = ReplyParser(limits)
    for chunk in chunks:
        try:
            reply, _ = parser.feed(chunk)
        except ReplySyntaxError:
            return
        assert len(parser._buffer) < limits.line
        assert sum(map(len, parser._lines)) <= limits.reply
        if reply is not None:
            assert len(reply.lines) <= limits.lines
            assert 200 <= reply.code < 600
