"""Each personality of the mail server behaves as it is named, seen by the standard library's own SMTP client."""

import base64
import smtplib
import socket
import ssl
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path

import pytest

from tests.servers.fixtures import skip_or_fail
from tests.servers.mailserver import ACCENTED, MailServer, run_mail_server
from tests.servers.processes import LOOPBACK, StartError, UnavailableError, find_program, free_ports

SENDER = "rh@empresa.test"
RECIPIENT = "teste@empresa.test"
TIMEOUT_SECONDS = 5

# Results of OpenSSL's verification: X509_verify_cert_error_string(3).
CERTIFICATE_HAS_EXPIRED = 10
NO_LOCAL_ISSUER_CERTIFICATE = 20
HOSTNAME_MISMATCH = 62


@contextmanager
def plain(server: MailServer, personality: str) -> Iterator[smtplib.SMTP]:
    """Connect and greet, without TLS."""
    port = server.ports[personality]
    with smtplib.SMTP(server.address, port, local_hostname="client.test", timeout=TIMEOUT_SECONDS) as client:
        client.ehlo()
        yield client


@contextmanager
def starttls(server: MailServer, personality: str, context: ssl.SSLContext | None = None) -> Iterator[smtplib.SMTP]:
    """Connect, upgrade by STARTTLS, and greet again; verifies against the server's name unless `context` differs."""
    with plain(server, personality) as client:
        assert client.docmd("STARTTLS")[0] == 220
        assert client.sock is not None
        client.sock = (context or trusting(server)).wrap_socket(client.sock, server_hostname=server.host_name)
        client.file = None  # it read the socket as it was before
        client.ehlo()
        yield client


@contextmanager
def implicit_tls(server: MailServer, personality: str) -> Iterator[smtplib.SMTP]:
    """Connect with TLS from the first byte, and greet."""
    with smtplib.SMTP(local_hostname="client.test", timeout=TIMEOUT_SECONDS) as client:
        connection = socket.create_connection((server.address, server.ports[personality]), TIMEOUT_SECONDS)
        client.sock = trusting(server).wrap_socket(connection, server_hostname=server.host_name)
        assert client.getreply()[0] == 220
        client.ehlo()
        yield client


CONNECT = {"starttls": starttls, "implicit_tls": implicit_tls, "login_only": starttls, "starttls_stripped": plain}
GOOD = ("starttls", "implicit_tls")


def trusting(server: MailServer) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(server.ca_pem))
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # a distribution's Python may leave this to OpenSSL
    return context


def a_message() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, RECIPIENT, "Notificação"
    message["Message-ID"] = make_msgid(domain="client.test")
    message.set_content("Olá\n")
    return message


def deliver(server: MailServer, client: smtplib.SMTP) -> str:
    """Send a message and return the Received header with which it arrived."""
    message = a_message()
    assert client.send_message(message) == {}
    arrived = server.wait_for_message(RECIPIENT, message["Message-ID"])
    assert arrived["Subject"] == "Notificação"
    assert arrived.get_content() == "Olá\n"
    return " ".join(str(arrived["Received"]).split())


def auth_plain(client: smtplib.SMTP, user: str, password: str) -> tuple[int, bytes]:
    return client.docmd("AUTH PLAIN", base64.b64encode(f"\0{user}\0{password}".encode()).decode())


def log_in(client: smtplib.SMTP, server: MailServer, user: str = SENDER) -> None:
    assert client.login(user, server.accounts[user])[0] == 235


def mechanisms(client: smtplib.SMTP) -> set[str]:
    return set(client.esmtp_features.get("auth", "").split())


@pytest.mark.parametrize("personality", GOOD)
def test_a_good_server_delivers_and_states_tls_and_login(mail_server: MailServer, personality: str) -> None:
    with CONNECT[personality](mail_server, personality) as client:
        assert mechanisms(client) == {"PLAIN", "LOGIN"}
        log_in(client, mail_server)
        received = deliver(mail_server, client)
    assert "using TLSv1.3 with cipher TLS_" in received
    assert f"(Authenticated sender: {SENDER})" in received
    assert "by smtp.empresa.test (Postfix) with ESMTPSA id" in received


def test_a_message_is_only_in_its_recipients_mailbox(mail_server: MailServer) -> None:
    with starttls(mail_server, "starttls") as client:
        log_in(client, mail_server)
        message = a_message()
        client.send_message(message, to_addrs=["faturamento@empresa.test"])
    assert mail_server.wait_for_message("faturamento@empresa.test", message["Message-ID"])
    assert message["Message-ID"] not in [other["Message-ID"] for other in mail_server.mailbox(RECIPIENT)]
    with pytest.raises(TimeoutError, match="postfix/virtual"):
        mail_server.wait_for_message(RECIPIENT, message["Message-ID"], timeout=0)


