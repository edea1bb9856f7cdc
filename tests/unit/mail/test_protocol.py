from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmail.addresses import AddressError
from opsmail.mail import sasl
from opsmail.mail.capabilities import mechanisms
from opsmail.mail.endpoint import Credentials
from opsmail.mail.events import Accepted, Challenged, Refused
from opsmail.mail.failure import Failure, Kind
from opsmail.mail.protocol import ConversationError, State, SubmissionProtocol
from opsmail.mail.reply import Limits, Reply
from opsmail.secrets.interface import Secret

LOGIN = Credentials("rh@x.test", Secret("correct-horse"))
EHLO = b"250-x.test\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN\r\n"


def script(mechanism: str = "PLAIN") -> sasl.Script:
    chosen = sasl.choose([mechanism], LOGIN)
    assert chosen is not None
    return chosen


def capable(secure: bool = True, ehlo: bytes = EHLO) -> SubmissionProtocol:
    protocol = SubmissionProtocol()
    if secure:
        protocol.secured()
    protocol.receive(b"220 x.test\r\n")
    protocol.ehlo()
    assert isinstance(protocol.receive(ehlo), Accepted)
    return protocol


def test_a_conversation_of_bytes() -> None:
    protocol = SubmissionProtocol("empresa.test")
    assert protocol.receive(b"220 x.te") is None
    assert protocol.heard
    assert protocol.receive(b"st\r\n") == Accepted(Reply(220, None, ("x.test",)))
    assert protocol.ehlo().wire == b"EHLO empresa.test\r\n"
    protocol.receive(EHLO)
    assert protocol.capabilities["SIZE"] == "1000"
    assert protocol.starttls().wire == b"STARTTLS\r\n"
    protocol.receive(b"220 go\r\n")
    protocol.secured()
    assert protocol.secure
    assert protocol.capabilities == {}
    protocol.ehlo()
    protocol.receive(EHLO)
    assert protocol.auth(script("LOGIN")).wire == b"AUTH LOGIN\r\n"
    assert isinstance(protocol.receive(b"334 VXNlcm5hbWU6\r\n"), Challenged)
    assert protocol.answer().wire == b"cmhAeC50ZXN0\r\n"
    protocol.receive(b"334 UGFzc3dvcmQ6\r\n")
    answer = protocol.answer()
    assert answer.wire == b"Y29ycmVjdC1ob3JzZQ==\r\n"
    assert "Y29y" not in repr(answer)
    protocol.receive(b"235 ok\r\n")
    assert protocol.mail("rh@x.test", size=10).wire == b"MAIL FROM:<rh@x.test> SIZE=10\r\n"
    protocol.receive(b"250 ok\r\n")
    for _ in range(2):
        assert protocol.rcpt("teste@x.test").wire == b"RCPT TO:<teste@x.test>\r\n"
        protocol.receive(b"251 will forward\r\n")
    assert protocol.data().wire == b"DATA\r\n"
    protocol.receive(b"354 go\r\n")
    assert protocol.content(b"a: b\n\n.\n").wire == b"a: b\r\n\r\n..\r\n.\r\n"
    protocol.receive(b"250 queued\r\n")
    protocol.mail("rh@x.test")
    assert protocol.receive(b"550 no\r\n") == Refused(Reply(550, None, ("no",)), "MAIL")
    assert protocol.quit().wire == b"QUIT\r\n"
    protocol.receive(b"221 bye\r\n")
    assert protocol.state is State.CLOSED
    assert not protocol.may_quit


def test_when_quit_makes_sense() -> None:
    protocol = SubmissionProtocol()
    moments = [protocol.may_quit]
    protocol.receive(b"220 x.test\r\n")
    moments.append(protocol.may_quit)
    protocol.quit()
    moments.append(protocol.may_quit)
    protocol.receive(b"221 bye\r\n")
    assert [*moments, protocol.may_quit] == [False, True, False, False]


def test_the_response_of_plain_goes_with_the_command() -> None:
    command = capable().auth(script())
    assert command.wire == b"AUTH PLAIN AHJoQHgudGVzdABjb3JyZWN0LWhvcnNl\r\n"
    assert command.shown == "AUTH PLAIN [response]"
    assert "AHJo" not in repr(command)


@pytest.mark.parametrize(
    ("act", "secure"),
    [
        (lambda p: p.auth(script()), False),
        (lambda p: p.starttls(), True),
        (lambda p: p.secured(), True),
        (lambda p: p.ehlo(), True),
        (lambda p: p.rcpt("a@x.test"), True),
        (lambda p: p.data(), True),
        (lambda p: p.content(b""), True),
        (lambda p: p.answer(), True),
        (lambda p: (p.mail("a@x.test"), p.mail("a@x.test")), True),
    ],
)
def test_not_now(act: Callable[[SubmissionProtocol], object], secure: bool) -> None:
    with pytest.raises(ConversationError):
        act(capable(secure))


@pytest.mark.parametrize("name", ["a b", "x\r\nNOOP", "[10.0.0.1]", "", "ü.test"])
def test_client_names_that_are_none(name: str) -> None:
    with pytest.raises(AddressError):
        SubmissionProtocol(name)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"220 a\r\n220 b\r\n", Kind.PROTOCOL_ERROR),
        (b"354 go\r\n", Kind.PROTOCOL_ERROR),
        (b"250 ok\r\n", Kind.PROTOCOL_ERROR),
        (b"garbage\r\n", Kind.NOT_SMTP),
        (b"\x15\x03\x01\x00\x02\x02\x46", Kind.WRONG_TLS_MODE),
        (b"\x16\x03\x01", Kind.WRONG_TLS_MODE),
    ],
)
def test_a_violation_is_final(said: bytes, kind: Kind) -> None:
    protocol = SubmissionProtocol()
    with pytest.raises(Failure) as caught:
        protocol.receive(said)
    assert caught.value.kind is kind
    for again in (lambda: protocol.receive(b"220 ok\r\n"), protocol.ehlo, protocol.quit, protocol.secured):
        with pytest.raises(Failure) as caught:
            again()
        assert caught.value.kind is kind
    assert not protocol.may_quit
    assert protocol.state is State.BROKEN


