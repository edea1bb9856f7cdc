"""Every fault at every step: it ends in its time, at its stage, with the verdict that the table has."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path

import pytest

from opsmail.errors import OpsmailError
from opsmail.mail.endpoint import Credentials, Encryption, Endpoint
from opsmail.mail.failure import Failure, Kind, Stage, StageError
from opsmail.mail.submission import Deadlines, Submission
from opsmail.mail.transcript import Transcript
from opsmail.secrets.interface import Secret
from tests.hostile.catalogue import case
from tests.hostile.conftest import Kit, Watch
from tests.hostile.matrix import FAULTS, PAGE, page, verdicts
from tests.hostile.peer import HOST, LIMIT, SLACK, STEPS, Connection, Script
from tests.hostile.test_destination import Hanging, Names
from tests.hostile.test_mailbox import FAULTS as MAILBOX_FAULTS
from tests.hostile.test_mailbox import STEP_NAMES as MAILBOX_STEPS
from tests.unit.mail.oauth.identity import SECRET, http, identity, modern, soon, tokens

PASSWORD = "corre\u00e7\u00e3o-92"
LOGIN = Credentials("rh@empresa.test", Secret(PASSWORD))
PLAIN = base64.b64encode(f"\0{LOGIN.username}\0{PASSWORD}".encode())
SENDER, RECIPIENT = "rh@empresa.test", "teste@empresa.test"

#: By step and fault; see `tests.hostile.matrix`.
VERDICTS = verdicts()
#: What an identity provider does instead of answering, and for how long it is waited for at most, in seconds.
TOKEN_FAULTS: Mapping[str, tuple[Script | bytes, float]] = {
    "silence": (FAULTS["silence"], 1),
    "slow drip": (lambda c: c.drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100), 1),
    "close": (FAULTS["close"], 10),
    "reset": (FAULTS["reset"], 10),
    "garbage": (FAULTS["garbage"], 10),
    "endless": (lambda c: c.flood(b"X: " + b"x" * 990 + b"\r\n"), 10),
    "endless line": (lambda c: c.flood(b"2" * 4096), 10),
    "wrong code": (http(302, "", "Location: https://elsewhere.test/"), 10),
}
RESOLVER_FAULTS: Mapping[str, Sequence[str] | OSError] = {
    "close": socket.gaierror(socket.EAI_FAIL, "no"),
    "reset": ConnectionResetError("no"),
    "garbage": [],
    "endless": [*(f"198.41.{number // 250}.{number % 250 + 1}" for number in range(10_000)), "127.0.0.1"],
    "wrong code": socket.gaierror(socket.EAI_NONAME, "no"),
}


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


@pytest.mark.parametrize(
    "fault",
    [
        case("M-01 silence", "silence"),
        case("M-02 slow drip", "slow drip"),
        case("M-04 close", "close"),
        case("M-05 reset", "reset"),
        case("M-10 garbage", "garbage"),
        case("M-06 endless", "endless"),
        case("M-06 endless line", "endless line"),
        case("M-28 changing code", "changing code"),
        "wrong code",
    ],
)
@pytest.mark.parametrize("step", [step for step in STEPS if step != "QUIT"])
def test_a_fault(kit: Kit, watch: Watch, step: str, fault: str) -> None:
    peer, transcript = kit.scripted({step: FAULTS[fault]}), Transcript()
    submission = kit.submission(peer, transcript=transcript)
    with pytest.raises(StageError) as caught:
        run(submission)
    error = caught.value
    watch.judge(step, fault, error, submission.endpoint)
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


@pytest.mark.parametrize("fault", RESOLVER_FAULTS)
def test_a_fault_of_dns(kit: Kit, watch: Watch, fault: str) -> None:
    # These answer at once; on a busy machine, judging a flood of addresses may take longer than a stage has here.
    limit = 5
    patient = Deadlines(resolve=limit, total=limit)
    submission = kit.client(Endpoint(HOST, 587), lookup=Names(RESOLVER_FAULTS[fault]), deadlines=patient)
    with submission, pytest.raises(StageError) as caught:
        submission.resolve()
    watch.judge("lookup", fault, caught.value, submission.endpoint, limit)


def test_dns_that_is_silent(kit: Kit, watch: Watch) -> None:
    hanging = Hanging()
    submission = kit.client(Endpoint(HOST, 587), lookup=hanging)
    with submission, pytest.raises(StageError) as caught:
        submission.resolve()
    hanging.release.set()
    watch.judge("lookup", "silence", caught.value, submission.endpoint)


@pytest.mark.parametrize("fault", TOKEN_FAULTS)
def test_a_fault_of_the_identity_provider(watch: Watch, fault: str) -> None:
    act, limit = TOKEN_FAULTS[fault]
    with identity(act) as provider, pytest.raises(Failure) as caught:
        tokens().fetch(modern(provider), soon(limit))
    watch.judge("token", fault, caught.value.at(Stage.TOKEN), Endpoint("smtp.office365.com", 587), limit)
    assert SECRET not in str(caught.value.detail)


def test_every_cell_of_the_table_has_a_test() -> None:
    conversation = {(step, fault) for step in STEPS if step != "QUIT" for fault in FAULTS}
    inside = {(step, fault) for step in IMPLICIT for fault in IMPLICIT_FAULTS}
    others = {("lookup", fault) for fault in (*RESOLVER_FAULTS, "silence")} | {
        ("token", fault) for fault in TOKEN_FAULTS
    }
    reading = {(step, fault) for step in MAILBOX_STEPS.values() for fault in MAILBOX_FAULTS}
    assert VERDICTS.keys() == conversation | inside | others | reading


def test_the_page_is_what_the_table_says() -> None:
    root = Path(__file__).parents[2]
    if not (root / "README.md").is_file():
        pytest.skip("not a checkout: the documents are not here")
    assert (root / PAGE).read_text("utf-8") == page(), "run `python -m tests.hostile.matrix`"


def assert_kept(secret: str, *places: str | bytes) -> None:
    for place in places:
        data = place.encode() if isinstance(place, str) else place
        assert secret.encode() not in data
        assert PLAIN not in data
        assert base64.b64encode(secret.encode()) not in data


@pytest.mark.case("M-36")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_goodbye_changes_nothing(kit: Kit, fault: str) -> None:
    peer = kit.scripted({"QUIT": FAULTS[fault]})
    started = time.monotonic()
    assert run(kit.submission(peer)) is False
    assert time.monotonic() - started < LIMIT + SLACK


#: Steps where TLS comes first, and the step of the conversation that each is.
IMPLICIT = {"handshake at once": "handshake", "banner in TLS": "banner", "EHLO in TLS": "EHLO-TLS"}
IMPLICIT_FAULTS = ("silence", "slow drip", "close", "reset", "garbage", "endless", "wrong code")


@pytest.mark.parametrize("fault", IMPLICIT_FAULTS)
@pytest.mark.parametrize("step", IMPLICIT)
def test_a_fault_with_implicit_tls(kit: Kit, watch: Watch, step: str, fault: str) -> None:
    act, name = FAULTS[fault], IMPLICIT[step]

    def after_the_hello(connection: Connection) -> None:
        connection.sock.recv(1)
        act(connection)

    # A reset that comes before the client has said anything may still hit its connect.
    first = name == "handshake" and fault == "reset"
    peer = kit.scripted({name: after_the_hello if first else act}, implicit=True)
    submission = kit.submission(peer, port=465, encryption=Encryption.IMPLICIT_TLS)
    with pytest.raises(StageError) as caught:
        run(submission)
    watch.judge(step, fault, caught.value, submission.endpoint)
    assert peer.said(secure=False) == b"" or name == "handshake"


@pytest.mark.case("M-02")
def test_the_total_deadline_ends_a_stage_that_has_time_left(kit: Kit) -> None:
    peer = kit.scripted({"RCPT": lambda c: c.hold()})
    submission = kit.client(kit.endpoint(peer), deadlines=Deadlines(total=0.4))
    started = time.monotonic()
    with pytest.raises(StageError) as caught:
        run(submission)
    assert (caught.value.stage, caught.value.kind) == (Stage.ENVELOPE, Kind.TIMED_OUT)
    assert time.monotonic() - started < 0.4 + SLACK