def test_starttls_is_required_before_anything_else(mail_server: MailServer) -> None:
    with plain(mail_server, "starttls") as client:
        assert client.has_extn("starttls")
        assert mechanisms(client) == set()
        assert client.mail(SENDER) == (530, b"5.7.0 Must issue a STARTTLS command first")
        assert auth_plain(client, SENDER, mail_server.accounts[SENDER])[0] == 530


@pytest.mark.parametrize("personality", GOOD)
def test_a_wrong_password_is_refused_and_slows_nothing(mail_server: MailServer, personality: str) -> None:
    with CONNECT[personality](mail_server, personality) as client:
        started = time.monotonic()
        for _ in range(2):
            code, text = auth_plain(client, SENDER, "wrong")
            assert (code, text[:6]) == (535, b"5.7.8 ")
        log_in(client, mail_server)
        assert time.monotonic() - started < 3.5  # 1 s; by Dovecot's defaults 4 s, and more with each failure


def test_a_password_is_utf_8(mail_server: MailServer) -> None:
    with starttls(mail_server, "starttls") as client:
        assert auth_plain(client, ACCENTED, mail_server.accounts[ACCENTED])[0] == 235


@pytest.mark.parametrize("personality", GOOD)
def test_a_sender_other_than_the_login_is_refused(mail_server: MailServer, personality: str) -> None:
    with CONNECT[personality](mail_server, personality) as client:
        log_in(client, mail_server)
        client.mail("agendador@empresa.test")
        code, text = client.rcpt(RECIPIENT)
    assert (code, text) == (
        553,
        b"5.7.1 <agendador@empresa.test>: Sender address rejected: not owned by user rh@empresa.test",
    )


@pytest.mark.parametrize(
    ("recipient", "reply"),
    [("nobody@empresa.test", (550, b"5.1.1 ")), ("someone@elsewhere.test", (554, b"5.7.1 "))],
)
@pytest.mark.parametrize("personality", [*GOOD, "cleartext"])
def test_unknown_and_foreign_recipients_are_refused(
    mail_server: MailServer, personality: str, recipient: str, reply: tuple[int, bytes]
) -> None:
    with {**CONNECT, "cleartext": plain}[personality](mail_server, personality) as client:
        if personality in GOOD:
            log_in(client, mail_server)
        client.mail(SENDER)
        code, text = client.rcpt(recipient)
    assert (code, text[: len(reply[1])]) == reply


@pytest.mark.parametrize("personality", CONNECT)
def test_submission_without_a_login_is_refused(mail_server: MailServer, personality: str) -> None:
    with CONNECT[personality](mail_server, personality) as client:
        client.mail(SENDER)
        assert client.rcpt(RECIPIENT)[0] in {553, 554}


def test_the_internal_relay_takes_mail_without_tls_and_login(mail_server: MailServer) -> None:
    with plain(mail_server, "cleartext") as client:
        assert not client.has_extn("starttls")
        assert not client.has_extn("auth")
        received = deliver(mail_server, client)
    assert "(Postfix) with ESMTP id" in received
    assert "TLS" not in received


@pytest.mark.parametrize(
    ("personality", "code"),
    [
        ("expired", CERTIFICATE_HAS_EXPIRED),
        ("wrong_name", HOSTNAME_MISMATCH),
        ("unknown_issuer", NO_LOCAL_ISSUER_CERTIFICATE),
    ],
)
def test_a_bad_certificate_fails_for_its_own_reason(mail_server: MailServer, personality: str, code: int) -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as failure, starttls(mail_server, personality):
        pytest.fail("the certificate was accepted")
    assert failure.value.verify_code == code


def test_tls_1_1_is_all_that_the_old_server_offers(mail_server: MailServer) -> None:
    with pytest.raises(ssl.SSLError) as failure, starttls(mail_server, "tls11_only"):
        pytest.fail("TLS 1.2 or newer was accepted")
    assert failure.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"

    old = trusting(mail_server)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is obsolete is the point
        old.minimum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with starttls(mail_server, "tls11_only", old) as client:
        log_in(client, mail_server)
        assert "using TLSv1.1 with cipher" in deliver(mail_server, client)


def test_the_stripped_server_asks_for_the_login_in_clear(mail_server: MailServer) -> None:
    with plain(mail_server, "starttls_stripped") as client:
        assert not client.has_extn("starttls")
        assert mechanisms(client) == {"PLAIN", "LOGIN"}
        log_in(client, mail_server)
        assert "with ESMTPA id" in deliver(mail_server, client)


