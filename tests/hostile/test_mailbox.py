"""A probe mailbox that misbehaves: reading it ends in its time, with the stage named and the password kept."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping

import pytest

from opsmail.mail.endpoint import BearerCredentials, Credentials, Encryption, Endpoint
from opsmail.mail.failure import Failure, Kind, Stage
from opsmail.mail.imap.session import RESPONSES, Session
from opsmail.mail.receipt import Receipt
from opsmail.mail.transcript import Transcript
from opsmail.mail.transport import Deadline
from opsmail.secrets.interface import Secret
from tests.hostile.conftest import Kit, Watch
from tests.hostile.mailbox import STEPS, WAY, found, mailbox
from tests.hostile.peer import HOST, LIMIT, Answer, Connection, Peer, Script

PASSWORD = "corre\u00e7\u00e3o-92"
LOGIN = Credentials("teste@empresa.test", Secret(PASSWORD))
BEARER = BearerCredentials("teste@empresa.test", Secret("c4n4ry-token-of-the-probe"))
PLAIN = base64.b64encode(f"\0{LOGIN.username}\0{PASSWORD}".encode())
MESSAGE_ID = "<opsmail.0a1b@empresa.test>"
#: How the table calls each step.
STEP_NAMES = {step: step for step in STEPS} | {
    "handshake": "mailbox handshake",
    "greeting": "mailbox greeting",
    "login": "mailbox login",
}
#: What the server does instead of answering.
FAULTS: Mapping[str, Script] = {
    "silence": lambda c: c.hold(),
    "slow drip": lambda c: c.drip(b"* OK " + b"x" * 100),
    "close": lambda c: c.close(),
    "reset": lambda c: c.reset(),
    "garbage": lambda c: c.say(b"\x80\xff garbage\x1b[31m\r\n"),
    "endless": lambda c: c.flood(b"* 1 EXISTS\r\n" * 50),
    "endless line": lambda c: c.flood(b"* " + b"x" * 4096),
    "wrong code": lambda c: c.say(b"* BYE not you\r\n"),
}


@pytest.fixture
def transcript() -> Transcript:
    return Transcript()


def session(kit: Kit, peer: Peer) -> Session:
    endpoint = kit.endpoint(peer, port=993, encryption=Encryption.IMPLICIT_TLS)
    return Session(endpoint, kit.trust)


def read(
    reading: Session,
    transcript: Transcript,
    login: Credentials | BearerCredentials = LOGIN,
    message_id: str = MESSAGE_ID,
) -> bytes | None:
    """The whole session, each part of it with a deadline of its own."""
    reading.observe = transcript
    try:
        reading.connect(Deadline(LIMIT))
        reading.log_in(login, Deadline(LIMIT))
        return reading.find(message_id, Deadline(LIMIT))
    finally:
        reading.close()


def failed(
    kit: Kit, transcript: Transcript, answers: Mapping[str, Answer], login: Credentials | BearerCredentials = LOGIN
) -> Failure:
    """How reading fails where some answers are replaced."""
    with pytest.raises(Failure) as caught:
        read(session(kit, kit.peer(mailbox(kit.tls, answers))), transcript, login)
    return caught.value


def test_a_message_is_found(kit: Kit, transcript: Transcript) -> None:
    peer = kit.peer(mailbox(kit.tls))
    header = read(session(kit, peer), transcript)
    assert header is not None
    assert Receipt.parse(header) == Receipt.parse(WAY)
    assert peer.said(secure=False) == b""
    assert peer.said().count(PLAIN) == 1
    lines = str(transcript).splitlines()
    assert "C: o2 AUTHENTICATE PLAIN" in lines
    assert f'C: o5 UID SEARCH HEADER Message-ID "{MESSAGE_ID}"' in lines
    assert "C: [response]" in lines
    assert not any(PASSWORD in line or PLAIN.decode() in line for line in lines)


def test_nothing_is_changed_in_the_mailbox(kit: Kit, transcript: Transcript) -> None:
    """It is opened for reading only, and a message that was looked at stays unread."""
    peer = kit.peer(mailbox(kit.tls))
    read(session(kit, peer), transcript)
    said = peer.said()
    assert b"EXAMINE INBOX" in said
    assert b"BODY.PEEK[" in said
    assert not any(verb in said for verb in (b"SELECT", b"STORE", b"EXPUNGE", b"COPY", b"MOVE", b"BODY["))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", STEPS)
def test_a_fault(kit: Kit, watch: Watch, transcript: Transcript, step: str, fault: str) -> None:
    peer = kit.peer(mailbox(kit.tls, {step: FAULTS[fault]}))
    reading = session(kit, peer)
    with pytest.raises(Failure) as caught:
        read(reading, transcript)
    watch.judge(STEP_NAMES[step], fault, caught.value.at(Stage.RECEIPT), reading.endpoint)
    told = "\n".join((str(transcript), str(caught.value.detail)))
    assert "\x1b" not in told
    assert PASSWORD not in told
    assert peer.said().count(PLAIN) == (1 if STEPS.index(step) >= STEPS.index("login") else 0)


def challenge_for_ever(connection: Connection) -> None:
    for _ in range(100):
        connection.say(b"+ \r\n")
        connection.hear()


@pytest.mark.parametrize(
    ("answers", "kind", "told"),
    [
        ({"greeting": b"* PREAUTH you are in\r\n"}, Kind.MAILBOX_REFUSED, "PREAUTH"),
        ({"greeting": b"220 mail ESMTP\r\n"}, Kind.PROTOCOL_ERROR, "not IMAP"),
        ({"CAPABILITY": b"%t BAD what\r\n"}, Kind.MAILBOX_REFUSED, "BAD what"),
        ({"CAPABILITY": b"o99 OK done\r\n"}, Kind.PROTOCOL_ERROR, "nobody had asked for"),
        ({"CAPABILITY": b"+ go on\r\n"}, Kind.PROTOCOL_ERROR, "nobody had asked for"),
        ({"CAPABILITY": b"%t OK\r\n"}, Kind.NO_COMMON_MECHANISM, "offers -, these credentials need PLAIN / LOGIN"),
        (
            {"CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=CRAM-MD5 AUTH=GSSAPI\r\n%t OK\r\n"},
            Kind.NO_COMMON_MECHANISM,
            "offers CRAM-MD5, GSSAPI",
        ),
        ({"AUTHENTICATE": b"%t OK come in\r\n"}, Kind.PROTOCOL_ERROR, "before it was complete"),
        ({"login": challenge_for_ever}, Kind.PROTOCOL_ERROR, "nothing was repeated"),
        ({"login": b"%t NO [AUTHENTICATIONFAILED] no\r\n"}, Kind.MAILBOX_REFUSED, "AUTHENTICATIONFAILED"),
        ({"login": b"%t NO\r\n"}, Kind.MAILBOX_REFUSED, "answered NO"),
        ({"EXAMINE": b"%t NO [NONEXISTENT] there is none\r\n"}, Kind.MAILBOX_REFUSED, "NONEXISTENT"),
        ({"FETCH": b"* 1 FETCH (X {70000}\r\n"}, Kind.PROTOCOL_ERROR, "more than 65536 octets"),
        ({"NOOP": b"* 1 EXISTS\r\n" * RESPONSES + b"%t OK\r\n"}, Kind.PROTOCOL_ERROR, "does not stop talking"),
    ],
)
def test_what_no_server_should_say(
    kit: Kit, transcript: Transcript, answers: Mapping[str, Answer], kind: Kind, told: str
) -> None:
    failure = failed(kit, transcript, answers)
    assert failure.kind is kind
    assert told in str(failure.detail)


def test_the_password_is_said_once(kit: Kit, transcript: Transcript) -> None:
    peer = kit.peer(mailbox(kit.tls, {"login": challenge_for_ever}))
    with pytest.raises(Failure):
        read(session(kit, peer), transcript)
    assert peer.said().count(PLAIN) == 1


@pytest.mark.parametrize("echo", [PASSWORD.encode(), PLAIN], ids=["as it is", "encoded"])
@pytest.mark.parametrize("step", ["login", "EXAMINE", "FETCH"])
def test_a_password_that_is_sent_back_is_in_nothing(kit: Kit, transcript: Transcript, step: str, echo: bytes) -> None:
    answer = (
        b"* 1 FETCH {%n}\r\n" + echo + b")\r\n%t NO " + echo + b"\r\n"
        if step == "FETCH"
        else b"%t NO " + echo + b"\r\n"
    )
    failure = failed(kit, transcript, {step: answer})
    told = "\n".join((str(transcript), str(failure.detail), repr(failure)))
    assert "[redacted]" in told
    assert PASSWORD not in told
    assert PLAIN.decode() not in told


class TestTokens:
    @pytest.mark.parametrize(
        ("mechanism", "response"),
        [
            ("XOAUTH2", b"user=teste@empresa.test\1auth=Bearer c4n4ry-token-of-the-probe\1\1"),
            ("OAUTHBEARER", b"n,a=teste@empresa.test,\1auth=Bearer c4n4ry-token-of-the-probe\1\1"),
        ],
    )
    def test_a_token_in_two_steps(self, kit: Kit, transcript: Transcript, mechanism: str, response: bytes) -> None:
        offer = f"* CAPABILITY IMAP4rev1 AUTH={mechanism}\r\n%t OK\r\n".encode()
        peer = kit.peer(mailbox(kit.tls, {"CAPABILITY": offer}))
        assert read(session(kit, peer), transcript, BEARER) is not None
        lines = peer.said().split(b"\r\n")
        assert lines[1:3] == [f"o2 AUTHENTICATE {mechanism}".encode(), base64.b64encode(response)]
        assert "c4n4ry" not in str(transcript)

    def test_an_error_is_answered_and_told(self, kit: Kit, transcript: Transcript) -> None:
        def refuses(connection: Connection) -> None:
            connection.say(b"+ eyJzdGF0dXMiOiI0MDAifQ==\r\n")
            assert connection.hear() == b""
            connection.say(b"o2 NO AUTHENTICATE failed.\r\n")

        failure = failed(kit, transcript, {"login": refuses}, BEARER)
        assert (failure.kind, str(failure.detail)) == (
            Kind.MAILBOX_REFUSED,
            "the server answered NO AUTHENTICATE failed.",
        )


class TestSearch:
    @pytest.mark.parametrize(
        "answer",
        [
            b"%t OK done\r\n",
            b"* SEARCH\r\n%t OK done\r\n",
            "* SEARCH 0 x -1 \u0663 99999999999\r\n%t OK done\r\n".encode(),
        ],
    )
    def test_nothing_is_found(self, kit: Kit, transcript: Transcript, answer: bytes) -> None:
        peer = kit.peer(mailbox(kit.tls, {"SEARCH": answer}))
        assert read(session(kit, peer), transcript) is None
        assert b"FETCH" not in peer.said()

    @pytest.mark.parametrize(
        "answer",
        [found(message_id=b"<opsmail.0a1b@empresa.test.x>"), found(b"", b""), b"* 1 FETCH (UID 17)\r\n%t OK done\r\n"],
    )
    def test_another_message_is_not_taken_for_it(self, kit: Kit, transcript: Transcript, answer: bytes) -> None:
        peer = kit.peer(mailbox(kit.tls, {"FETCH": answer}))
        assert read(session(kit, peer), transcript) is None

    def test_of_many_messages_the_last_ones_are_looked_at(self, kit: Kit, transcript: Transcript) -> None:
        numbers = b" ".join(b"%d" % number for number in range(1, 1_000))
        other = found(message_id=b"<another@empresa.test>")
        peer = kit.peer(mailbox(kit.tls, {"SEARCH": b"* SEARCH " + numbers + b"\r\n%t OK\r\n", "FETCH": other}))
        assert read(session(kit, peer), transcript) is None
        fetched = [line for line in peer.said().split(b"\r\n") if b"FETCH" in line]
        assert [line.split()[3] for line in fetched] == [b"999", b"998", b"997"]

    @pytest.mark.parametrize("message_id", ["<a\r\no9 DELETE INBOX>", "<\u00e7@x>", "", "<a\0>"])
    def test_a_message_id_is_no_command(self, kit: Kit, transcript: Transcript, message_id: str) -> None:
        peer = kit.peer(mailbox(kit.tls))
        with pytest.raises(Failure) as caught:
            read(session(kit, peer), transcript, message_id=message_id)
        assert caught.value.kind is Kind.INVALID_MESSAGE
        assert b"SEARCH" not in peer.said()

    def test_quotes_are_quoted(self, kit: Kit, transcript: Transcript) -> None:
        peer = kit.peer(mailbox(kit.tls, {"SEARCH": b"%t OK\r\n"}))
        read(session(kit, peer), transcript, message_id='<a"b\\c@x>')
        assert rb'Message-ID "<a\"b\\c@x>"' in peer.said()


def test_whoever_waits_is_woken(kit: Kit, transcript: Transcript) -> None:
    waiting = threading.Event()

    def hold(connection: Connection) -> None:
        waiting.set()
        connection.hold()

    reading = session(kit, kit.peer(mailbox(kit.tls, {"SEARCH": hold})))
    reading.observe = transcript
    reading.connect(Deadline(10))
    reading.log_in(LOGIN, Deadline(10))

    def wake() -> None:
        assert waiting.wait(10)
        reading.abort()

    waker = threading.Thread(target=wake)
    waker.start()
    with pytest.raises(Failure) as caught:
        reading.find(MESSAGE_ID, Deadline(10))
    waker.join()
    reading.close()
    assert caught.value.kind is Kind.ABORTED


def test_a_private_address_is_judged_like_any_other(kit: Kit, transcript: Transcript) -> None:
    reading = Session(Endpoint(HOST, 993), kit.trust, lookup=lambda host, port: [(2, 1, 6, "", ("10.0.0.1", port))])
    with pytest.raises(Failure) as caught:
        read(reading, transcript)
    assert caught.value.kind is Kind.ADDRESS_NOT_ALLOWED