def test_capabilities() -> None:
    ehlo = (
        b"250-x.test Hello\r\n250-size 99\r\n250-AUTH plain LOGIN\r\n250-AUTH=LOGIN CRAM-MD5\r\n250-auth XOAUTH2\r\n"
        b"250-X_BAD y\r\n250-\r\n250-" + b"Y" * 100 + b"\r\n250 PIPELINING\r\n"
    )
    protocol = capable(ehlo=ehlo)
    assert protocol.capabilities == {
        "SIZE": "99",
        "AUTH": "plain LOGIN LOGIN CRAM-MD5 XOAUTH2",
        "PIPELINING": "",
    }
    assert mechanisms(protocol.capabilities) == {"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"}
    assert mechanisms({}) == frozenset()
    assert mechanisms({"AUTH": "plain " + "x" * 21 + " a\\x1b"}) == {"PLAIN"}


def test_eight_bit_and_utf8_parameters() -> None:
    assert capable().mail("a@x.test", eight_bit=True).wire == b"MAIL FROM:<a@x.test> BODY=8BITMIME\r\n"
    protocol = capable()
    assert protocol.mail("josé@x.test").wire == "MAIL FROM:<josé@x.test> BODY=8BITMIME SMTPUTF8\r\n".encode()
    protocol.receive(b"250 ok\r\n")
    assert protocol.rcpt("maçã@x.test").wire == "RCPT TO:<maçã@x.test>\r\n".encode()
    with pytest.raises(Failure) as caught:
        capable(ehlo=b"250 x.test\r\n").mail("josé@x.test")
    assert caught.value.kind is Kind.SMTPUTF8_MISSING


def test_a_recipient_that_the_sender_command_did_not_prepare() -> None:
    protocol = capable()
    protocol.mail("a@x.test")
    protocol.receive(b"250 ok\r\n")
    with pytest.raises(Failure) as caught:
        protocol.rcpt("josé@x.test")
    assert caught.value.kind is Kind.SMTPUTF8_MISSING
    with pytest.raises(Failure) as caught:
        protocol.rcpt("no address")
    assert caught.value.kind is Kind.INVALID_RECIPIENT


def test_the_last_look_at_a_line() -> None:
    protocol = capable()
    with pytest.raises(ConversationError):
        protocol._say("MAIL", "MAIL FROM:<a@x.test>\r\nDATA", State.CAPABLE)
    assert protocol.may_quit


@settings(deadline=None)  # a busy machine is not a failure
@given(st.binary(max_size=300) | st.text(alphabet=".\r\n ax", max_size=60).map(str.encode))
def test_content_is_one_message_whatever_it_is(message: bytes) -> None:
    protocol = capable()
    protocol.mail("a@x.test")
    protocol.receive(b"250 ok\r\n")
    protocol.rcpt("b@x.test")
    protocol.receive(b"250 ok\r\n")
    protocol.data()
    protocol.receive(b"354 go\r\n")
    wire = protocol.content(message).wire
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", wire)
    assert wire == b".\r\n" or wire.endswith(b"\r\n.\r\n")
    # As a strict server reads it.
    lines = wire.split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    body = lines[:-2]
    assert b"." not in body
    read = b"".join((line[1:] if line.startswith(b".") else line) + b"\n" for line in body)
    normal = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert read == normal or read == normal + b"\n"


COMMANDS: list[Callable[[SubmissionProtocol], object]] = [
    lambda p: p.ehlo(),
    lambda p: p.starttls(),
    lambda p: p.secured(),
    lambda p: p.auth(script("LOGIN")),
    lambda p: p.answer(),
    lambda p: p.mail("a@x.test"),
    lambda p: p.rcpt("b@x.test"),
    lambda p: p.data(),
    lambda p: p.content(b"x"),
    lambda p: p.quit(),
]
REPLIES = [b"220 ok\r\n", b"250 ok\r\n", b"334 \r\n", b"235 ok\r\n", b"354 go\r\n", b"550 no\r\n", b"421 bye\r\n", EHLO]


@settings(deadline=None)  # a busy machine is not a failure
@given(
    st.lists(
        st.sampled_from(COMMANDS)
        | st.sampled_from(REPLIES)
        | st.binary(min_size=1, max_size=40)
        | st.sampled_from([b"2", b"25", b"0-", b"x\r\n"]),
        max_size=60,
    )
)
def test_any_bytes_at_any_time(steps: list[bytes | Callable[[SubmissionProtocol], object]]) -> None:
    """Whatever is said and called: an event, a failure, or a complaint about the caller; and never a lot of memory."""
    protocol = SubmissionProtocol(limits=Limits(line=200, lines=10, reply=500))
    for step in steps:
        try:
            if isinstance(step, bytes):
                protocol.receive(step)
            else:
                step(protocol)
        except Failure:
            continue
        except ConversationError:
            assert not isinstance(step, bytes)
        assert len(protocol._parser._buffer) < 200
        assert sum(map(len, protocol._parser._lines)) <= 500
