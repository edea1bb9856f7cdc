"""Every fault at every step of a conversation (M-01, M-02, M-04, M-05, M-06, M-10, M-28, M-36)."""

from __future__ import annotations

import base64
import time
from email.message import EmailMessage

import pytest

from opsmail.errors import OpsmailError
from opsmail.mail.endpoint import Credentials, Encryption
from opsmail.mail.failure import Kind, Stage, StageError
from opsmail.mail.submission import Deadlines, Submission
from opsmail.mail.transcript import Transcript
from opsmail.secrets.interface import Secret
from tests.hostile.conftest import Kit
from tests.hostile.peer import LIMIT, SLACK, STEPS, Connection, Script

PASSWORD = "corre\u00e7\u00e3o-92"
LOGIN = Credentials("rh@empresa.test", Secret(PASSWORD))
PLAIN = base64.b64encode(f"\0{LOGIN.username}\0{PASSWORD}".encode())
SENDER, RECIPIENT = "rh@empresa.test", "teste@empresa.test"

STAGE_OF = {
    "banner": Stage.CONNECT,
    "EHLO": Stage.CONNECT,
    "STARTTLS": Stage.TLS,
    "handshake": Stage.TLS,
    "EHLO-TLS": Stage.TLS,
    "AUTH": Stage.AUTHENTICATE,
    "MAIL": Stage.ENVELOPE,
    "RCPT": Stage.ENVELOPE,
    "DATA": Stage.SEND,
    "content": Stage.SEND,
}
FAULTS: dict[str, tuple[Script, set[Kind]]] = {
    "silence": (lambda c: c.hold(), {Kind.TIMED_OUT}),
    "slow drip": (lambda c: c.drip(b"250-" + b"x" * 100), {Kind.TIMED_OUT}),
    "close": (lambda c: c.close(), {Kind.DISCONNECTED}),
    "reset": (lambda c: c.reset(), {Kind.DISCONNECTED}),
    "garbage": (lambda c: c.say(b"\x80\xff garbage\x1b[31m\r\n"), {Kind.PROTOCOL_ERROR, Kind.NOT_SMTP, Kind.NOT_TLS}),
    "endless": (lambda c: c.flood(b"250-" + b"x" * 990 + b"\r\n"), {Kind.PROTOCOL_ERROR, Kind.NOT_SMTP}),
    "endless line": (lambda c: c.flood(b"2" * 4096), {Kind.PROTOCOL_ERROR, Kind.NOT_SMTP}),
    "changing code": (lambda c: c.say(b"250-yes\r\n550 no\r\n"), {Kind.PROTOCOL_ERROR, Kind.NOT_SMTP}),
    "wrong code": (lambda c: c.say(b"211 what\r\n"), {Kind.PROTOCOL_ERROR}),
}
# Bytes in clear where the handshake should be are no replies: each is one of these two.
IN_CLEAR = {Kind.TLS_INJECTION, Kind.NOT_TLS, Kind.DISCONNECTED}


def message() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = SENDER, RECIPIENT, "Teste"
    mail.set_content("um\n.\ndois\n")
    return mail


def run(submission: Submission) -> bool:
    """The whole conversation; returns how QUIT went."""
    with submission:
        submission.resolve()
        submission.connect()
        submission.secure()
        submission.authenticate(LOGIN)
        submission.envelope(SENDER, [RECIPIENT])
        submission.send(message())
        return submission.quit()


def test_a_whole_conversation(kit: Kit) -> None:
    peer, transcript = kit.scripted(), Transcript()
    assert run(kit.submission(peer, transcript=transcript))
    assert peer.said(secure=False).split(b"\r\n")[:2] == [b"EHLO [127.0.0.1]", b"STARTTLS"]
    assert PLAIN in peer.said(secure=True)
    assert peer.said().count(PLAIN) == 1
    lines = str(transcript).splitlines()
    assert "C: AUTH PLAIN [response]" in lines
    assert "S: 250 2.0.0 Ok: queued as 4F1B2" in lines
    assert any(line.startswith("C: [message of ") for line in lines)
    assert "um" not in str(transcript)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", [step for step in STEPS if step != "QUIT"])
def test_a_fault(kit: Kit, step: str, fault: str) -> None:
    act, kinds = FAULTS[fault]
    peer, transcript = kit.scripted({step: act}), Transcript()
    started = time.monotonic()
    with pytest.raises(StageError) as caught:
        run(kit.submission(peer, transcript=transcript))
    error = caught.value
    assert time.monotonic() - started < LIMIT + SLACK
    assert error.stage is STAGE_OF[step]
    if step == "handshake" and fault not in ("silence", "close", "reset"):
        kinds = kinds | IN_CLEAR
    assert error.kind in kinds
    assert isinstance(error, OpsmailError)
    assert isinstance(error, TimeoutError) == (error.kind is Kind.TIMED_OUT)
    assert isinstance(error, ConnectionError) == (error.kind is Kind.DISCONNECTED)
    # The server has the whole message and nobody knows what it did with it.
    assert error.outcome_unknown == (step == "content")
    assert peer.connections == 1
    assert_kept(PASSWORD, peer.said(secure=False), str(transcript), str(error), repr(error))
    assert peer.said().count(PLAIN) <= 1
    if STEPS.index(step) < STEPS.index("AUTH"):
        assert PLAIN not in peer.said()


def assert_kept(secret: str, *places: str | bytes) -> None:
    for place in places:
        data = place.encode() if isinstance(place, str) else place
        assert secret.encode() not in data
        assert PLAIN not in data
        assert base64.b64encode(secret.encode()) not in data


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_goodbye_changes_nothing(kit: Kit, fault: str) -> None:
    peer = kit.scripted({"QUIT": FAULTS[fault][0]})
    started = time.monotonic()
    assert run(kit.submission(peer)) is False
    assert time.monotonic() - started < LIMIT + SLACK


@pytest.mark.parametrize("fault", ["silence", "slow drip", "close", "reset", "garbage", "endless", "wrong code"])
@pytest.mark.parametrize("step", ["handshake", "banner", "EHLO-TLS"])
def test_a_fault_with_implicit_tls(kit: Kit, step: str, fault: str) -> None:
    act, kinds = FAULTS[fault]

    def after_the_hello(connection: Connection) -> None:
        connection.sock.recv(1)
        act(connection)

    # A reset that comes before the client has said anything may still hit its connect.
    first = step == "handshake" and fault == "reset"
    peer = kit.scripted({step: after_the_hello if first else act}, implicit=True)
    started = time.monotonic()
    with pytest.raises(StageError) as caught:
        run(kit.submission(peer, port=465, encryption=Encryption.IMPLICIT_TLS))
    assert time.monotonic() - started < LIMIT + SLACK
    assert caught.value.stage is Stage.TLS
    expected = kinds | ({Kind.NOT_TLS, Kind.WRONG_TLS_MODE} if step == "handshake" else set())
    assert caught.value.kind in expected
    assert peer.said(secure=False) == b"" or step == "handshake"


def test_the_total_deadline_ends_a_stage_that_has_time_left(kit: Kit) -> None:
    peer = kit.scripted({"RCPT": lambda c: c.hold()})
    submission = kit.client(kit.endpoint(peer), deadlines=Deadlines(total=0.4))
    started = time.monotonic()
    with pytest.raises(StageError) as caught:
        run(submission)
    assert (caught.value.stage, caught.value.kind) == (Stage.ENVELOPE, Kind.TIMED_OUT)
    assert time.monotonic() - started < 0.4 + SLACK
