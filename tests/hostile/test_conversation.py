"""Servers that say the wrong thing at the right time (M-09 to M-39 where one step alone does not show it)."""

from __future__ import annotations

import base64
import json
import re
from email.message import EmailMessage
from email.policy import compat32

import pytest

from opsmail.errors import RefusedError
from opsmail.mail.endpoint import BearerCredentials, Credentials, Encryption
from opsmail.mail.failure import Kind, Stage, StageDisconnectedError, StageError
from opsmail.mail.submission import Deadlines, Submission
from opsmail.mail.transcript import Transcript
from opsmail.secrets.interface import Secret
from tests.hostile.catalogue import case
from tests.hostile.conftest import Kit
from tests.hostile.peer import GOOD, HOST, Answer, Connection, Peer

LOGIN = Credentials("rh@empresa.test", Secret("correct-horse"))
TOKEN = "eyJ0eXAiOiJKV1QifQ." + "A1b2" * 40 + ".c2ln"
BEARER = BearerCredentials("rh@empresa.test", Secret(TOKEN))
SENDER, RECIPIENT = "rh@empresa.test", "teste@empresa.test"


def mail(body: str = "ola\n", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, RECIPIENT, "Teste"
    for name, value in headers.items():
        message[name] = value
    message.set_content(body)
    return message


def secured(submission: Submission) -> Submission:
    submission.resolve()
    submission.connect()
    submission.secure()
    return submission


def failing(submission: Submission, login: Credentials | BearerCredentials = LOGIN) -> StageError:
    """Run everything and return how it failed."""

    def everything() -> None:
        secured(submission).authenticate(login)
        submission.deliver(mail(), SENDER, [RECIPIENT])

    with submission, pytest.raises(StageError) as caught:
        everything()
    return caught.value


def ehlo(*lines: str) -> bytes:
    return b"".join(
        f"250{' ' if number == len(lines) else '-'}{line}\r\n".encode() for number, line in enumerate((HOST, *lines))
    )


def challenges(*answers: bytes) -> Answer:
    """An AUTH that says each of `answers` in turn, hearing one line between them."""

    def run(connection: Connection) -> None:
        for number, answer in enumerate(answers):
            if number:
                connection.hear()
            connection.say(answer)

    return run


def in_clear(peer: Peer) -> list[bytes]:
    return [line[:4] for line in peer.said(secure=False).split(b"\r\n")]


# --- the banner


@pytest.mark.case("M-09")
def test_a_refusing_banner_is_shown_escaped(kit: Kit) -> None:
    error = failing(kit.submission(kit.scripted({"banner": b"554 no \xff\xfe\x1b[31m service\r\n"})))
    assert (error.stage, error.kind, error.command) == (Stage.CONNECT, Kind.REPLY, "banner")
    assert str(error.reply) == "554 no \\xff\\xfe\\x1b[31m service"


@pytest.mark.case("M-10")
@pytest.mark.parametrize(
    "banner",
    [
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        b"* OK IMAP4rev1 ready\r\n",
        b"+OK POP3 ready\r\n",
        bytes(range(1, 250)),
        b"\0",
    ],
)
def test_not_a_mail_server(kit: Kit, banner: bytes) -> None:
    def talk(connection: Connection) -> None:
        connection.say(banner)
        connection.hold()

    error = failing(kit.submission(kit.peer(talk)))
    assert (error.stage, error.kind) == (Stage.CONNECT, Kind.NOT_SMTP)
    assert str(error).isprintable()


@pytest.mark.case("M-10")
def test_a_tls_record_where_a_banner_should_be(kit: Kit) -> None:
    error = failing(kit.submission(kit.peer(lambda c: c.say(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76"))))
    assert (error.stage, error.kind) == (Stage.CONNECT, Kind.WRONG_TLS_MODE)


# --- STARTTLS


@pytest.mark.case("M-11")
@pytest.mark.parametrize("offer", [ehlo("AUTH PLAIN LOGIN", "SIZE 1000"), ehlo(), b"250 " + HOST.encode() + b"\r\n"])
def test_starttls_is_stripped(kit: Kit, offer: bytes) -> None:
    peer = kit.scripted({"EHLO": offer})
    error = failing(kit.submission(peer))
    assert (error.stage, error.kind) == (Stage.TLS, Kind.STARTTLS_MISSING)
    assert in_clear(peer) == [b"EHLO", b""]


@pytest.mark.case("M-12")
@pytest.mark.parametrize("answer", [b"454 4.7.0 TLS not available\r\n", b"500 5.5.1 unknown\r\n", b"502 no\r\n"])
def test_starttls_is_refused(kit: Kit, answer: bytes) -> None:
    def refuse(connection: Connection) -> None:
        connection.say(answer)
        connection.hold()

    peer = kit.scripted({"STARTTLS": refuse})
    error = failing(kit.submission(peer))
    assert (error.stage, error.kind, error.command) == (Stage.TLS, Kind.REPLY, "STARTTLS")
    assert in_clear(peer) == [b"EHLO", b"STAR", b""]


@pytest.mark.case("M-12")
def test_starttls_is_accepted_and_clear_text_follows(kit: Kit) -> None:
    def go_on_in_clear(connection: Connection) -> None:
        connection.say(GOOD["STARTTLS"])
        # The client's part of the handshake.
        connection.sock.recv(65536)
        connection.say(GOOD["EHLO-TLS"])
        connection.hold()

    peer = kit.scripted({"STARTTLS": go_on_in_clear})
    error = failing(kit.submission(peer))
    assert (error.stage, error.kind) == (Stage.TLS, Kind.TLS_INJECTION)
    assert b"AUTH" not in peer.said()


@pytest.mark.case("M-13")
def test_replies_are_injected_before_tls_in_one_segment(kit: Kit) -> None:
    transcript = Transcript()
    peer = kit.scripted({"STARTTLS": GOOD["STARTTLS"] + b"250-INJECTED\r\n250 AUTH PLAIN\r\n"})
    error = failing(kit.submission(peer, transcript=transcript))
    assert (error.stage, error.kind) == (Stage.TLS, Kind.TLS_INJECTION)
    assert "INJECTED" not in str(transcript)
    assert b"AUTH" not in peer.said()


@pytest.mark.case("M-13")
def test_replies_are_injected_before_tls_in_a_later_segment(kit: Kit) -> None:
    def inject(connection: Connection) -> None:
        connection.say(GOOD["STARTTLS"])
        connection.say(b"250-INJECTED\r\n250 AUTH PLAIN\r\n")

    error = failing(kit.submission(kit.scripted({"STARTTLS": inject})))
    assert (error.stage, error.kind) == (Stage.TLS, Kind.TLS_INJECTION)


@pytest.mark.case("M-14", "M-15")
def test_capabilities_from_before_tls_are_forgotten(kit: Kit) -> None:
    peer = kit.scripted({"EHLO": ehlo("STARTTLS", "AUTH PLAIN LOGIN", "SMTPUTF8"), "EHLO-TLS": ehlo("SIZE 1000")})
    error = failing(kit.submission(peer))
    assert (error.stage, error.kind) == (Stage.AUTHENTICATE, Kind.NO_AUTHENTICATION)
    assert b"AUTH" not in peer.said()
    assert b"MAIL" not in peer.said()


# --- AUTH


@pytest.mark.case("M-16")
@pytest.mark.parametrize(
    "offer", ["AUTH NTLM GSSAPI", "AUTH CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256", "AUTH XOAUTH2", "AUTH PLAINISH"]
)
def test_no_common_mechanism(kit: Kit, offer: str) -> None:
    peer = kit.scripted({"EHLO-TLS": ehlo(offer)})
    error = failing(kit.submission(peer))
    assert (error.stage, error.kind) == (Stage.AUTHENTICATE, Kind.NO_COMMON_MECHANISM)
    assert offer.split()[1] in str(error)
    assert b"AUTH" not in peer.said()


@pytest.mark.case("M-11")
def test_no_login_in_clear_whatever_is_offered(kit: Kit) -> None:
    peer = kit.scripted({"EHLO": ehlo("AUTH PLAIN LOGIN")})
    with kit.submission(peer, encryption=Encryption.NONE) as submission:
        assert secured(submission).peer is not None
        with pytest.raises(RefusedError, match="verified TLS only"):
            submission.authenticate(LOGIN)
    assert b"AUTH" not in peer.said()


def test_mail_without_login_in_clear(kit: Kit) -> None:
    peer = kit.scripted()
    with kit.submission(peer, encryption=Encryption.NONE) as submission:
        reply = secured(submission).deliver(mail(), SENDER, [RECIPIENT])
        assert submission.quit()
    assert (reply.code, reply.enhanced, reply.text) == (250, "2.0.0", "Ok: queued as 4F1B2")


def test_login_in_three_lines(kit: Kit) -> None:
    peer = kit.scripted(
        {
            "EHLO-TLS": ehlo("AUTH LOGIN"),
            "AUTH": challenges(b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n", b"235 2.7.0 ok\r\n"),
        }
    )
    with kit.submission(peer) as submission:
        assert secured(submission).authenticate(LOGIN).mechanism == "LOGIN"
    told = peer.said(secure=True).split(b"\r\n")
    assert told[1:4] == [b"AUTH LOGIN", base64.b64encode(b"rh@empresa.test"), base64.b64encode(b"correct-horse")]


@pytest.mark.case("M-17")
@pytest.mark.parametrize("offer", ["AUTH LOGIN", "AUTH PLAIN"])
def test_endless_challenges_get_the_password_once(kit: Kit, offer: str) -> None:
    def ask_for_ever(connection: Connection) -> None:
        while True:
            connection.say(b"334 UGFzc3dvcmQ6\r\n")
            connection.hear()

    peer = kit.scripted({"EHLO-TLS": ehlo(offer), "AUTH": ask_for_ever})
    error = failing(kit.submission(peer))
    assert (error.stage, error.kind) == (Stage.AUTHENTICATE, Kind.PROTOCOL_ERROR)
    # One response more than the mechanism has would have shown here.
    told = [line for line in peer.said(secure=True).split(b"\r\n") if line][1:]
    assert len(told) == (3 if offer == "AUTH LOGIN" else 1)
    encodings = (base64.b64encode(b"correct-horse"), base64.b64encode(b"\0rh@empresa.test\0correct-horse"))
    assert sum(peer.said().count(blob) for blob in encodings) == 1


@pytest.mark.case("M-17")
def test_success_before_the_password_is_no_success(kit: Kit) -> None:
    peer = kit.scripted({"EHLO-TLS": ehlo("AUTH LOGIN"), "AUTH": b"235 2.7.0 welcome\r\n"})
    error = failing(kit.submission(peer))
    assert (error.stage, error.kind) == (Stage.AUTHENTICATE, Kind.PROTOCOL_ERROR)
    assert base64.b64encode(b"correct-horse") not in peer.said()


@pytest.mark.case("M-21")
def test_a_wrong_password_is_tried_once(kit: Kit) -> None:
    peer = kit.scripted({"AUTH": b"535 5.7.8 Error: authentication failed\r\n"})
    error = failing(kit.submission(peer))
    assert (error.stage, error.kind, error.command) == (Stage.AUTHENTICATE, Kind.REPLY, "AUTH")
    assert error.reply is not None
    assert (error.reply.code, error.reply.enhanced) == (535, "5.7.8")
    assert peer.said(secure=True).count(b"AUTH") == 1


def test_a_long_plain_response_waits_for_the_challenge(kit: Kit) -> None:
    login = Credentials("u" * 300, Secret("p" * 300))
    peer = kit.scripted({"AUTH": challenges(b"334 \r\n", b"235 ok\r\n")})
    with kit.submission(peer) as submission:
        assert secured(submission).authenticate(login).mechanism == "PLAIN"
    assert b"AUTH PLAIN\r\n" in peer.said(secure=True)


@pytest.mark.case("M-19")
@pytest.mark.parametrize(
    ("offer", "expected", "closing"),
    [
        ("XOAUTH2", f"user=rh@empresa.test\1auth=Bearer {TOKEN}\1\1", b""),
        ("OAUTHBEARER", f"n,a=rh@empresa.test,\1auth=Bearer {TOKEN}\1\1", b"AQ=="),
    ],
)
def test_a_bearer_token_and_the_error_in_the_challenge(kit: Kit, offer: str, expected: str, closing: bytes) -> None:
    told = base64.b64encode(json.dumps({"status": "400", "scope": "https://mail"}).encode())
    transcript = Transcript()
    peer = kit.scripted(
        {
            "EHLO-TLS": ehlo(f"AUTH {offer}"),
            "AUTH": challenges(b"334 \r\n", b"334 " + told + b"\r\n", b"535 5.7.3 Authentication unsuccessful\r\n"),
        }
    )
    submission = kit.submission(peer, transcript=transcript)
    error = failing(submission, BEARER)
    assert error.reply is not None
    assert error.reply.code == 535
    assert submission.authentication_error == '{"status":"400","scope":"https://mail"}'
    lines = peer.said(secure=True).split(b"\r\n")
    assert lines[1:4] == [f"AUTH {offer}".encode(), base64.b64encode(expected.encode()), closing]
    assert TOKEN not in str(transcript)


@pytest.mark.case("M-19")
def test_a_bearer_error_that_echoes_the_token_is_not_kept(kit: Kit) -> None:
    told = base64.b64encode(json.dumps({"status": "400", "token": TOKEN}).encode())
    peer = kit.scripted(
        {
            "EHLO-TLS": ehlo("AUTH XOAUTH2"),
            "AUTH": challenges(b"334 \r\n", b"334 " + told + b"\r\n", b"535 5.7.3 no\r\n"),
        }
    )
    submission = kit.submission(peer)
    failing(submission, BEARER)
    assert submission.authentication_error is None


# --- the envelope and the message


@pytest.mark.case("M-22")
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "content"])
def test_421_is_temporary_and_known(kit: Kit, step: str) -> None:
    def shut_down(connection: Connection) -> None:
        connection.say(b"421 4.3.2 Service shutting down\r\n")
        connection.close()

    error = failing(kit.submission(kit.scripted({step: shut_down})))
    assert error.reply is not None
    assert (error.kind, error.reply.code, error.reply.severity) == (Kind.REPLY, 421, 4)
    assert not error.outcome_unknown


@pytest.mark.case("M-23")
def test_greylisting_is_for_the_caller_to_try_again(kit: Kit) -> None:
    answers = iter((b"450 4.2.0 Greylisted\r\n", b"250 2.1.5 Ok\r\n"))
    peer = kit.scripted({"RCPT": lambda c: c.say(next(answers))})
    error = failing(kit.submission(peer))
    assert (error.stage, error.command) == (Stage.ENVELOPE, "RCPT")
    assert peer.connections == 1
    with kit.submission(peer) as submission:
        secured(submission).authenticate(LOGIN)
        assert submission.deliver(mail(), SENDER, [RECIPIENT]).code == 250


@pytest.mark.case("M-24")
def test_a_message_beyond_the_announced_size_is_not_sent(kit: Kit) -> None:
    peer = kit.scripted({"EHLO-TLS": ehlo("SIZE 10", "AUTH PLAIN")})
    error = failing(kit.submission(peer))
    assert (error.stage, error.kind) == (Stage.ENVELOPE, Kind.MESSAGE_TOO_LARGE)
    assert b"MAIL" not in peer.said()


@pytest.mark.case("M-24")
@pytest.mark.parametrize("size", ["SIZE", "SIZE 0", "SIZE x", "SIZE " + "9" * 5000])
def test_a_size_that_limits_nothing(kit: Kit, size: str) -> None:
    peer = kit.scripted({"EHLO-TLS": ehlo(size, "AUTH PLAIN")})
    with kit.submission(peer) as submission:
        secured(submission).authenticate(LOGIN)
        submission.deliver(mail(), SENDER, [RECIPIENT])
    assert re.search(rb"MAIL FROM:<rh@empresa.test> SIZE=\d+\r\n", peer.said())


@pytest.mark.case("M-25")
def test_refused_only_after_the_message(kit: Kit) -> None:
    error = failing(kit.submission(kit.scripted({"content": b"554 5.2.252 SendAsDenied; " + b"x" * 2000 + b"\r\n"})))
    assert (error.stage, error.kind, error.command) == (Stage.SEND, Kind.REPLY, "content")
    assert not error.outcome_unknown
    assert len(str(error.reply)) == 500


def test_one_refused_recipient_refuses_all(kit: Kit) -> None:
    answers = iter((b"250 ok\r\n", b"550 5.1.1 unknown\r\n"))
    peer = kit.scripted({"RCPT": lambda c: c.say(next(answers))})
    with kit.submission(peer) as submission:
        secured(submission).authenticate(LOGIN)
        with pytest.raises(StageError) as caught:
            submission.envelope(SENDER, [RECIPIENT, "outra@empresa.test"])
    assert caught.value.command == "RCPT"
    assert b"DATA" not in peer.said()


@pytest.mark.case("M-29")
@pytest.mark.parametrize("step", ["EHLO", "EHLO-TLS", "AUTH", "MAIL", "RCPT", "DATA", "content"])
def test_more_replies_than_commands(kit: Kit, step: str) -> None:
    error = failing(kit.submission(kit.scripted({step: GOOD[step] + b"250 2.0.0 Ok\r\n" * 9})))
    assert error.kind is Kind.PROTOCOL_ERROR


@pytest.mark.case("M-29")
def test_a_reply_that_nobody_asked_for_later(kit: Kit) -> None:
    def say_more(connection: Connection) -> None:
        connection.say(GOOD["AUTH"])
        connection.say(b"250 2.1.0 Ok\r\n")
        connection.hear()

    peer = kit.scripted({"AUTH": say_more})
    with kit.submission(peer) as submission:
        secured(submission).authenticate(LOGIN)
        # Once the second reply is here for certain, the next command must not go out.
        while not submission._transport.readable(submission._total):
            pass
        with pytest.raises(StageError) as caught:
            submission.envelope(SENDER, [RECIPIENT])
    assert caught.value.kind is Kind.PROTOCOL_ERROR
    assert b"MAIL" not in peer.said()


@pytest.mark.parametrize(("said", "kind"), [(b"421 4.4.2 timeout\r\n", Kind.REPLY), (b"42", Kind.PROTOCOL_ERROR)])
def test_a_server_that_leaves_between_two_commands(kit: Kit, said: bytes, kind: Kind) -> None:
    def leave(connection: Connection) -> None:
        connection.say(GOOD["AUTH"])
        connection.say(said)

    peer = kit.scripted({"AUTH": leave})
    with kit.submission(peer) as submission:
        secured(submission).authenticate(LOGIN)
        while not submission._transport.readable(submission._total):
            pass
        with pytest.raises(StageError) as caught:
            submission.envelope(SENDER, [RECIPIENT])
        assert caught.value.kind is kind
        assert submission.quit() is False


INJECTIONS = [
    case("M-30 a command", "a@x.test>\r\nRCPT TO:<evil@x.test"),
    case("M-31 parameters", "a@x.test> NOTIFY=NEVER <b@y.test"),
    case("M-30 a command after a lone line feed", "a@x.test\nDATA"),
    case("M-30 a NUL", "a@x.test\0"),
    "<a@x.test>",
    case("M-31 a space inside", "a b@x.test"),
    case("M-31 a space behind", "a@x.test "),
    "",
    "a@x.test\u2028",
]


@pytest.mark.parametrize("address", INJECTIONS)
def test_no_address_ends_its_command_early(kit: Kit, address: str) -> None:
    for sender, recipient in ((address, RECIPIENT), (SENDER, address)):
        peer = kit.scripted()
        with kit.submission(peer) as submission:
            secured(submission).authenticate(LOGIN)
            with pytest.raises(StageError) as caught:
                submission.envelope(sender, [recipient])
        assert (caught.value.stage, caught.value.kind) == (
            Stage.ENVELOPE,
            Kind.INVALID_SENDER if sender == address else Kind.INVALID_RECIPIENT,
        )
        commands = peer.said(secure=True).split(b"\r\n")[2:-1]
        assert commands == []


def test_an_envelope_without_recipients(kit: Kit) -> None:
    with kit.submission(kit.scripted()) as submission:
        secured(submission)
        with pytest.raises(StageError, match="no recipient"):
            submission.envelope(SENDER, [])


@pytest.mark.case("M-32")
@pytest.mark.parametrize("name", ["x\r\nMAIL FROM:<a@x>", "a b", "", "localhost\0", "[127.0.0.1", "ü.test"])
def test_no_client_name_ends_its_command_early(kit: Kit, name: str) -> None:
    peer = kit.scripted()
    with pytest.raises(StageError):
        kit.client(kit.endpoint(peer), client_name=name)
    assert peer.connections == 0


@pytest.mark.case("M-33")
@pytest.mark.parametrize("header", ["Teste\r\nBcc: evil@x.test", "Teste\nX: y", "Teste\r", "a\0b", "a\r\n\r\nbody"])
def test_no_header_becomes_two(kit: Kit, header: str) -> None:
    message = EmailMessage(policy=compat32)
    message["Subject"] = header
    message.set_payload("x")
    peer = kit.scripted()
    with kit.submission(peer) as submission:
        secured(submission).authenticate(LOGIN)
        with pytest.raises(StageError) as caught:
            submission.deliver(message, SENDER, [RECIPIENT])
    assert caught.value.kind is Kind.INVALID_MESSAGE
    assert b"evil" not in peer.said()


SMUGGLING = [
    "a\n.\nb",
    "a\r.\rb",
    "a\n.\r\nMAIL FROM:<evil@x.test>\r\nb",
    "a\r\n.\r\nRCPT TO:<evil@x.test>\r\n",
    "a\r\n.\rb",
    ".",
    "..\n.",
    "\r\r\n\n.\n",
    "no end",
    "",
]


@pytest.mark.case("M-34")
@pytest.mark.parametrize("body", SMUGGLING)
def test_one_message_stays_one(kit: Kit, body: str) -> None:
    message = EmailMessage()
    message["Subject"] = "Teste"
    # Past the content manager, which would have normalised it.
    message.set_payload(body)
    peer = kit.scripted()
    with kit.submission(peer) as submission:
        secured(submission).authenticate(LOGIN)
        submission.deliver(message, SENDER, [RECIPIENT])
        assert submission.quit()
    told = peer.said(secure=True)
    content = told[told.index(b"DATA\r\n") + 6 : told.index(b"QUIT\r\n")]
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", content)
    assert content.endswith(b"\r\n.\r\n")
    assert content.count(b"\r\n.\r\n") == 1
    verbs = [line[:4] for line in (told.replace(content, b"")).split(b"\r\n")]
    assert verbs == [b"EHLO", b"AUTH", b"MAIL", b"RCPT", b"DATA", b"QUIT", b""]


def test_bcc_is_not_sent(kit: Kit) -> None:
    message = mail(Bcc="secret@empresa.test")
    peer = kit.scripted()
    with kit.submission(peer) as submission:
        secured(submission).authenticate(LOGIN)
        submission.deliver(message, SENDER, [RECIPIENT])
    assert b"secret@" not in peer.said()
    assert message["Bcc"] == "secret@empresa.test"


def test_the_envelope_of_another_message(kit: Kit) -> None:
    peer = kit.scripted()
    with kit.submission(peer) as submission:
        secured(submission).authenticate(LOGIN)
        submission.envelope(SENDER, [RECIPIENT], mail("one\n"))
        with pytest.raises(ValueError, match="another message"):
            submission.send(mail("two\n"))
    assert b"DATA" not in peer.said()


def test_several_messages_in_one_conversation(kit: Kit) -> None:
    peer = kit.scripted()
    with kit.submission(peer) as submission:
        secured(submission).authenticate(LOGIN)
        for _ in range(3):
            assert submission.deliver(mail(), SENDER, [RECIPIENT]).code == 250
    assert peer.said().count(b"MAIL FROM") == 3


@pytest.mark.parametrize("offer", [["SMTPUTF8", "8BITMIME"], ["8BITMIME"]])
def test_an_address_beyond_ascii(kit: Kit, offer: list[str]) -> None:
    peer = kit.scripted({"EHLO-TLS": ehlo("AUTH PLAIN", *offer)})
    message = mail()
    with kit.submission(peer) as submission:
        secured(submission).authenticate(LOGIN)
        if "SMTPUTF8" in offer:
            submission.deliver(message, SENDER, ["josé@empresa.test"])
            assert "RCPT TO:<josé@empresa.test>".encode() in peer.said()
            assert b"BODY=8BITMIME SMTPUTF8\r\n" in peer.said()
        else:
            with pytest.raises(StageError) as caught:
                submission.deliver(message, SENDER, ["josé@empresa.test"])
            assert caught.value.kind is Kind.SMTPUTF8_MISSING
            assert b"MAIL" not in peer.said()


def test_a_header_address_beyond_ascii_needs_the_envelope_to_say_so(kit: Kit) -> None:
    message = EmailMessage()
    message["To"] = "josé@empresa.test"
    message.set_content("x")
    peer = kit.scripted({"EHLO-TLS": ehlo("AUTH PLAIN", "SMTPUTF8", "8BITMIME")})
    with kit.submission(peer) as submission:
        secured(submission).authenticate(LOGIN)
        submission.envelope(SENDER, [RECIPIENT])
        with pytest.raises(StageError) as caught:
            submission.send(message)
    assert (caught.value.stage, caught.value.kind) == (Stage.SEND, Kind.SMTPUTF8_MISSING)


@pytest.mark.parametrize("offer", [["8BITMIME"], []])
def test_text_beyond_ascii_travels_either_way(kit: Kit, offer: list[str]) -> None:
    peer = kit.scripted({"EHLO-TLS": ehlo("AUTH PLAIN", *offer)})
    with kit.submission(peer) as submission:
        secured(submission).authenticate(LOGIN)
        submission.deliver(mail("informação\n"), SENDER, [RECIPIENT])
    assert (b"BODY=8BITMIME" in peer.said()) == bool(offer)
    assert ("informação".encode() in peer.said()) == bool(offer)


@pytest.mark.case("M-39")
def test_a_server_that_stops_reading(kit: Kit) -> None:
    def stop_reading(connection: Connection) -> None:
        connection.say(GOOD["banner"])
        for step in ("EHLO", "MAIL", "RCPT", "DATA"):
            connection.hear()
            connection.say(GOOD[step])
        peer.stopped.wait()

    peer = kit.peer(stop_reading, receive_buffer=4096)
    with kit.submission(peer, encryption=Encryption.NONE) as submission:
        secured(submission).envelope(SENDER, [RECIPIENT])
        with pytest.raises(StageError) as caught:
            submission.send(mail(("x" * 70 + "\n") * 150_000))
    assert (caught.value.stage, caught.value.kind) == (Stage.SEND, Kind.TIMED_OUT)
    assert not caught.value.outcome_unknown


def test_a_server_that_says_why_before_it_hangs_up_on_a_long_message(kit: Kit) -> None:
    def refuse_in_the_middle(connection: Connection) -> None:
        connection.say(GOOD["DATA"])
        connection.sock.recv(1)
        connection.say(b"552 5.3.4 Message too big\r\n")
        connection.reset()

    peer = kit.scripted({"DATA": refuse_in_the_middle})
    # Ten megabytes go a part of the way first, which on a busy machine takes longer than the others' patience.
    with kit.client(kit.endpoint(peer, encryption=Encryption.NONE), deadlines=Deadlines()) as submission:
        secured(submission).envelope(SENDER, [RECIPIENT])
        with pytest.raises(StageError) as caught:
            submission.send(mail(("x" * 70 + "\n") * 150_000))
    assert str(caught.value.reply) == "552 5.3.4 Message too big"
    assert not caught.value.outcome_unknown


def test_the_connection_is_gone_before_the_next_command(kit: Kit) -> None:
    with kit.submission(kit.scripted()) as submission:
        secured(submission).authenticate(LOGIN)
        submission.close()
        with pytest.raises(StageDisconnectedError):
            submission.envelope(SENDER, [RECIPIENT])
        assert submission.quit() is False


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("", "correct-horse"),
        ("u\0x", "correct-horse"),
        ("u", ""),
        ("u", "abc"),
        ("u", "with\nline"),
        ("u", "with\0nul"),
    ],
)
def test_credentials_that_are_never_sent(kit: Kit, username: str, password: str) -> None:
    login = Credentials(username, Secret(password))
    peer = kit.scripted()
    with kit.submission(peer) as submission, pytest.raises(StageError) as caught:
        secured(submission).authenticate(login)
    assert (caught.value.stage, caught.value.kind) == (Stage.AUTHENTICATE, Kind.INVALID_CREDENTIALS)
    assert b"AUTH" not in peer.said()
    assert not password or password not in str(caught.value)
