"""TLS peers that must not be trusted, and what is said about them (T-01 to T-15)."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

import opsmail
from opsmail.mail.endpoint import Credentials, Encryption, TlsVersion
from opsmail.mail.failure import Kind, Stage, StageError
from opsmail.mail.peer import TlsFacts
from opsmail.mail.submission import Deadlines
from opsmail.mail.tls import TrustStores
from opsmail.secrets.interface import Secret
from opsmail.store.server import Server
from tests.hostile.catalogue import case
from tests.hostile.certificates import Issued, Wish, issue, limit_version, server_context
from tests.hostile.conftest import Kit
from tests.hostile.peer import HOST, Connection

LOGIN = Credentials("rh@empresa.test", Secret("correct-horse"))

#: A Diffie-Hellman group of 1024 bits; OpenSSL 3 does not even serve shorter ones.
DH_1024 = """\
-----BEGIN DH PARAMETERS-----
MIGHAoGBAMWEHjxcgpDpoiYdIqlAXSF6GV+ls1eHCvkiOuE1lrQjpitCgtrTUO/0
2FkhEst9IKeZglcesYAslluEORPhxS4D/9tsgajPugL91kJDkZjPxuZj5vbtaoiC
YDIPn5H5IMp0H5km8ttbq/L3MIbivEjk87C321jEIECFxFE7rMYXAgEC
-----END DH PARAMETERS-----
"""


def names(*texts: str) -> list[x509.GeneralName]:
    return [x509.DNSName(text) for text in texts]


def secure(kit: Kit, tls: ssl.SSLContext, **changes: Any) -> TlsFacts:
    """Go as far as TLS with a server of `tls`; the facts, or the error of the stage."""
    peer = kit.scripted(tls=tls)
    # What these servers do wrong is not to be slow: a busy machine may be.
    with kit.client(kit.endpoint(peer, **changes), deadlines=Deadlines()) as submission:
        submission.resolve()
        submission.connect()
        try:
            facts = submission.secure()
        except StageError:
            with pytest.raises(Exception, match="verified TLS only"):
                submission.authenticate(LOGIN)
            assert b"AUTH" not in peer.said()
            raise
    assert facts is not None
    return facts


def refused(kit: Kit, tls: ssl.SSLContext, kind: Kind, **changes: Any) -> StageError:
    with pytest.raises(StageError) as caught:
        secure(kit, tls, **changes)
    assert caught.value.stage is Stage.TLS
    assert caught.value.kind is kind
    return caught.value


def test_the_facts_of_a_good_session(kit: Kit) -> None:
    facts = secure(kit, kit.tls)
    assert facts.version == "TLSv1.3"
    assert facts.cipher.startswith("TLS_")
    assert (facts.subject, facts.issuer, facts.san) == (f"CN={HOST}", "CN=Test root", (HOST,))
    assert facts.not_before is not None
    assert facts.not_after is not None
    assert (facts.not_after - facts.not_before).days == 31
    assert len(facts.sha256) == 64
    assert facts.days_left in (29, 30)


@pytest.mark.case("T-19")
def test_how_long_a_certificate_is_still_good_for(kit: Kit) -> None:
    assert secure(kit, server_context(issue(Wish(days=(-1, 5)), kit.root))).days_left in (4, 5)


@pytest.mark.case("T-03")
@pytest.mark.parametrize(
    ("days", "kind"), [((-30, -1), Kind.CERTIFICATE_EXPIRED), ((2, 30), Kind.CERTIFICATE_NOT_YET_VALID)]
)
def test_outside_its_validity(kit: Kit, days: tuple[int, int], kind: Kind) -> None:
    error = refused(kit, server_context(issue(Wish(days=days), kit.root)), kind)
    assert error.tls is not None
    assert error.tls.not_after is not None
    assert f"{error.tls.not_after:%Y-%m-%d}" in str(error)


@pytest.mark.case("T-04")
def test_wrong_name_shows_the_names_that_would_do(kit: Kit) -> None:
    wish = Wish("x", names("other.test", *(f"n{number}.test" for number in range(50))))
    error = refused(kit, server_context(issue(wish, kit.root)), Kind.CERTIFICATE_WRONG_NAME)
    assert "other.test, n0.test" in str(error)
    assert error.tls is not None
    assert len(error.tls.san) == 20


@pytest.mark.case("T-04")
def test_what_a_wrong_certificate_says_is_made_printable(kit: Kit) -> None:
    wish = Wish("evil\x1b[31m\n::error::x" + "y" * 40, names("other.test"))
    error = refused(kit, server_context(issue(wish, kit.root)), Kind.CERTIFICATE_WRONG_NAME)
    assert error.tls is not None
    assert error.tls.subject == "CN=evil?[31m?::error::x" + "y" * 40


@pytest.mark.parametrize(
    "wish",
    [
        case("T-05 common name only", Wish(HOST, None)),
        case("T-14 wildcard over two labels", Wish(HOST, names("*.test"))),
        case("T-14 partial wildcard", Wish(HOST, names("m*.empresa.test"))),
        case("T-14 bare wildcard", Wish(HOST, names("*"))),
        case("T-15 the address connected to", Wish(HOST, [x509.IPAddress(IPv4Address("127.0.0.1"))])),
        case("T-15 the address as a name", Wish(HOST, names("127.0.0.1"))),
        case("T-04 the parent domain", Wish(HOST, names("empresa.test"))),
    ],
)
def test_names_that_do_not_count(kit: Kit, wish: Wish) -> None:
    refused(kit, server_context(issue(wish, kit.root)), Kind.CERTIFICATE_WRONG_NAME)


@pytest.mark.parametrize("shown", [HOST, "*.empresa.test", HOST.upper()])
def test_names_that_count(kit: Kit, shown: str) -> None:
    assert secure(kit, server_context(issue(Wish("x", names(shown)), kit.root))).san == (shown,)


def untrusted_root(root: Issued) -> Issued:
    return issue(Wish(), issue(Wish("Test root", authority=True)))


def self_signed(root: Issued) -> Issued:
    return issue(Wish())


def chain_without_its_middle(root: Issued) -> Issued:
    leaf = issue(Wish(), issue(Wish("Middle", authority=True), root))
    return Issued(leaf.certificate, leaf.key, leaf.chain[:1])


def middle_that_is_no_authority(root: Issued) -> Issued:
    return issue(Wish(), issue(Wish("Middle"), root))


def authority_for_other_names(root: Issued) -> Issued:
    limits = x509.NameConstraints(permitted_subtrees=[x509.DNSName("other.test")], excluded_subtrees=None)
    return issue(Wish(), issue(Wish("Middle", authority=True, constraints=limits), root))


@pytest.mark.case("T-06")
@pytest.mark.parametrize(
    "make",
    [
        untrusted_root,
        self_signed,
        chain_without_its_middle,
        middle_that_is_no_authority,
        authority_for_other_names,
    ],
)
def test_chains_that_lead_nowhere(kit: Kit, make: object) -> None:
    assert callable(make)
    error = refused(kit, server_context(make(kit.root)), Kind.CERTIFICATE_UNTRUSTED)
    assert "issuer: CN=" in str(error)


def test_a_chain_with_a_middle(kit: Kit) -> None:
    leaf = issue(Wish(), issue(Wish("Middle", authority=True), kit.root))
    assert secure(kit, server_context(leaf)).issuer == "CN=Middle"


@pytest.mark.case("T-06")
def test_a_given_ca_replaces_the_systems(kit: Kit) -> None:
    refused(kit, kit.tls, Kind.CERTIFICATE_UNTRUSTED, ca=issue(Wish("Other root", authority=True)).pem)


@pytest.mark.case("T-06")
def test_the_system_does_not_know_the_test_root(kit: Kit) -> None:
    refused(kit, kit.tls, Kind.CERTIFICATE_UNTRUSTED, ca=None)


@pytest.mark.case("T-07")
def test_a_short_rsa_key(kit: Kit) -> None:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 (that is the case)
    refused(kit, server_context(issue(Wish(key=weak), kit.root)), Kind.CERTIFICATE_WEAK)


@pytest.mark.case("T-09")
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_too_old(kit: Kit, newest: ssl.TLSVersion) -> None:
    old = server_context(issue(Wish(), kit.root), ciphers="ALL:@SECLEVEL=0")
    refused(kit, limit_version(old, newest, ssl.TLSVersion.TLSv1), Kind.TLS_TOO_OLD)


@pytest.mark.case("T-09")
def test_the_operators_own_minimum(kit: Kit) -> None:
    older = server_context(issue(Wish(), kit.root))
    limit_version(older, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
    assert secure(kit, older).version == "TLSv1.2"
    refused(kit, older, Kind.TLS_TOO_OLD, minimum_tls=TlsVersion.TLS_1_3)


@pytest.mark.case("T-13")
@pytest.mark.parametrize("ciphers", ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA", "NULL-SHA256"])
def test_ciphers_that_are_too_weak(kit: Kit, ciphers: str) -> None:
    key = rsa.generate_private_key(65537, 2048)
    weak = server_context(issue(Wish(key=key), kit.root), ciphers=f"{ciphers}:@SECLEVEL=0")
    limit_version(weak, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
    refused(kit, weak, Kind.TLS_FAILED)


@pytest.mark.case("T-13")
def test_a_short_diffie_hellman_group(kit: Kit, tmp_path: Path) -> None:
    file = tmp_path / "dh.pem"
    file.write_text(DH_1024)
    key = rsa.generate_private_key(65537, 2048)
    weak = server_context(issue(Wish(key=key), kit.root), ciphers="DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    weak.load_dh_params(str(file))
    limit_version(weak, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
    refused(kit, weak, Kind.CERTIFICATE_WEAK)


@pytest.mark.case("T-10")
def test_a_cut_handshake_is_not_tried_again_with_less(kit: Kit) -> None:
    def cut(connection: Connection) -> None:
        connection.sock.recv(65536)
        connection.close()

    peer = kit.scripted({"handshake": cut})
    with kit.submission(peer) as submission:
        submission.resolve()
        submission.connect()
        with pytest.raises(StageError) as caught:
            submission.secure()
    assert caught.value.kind is Kind.DISCONNECTED
    assert peer.connections == 1
    assert peer.said(secure=False).split(b"\r\n")[1] == b"STARTTLS"


@pytest.mark.case("T-11", "T-12")
def test_a_clear_port_spoken_to_with_implicit_tls(kit: Kit) -> None:
    peer = kit.scripted()
    with kit.submission(peer, encryption=Encryption.IMPLICIT_TLS) as submission:
        submission.resolve()
        submission.connect()
        with pytest.raises(StageError) as caught:
            submission.secure()
    assert caught.value.kind is Kind.WRONG_TLS_MODE
    assert b"EHLO" not in peer.said()


@pytest.mark.case("T-12")
@pytest.mark.parametrize("port", [465, 2465])
@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.NONE])
def test_an_implicit_tls_port_spoken_to_in_clear(kit: Kit, port: int, encryption: Encryption) -> None:
    peer = kit.scripted(implicit=True)
    with kit.submission(peer, port=port, encryption=encryption) as submission:
        submission.resolve()
        with pytest.raises(StageError) as caught:
            submission.connect()
    assert (caught.value.stage, caught.value.kind) == (Stage.CONNECT, Kind.WRONG_TLS_MODE)
    assert peer.said() == b""


@pytest.mark.case("T-11")
@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x01\x02", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_not_tls_at_all(kit: Kit, answer: bytes) -> None:
    def talk(connection: Connection) -> None:
        connection.sock.recv(65536)
        connection.say(answer)
        connection.hold()

    peer = kit.peer(talk)
    with kit.submission(peer, encryption=Encryption.IMPLICIT_TLS) as submission:
        submission.resolve()
        submission.connect()
        with pytest.raises(StageError) as caught:
            submission.secure()
    assert caught.value.kind is Kind.NOT_TLS


def test_the_session_breaks_in_the_middle(kit: Kit) -> None:
    def break_record(connection: Connection) -> None:
        # Bytes that look like a record of this session and are none.
        with socket.socket(fileno=connection.sock.detach()) as plain:
            plain.sendall(b"\x17\x03\x03\x00\x20" + b"\x00" * 32)
            plain.recv(65536)

    peer = kit.scripted({"MAIL": break_record})
    with kit.submission(peer) as submission:
        submission.resolve()
        submission.connect()
        submission.secure()
        submission.authenticate(LOGIN)
        with pytest.raises(StageError) as caught:
            submission.envelope("rh@empresa.test", ["teste@empresa.test"])
    assert (caught.value.stage, caught.value.kind) == (Stage.ENVELOPE, Kind.DISCONNECTED)


def test_the_server_ends_the_session_properly_and_too_early(kit: Kit) -> None:
    def goodbye(connection: Connection) -> None:
        assert isinstance(connection.sock, ssl.SSLSocket)
        connection.sock.unwrap()

    peer = kit.scripted({"AUTH": goodbye})
    with kit.submission(peer) as submission:
        submission.resolve()
        submission.connect()
        submission.secure()
        with pytest.raises(StageError) as caught:
            submission.authenticate(LOGIN)
    assert (caught.value.stage, caught.value.kind) == (Stage.AUTHENTICATE, Kind.DISCONNECTED)


#: How a client gets TLS in Python.
CLIENT_TLS = (
    "PROTOCOL_TLS_CLIENT",
    "create_default_context",
    "_create_unverified_context",
    "CERT_NONE",
    "import smtplib",
)


@pytest.mark.case("T-01")
def test_there_is_one_factory_of_contexts_for_mail_and_one_for_stores() -> None:
    package = Path(opsmail.__file__).parent
    makers = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if any(word in file.read_text("utf-8") for word in CLIENT_TLS)
    }
    assert makers == {"mail/tls.py", "store/server.py"}


@pytest.mark.case("T-01")
def test_every_context_verifies(kit: Kit) -> None:
    store = Server("postgresql", None, "db.empresa.test", 5432, "opsmail", None, kit.root.pem).tls()
    mail = [kit.trust.context(ca, minimum) for ca in (None, kit.root.pem) for minimum in TlsVersion]
    for context in (store, *mail):
        assert context is not None
        assert context.verify_mode == ssl.VerifyMode.CERT_REQUIRED
        assert context.check_hostname
        assert not context.hostname_checks_common_name
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
        assert context.keylog_filename is None


@pytest.mark.case("T-01")
def test_the_environment_has_no_say(kit: Kit, tmp_path: Path) -> None:
    """A process whose environment names our root as the system's, and a key log, trusts and logs nothing of it."""
    (tmp_path / "root.pem").write_text(kit.root.pem)
    log = tmp_path / "keys.log"
    peer = kit.scripted()
    code = f"""
import ssl
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import StageError
from opsmail.mail.submission import Submission
from opsmail.mail.tls import TrustStores
assert ssl.create_default_context().get_ca_certs()
with Submission(Endpoint({HOST!r}, 587, address="127.0.0.1:{peer.port}"), TrustStores()) as submission:
    submission.resolve()
    submission.connect()
    try:
        submission.secure()
    except StageError as error:
        print(error.kind)
"""
    environment = {
        "SSL_CERT_FILE": str(tmp_path / "root.pem"),
        "SSL_CERT_DIR": str(tmp_path),
        "SSLKEYLOGFILE": str(log),
        "PYTHONPATH": str(Path(opsmail.__file__).parent.parent),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "certificate-untrusted"
    # The standard library's own context, made above for comparison, opened it; nothing of a session is in it.
    assert not log.exists() or "SECRET" not in log.read_text()


def test_a_store_makes_each_context_once() -> None:
    first, second = TrustStores(), TrustStores()
    assert first.context(None, TlsVersion.TLS_1_2) is first.context(None, TlsVersion.TLS_1_2)
    assert first.context(None, TlsVersion.TLS_1_2) is not second.context(None, TlsVersion.TLS_1_2)