@pytest.mark.parametrize(("personality", "offered"), [("login_only", {"LOGIN"}), ("no_common_mechanism", {"CRAM-MD5"})])
def test_a_server_may_take_one_mechanism_only(mail_server: MailServer, personality: str, offered: set[str]) -> None:
    with starttls(mail_server, personality) as client:
        assert mechanisms(client) == offered
        assert auth_plain(client, SENDER, mail_server.accounts[SENDER])[0] == 535
        log_in(client, mail_server)
        assert "with ESMTPSA id" in deliver(mail_server, client)


def test_the_log_tells_what_a_port_was_asked(mail_server: MailServer) -> None:
    with plain(mail_server, "cleartext") as client:
        client.mail(SENDER)
        client.rcpt("nobody-for-the-log@empresa.test")
    line = mail_server.wait_for_log("nobody-for-the-log@empresa.test")
    assert "postfix/cleartext/smtpd" in line
    assert mail_server.wait_for_log("postfix/cleartext/smtpd", timeout=0)
    assert mail_server.wait_for_log("ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4")
    with pytest.raises(TimeoutError, match="no 'never logged' in the log within 0 s"):
        mail_server.wait_for_log("never logged", timeout=0)


def test_no_password_is_logged_or_shown(mail_server: MailServer) -> None:
    shown = repr(mail_server) + mail_server.log_text()
    assert [password for password in mail_server.accounts.values() if password in shown] == []


@pytest.mark.usefixtures("mail_server")
def test_what_uses_the_server_is_marked(request: pytest.FixtureRequest) -> None:
    groups = [mark.args for mark in request.node.iter_markers("xdist_group")]
    assert request.node.get_closest_marker("servers")
    assert groups == [("postfix",)]


def test_two_servers_at_once_share_nothing(mail_server: MailServer) -> None:
    with run_mail_server() as other:
        assert not set(other.ports.values()) & set(mail_server.ports.values())
        assert other.accounts[SENDER] != mail_server.accounts[SENDER]
        with starttls(other, "starttls") as client:
            log_in(client, other)
            deliver(other, client)
            assert auth_plain(client, SENDER, mail_server.accounts[SENDER])[0] == 503  # logged in already
        with pytest.raises(ssl.SSLCertVerificationError), starttls(other, "starttls", trusting(mail_server)):
            pytest.fail("the other server's authority was trusted")


def test_a_port_is_given_to_one_copy_only() -> None:
    too_few = pytest.raises(StartError, match="fewer than 1 ports are free")
    with free_ports(1) as [port], too_few, free_ports(1, among=[port]):
        pytest.fail("the port was given twice")
    with free_ports(1, among=[port]) as again:
        assert again == [port]


@pytest.mark.usefixtures("mail_server")  # where it cannot run, this cannot either
def test_nothing_stays_behind_when_the_session_is_killed() -> None:
    program = (
        "import sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from tests.servers.mailserver import run_mail_server\n"
        "with run_mail_server() as server:\n"
        "    print(server.ports['starttls'], server.ca_pem.parent, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program, root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as session:
        assert session.stdout is not None
        port, folder = session.stdout.readline().split()
        assert Path(folder).is_dir()
        session.kill()
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.01)  # the supervisor is nobody's child any more, so its end cannot be waited for
    assert not Path(folder).exists()
    with socket.socket() as probe:
        assert probe.connect_ex((LOOPBACK, int(port))) != 0


def test_a_missing_server_is_a_skip_and_in_ci_a_failure() -> None:
    reason = UnavailableError("postconf is not installed.")
    with pytest.raises(pytest.skip.Exception, match="postconf is not installed"):
        skip_or_fail(reason, {})
    with pytest.raises(pytest.fail.Exception, match="postconf is not installed"):
        skip_or_fail(reason, {"CI": "true"})


def test_a_program_that_is_not_there_is_named_with_its_package() -> None:
    with pytest.raises(UnavailableError, match=r"no-such-program is not installed \(Debian package some-package;"):
        find_program("no-such-program", package="some-package")


INSTALL = Path(__file__).with_name("install-debian.sh")


@pytest.mark.parametrize(("environment", "code"), [({}, 0), ({"CI": "true"}, 1)])
def test_the_installation_without_apt_says_why(tmp_path: Path, environment: dict[str, str], code: int) -> None:
    run = subprocess.run(
        ["/bin/bash", INSTALL], env={"PATH": str(tmp_path), **environment}, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (code, "")
    assert run.stderr == (
        "install-debian.sh: the servers are installed with apt-get, which this machine does not have.\n"
    )


def test_the_installation_is_silent_when_everything_is_there(tmp_path: Path) -> None:
    for name, does in {"dpkg-query": "printf installed", "apt-get": "exit 99"}.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
    run = subprocess.run(
        ["/bin/bash", INSTALL], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
