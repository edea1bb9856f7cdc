"""Names that lead to places where no password may go (C-06 to C-13, M-37)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography import x509

from opsmail.mail.destination import SocketAddress, system_lookup
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import Failure, Kind, Stage, StageError
from opsmail.mail.submission import Deadlines, Submission
from opsmail.mail.transport import Deadline, Transport
from tests.hostile.certificates import Wish, issue, server_context
from tests.hostile.conftest import Kit
from tests.hostile.peer import HOST, LIMIT, SLACK, Connection


class Names:
    """A resolver with these answers, which counts how often it is asked."""

    def __init__(self, *answers: Sequence[str] | OSError) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        answer = self._answers[min(len(self.asked), len(self._answers)) - 1]
        if isinstance(answer, OSError):
            raise answer
        return [
            (socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in answer
        ]


class Hanging:
    """A resolver that answers when it is released."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.release = threading.Event()

    def __call__(self, host: str, port: int) -> list[Any]:
        self.asked.set()
        self.release.wait(10)
        return []


def resolve(kit: Kit, names: Names, host: str = HOST, *, private: bool = False) -> tuple[SocketAddress, ...]:
    with kit.client(Endpoint(host, 587, private=private), lookup=names) as submission:
        return submission.resolve()


def refusal(kit: Kit, names: Names, host: str = HOST, *, private: bool = False) -> StageError:
    with pytest.raises(StageError) as caught:
        resolve(kit, names, host, private=private)
    assert caught.value.stage is Stage.RESOLVE
    return caught.value


NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001::1",
    "2001:10::1",
    "2001:20::1",
    "3fff::1",
    "64:ff9b::a9fe:a9fe",
    "::ffff:169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "5f00::1",
    "4000::1",
    "64:ff9b::a83f:8110",
]
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "::1",
    "fc00::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b::c0a8:101",
]
PUBLIC = ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::1"]


@pytest.mark.case("C-06", "C-08")
@pytest.mark.parametrize("ip", NEVER)
def test_where_no_mail_server_is(kit: Kit, ip: str) -> None:
    for private in (False, True):
        error = refusal(kit, Names([ip]), private=private)
        assert error.kind is Kind.ADDRESS_NOT_ALLOWED
        assert ip in str(error)


@pytest.mark.case("C-06", "C-08")
@pytest.mark.parametrize("ip", PRIVATE)
def test_private_only_where_the_catalogue_says_so(kit: Kit, ip: str) -> None:
    assert refusal(kit, Names([ip])).kind is Kind.ADDRESS_NOT_ALLOWED
    assert resolve(kit, Names([ip]), private=True) == (SocketAddress(ip, 587),)


@pytest.mark.parametrize("ip", PUBLIC)
def test_public(kit: Kit, ip: str) -> None:
    assert [address.ip for address in resolve(kit, Names([ip]))] == [ip]


@pytest.mark.case("C-08")
@pytest.mark.parametrize("hidden", [0, 1, 2])
def test_one_forbidden_address_forbids_all(kit: Kit, hidden: int) -> None:
    ips = ["8.8.8.8", "2606:4700::1111", "1.1.1.1"]
    ips[hidden] = "10.0.0.1"
    assert refusal(kit, Names(ips)).kind is Kind.ADDRESS_NOT_ALLOWED


def test_a_crowd_of_addresses_is_judged_whole_and_tried_in_part(kit: Kit) -> None:
    crowd = [f"8.8.{number // 250}.{number % 250}" for number in range(1000)]
    assert len(resolve(kit, Names([*crowd, *crowd]))) == 8
    assert refusal(kit, Names([*crowd, "127.0.0.1"])).kind is Kind.ADDRESS_NOT_ALLOWED


@pytest.mark.case("C-07", "C-11")
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "2130706433", "0x7f.1", "0x7f000001", "1.1", "017700000001", "[::1]", "::1", "fe80::1%eth0", "999",
        "smtp.good.test@evil.test", "smtp.good.test:25@evil.test", "smtp.good.test#evil", "smtp.good.test/", "",
        "smtp good.test", "smtp.good.test\r\n", "smtp.good.test.", ".good.test", "smtp..test", "-x.test",
        "smtp.good.test\0", "x" * 64 + ".test", "a." * 127 + "test",
        "\uff53mtp.good.test", "smtp\u3002good.test", "smtp.ex\u0430mple.test", "smtp.good\u200b.test",
    ],
)  # fmt: skip
def test_not_a_name(kit: Kit, host: str) -> None:
    names = Names(["8.8.8.8"])
    assert refusal(kit, names, host).kind is Kind.INVALID_HOST
    assert names.asked == []


def test_one_spelling_of_a_name(kit: Kit) -> None:
    names = Names(["8.8.8.8"])
    resolve(kit, names, "SMTP.Good.TEST")
    assert names.asked == ["smtp.good.test"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Kind.NAME_NOT_RESOLVED),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), Kind.RESOLVER_FAILED),
        (OSError("broken"), Kind.RESOLVER_FAILED),
        ([], Kind.NAME_NOT_RESOLVED),
    ],
)
def test_no_answer(kit: Kit, answer: Any, kind: Kind) -> None:
    assert refusal(kit, Names(answer)).kind is kind


def test_a_resolver_that_hangs(kit: Kit) -> None:
    names = Hanging()
    started = time.monotonic()
    with pytest.raises(StageError) as caught:
        kit.client(Endpoint(HOST, 587), lookup=names).resolve()
    names.release.set()
    assert caught.value.kind is Kind.TIMED_OUT
    assert isinstance(caught.value, TimeoutError)
    assert time.monotonic() - started < LIMIT + SLACK


def test_the_systems_resolver(kit: Kit) -> None:
    assert {address.ip for address in kit.client(Endpoint("localhost", 25, private=True)).resolve()} <= {
        "127.0.0.1",
        "::1",
    }


def test_a_name_that_never_exists_asks_nobody() -> None:
    for host in ("invalid", "mail.invalid"):
        with pytest.raises(socket.gaierror):
            system_lookup(host, 587)


@pytest.mark.case("C-13")
def test_nothing_but_the_name_is_asked_for(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """No MX and no SRV. An alias (CNAME) decides the address, and never whom the certificate must name."""
    alias = server_context(issue(Wish("alias", names=[x509.DNSName("alias.elsewhere.test")]), kit.root))
    asked: list[tuple[Any, ...]] = []

    def answer(*question: Any, **more: Any) -> list[tuple[Any, ...]]:
        asked.append(question)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "alias.elsewhere.test", ("127.0.0.1", question[1]))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    named, aliased = kit.scripted(), kit.scripted(tls=alias)
    for peer in (named, aliased):
        with kit.client(Endpoint(HOST, peer.port, ca=kit.root.pem, private=True)) as submission:
            submission.resolve()
            submission.connect()
            if peer is named:
                assert submission.secure() is not None
                continue
            with pytest.raises(StageError) as caught:
                submission.secure()
            assert caught.value.kind is Kind.CERTIFICATE_WRONG_NAME
    assert asked == [(HOST, named.port), (HOST, aliased.port)]


@pytest.mark.case("C-09")
def test_a_name_that_changes_its_address_is_asked_once(kit: Kit) -> None:
    """DNS rebinding: what was judged is what is connected to, and the certificate is still asked for the name."""
    peer = kit.scripted()
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    endpoint = Endpoint(HOST, peer.port, ca=kit.root.pem, private=True)
    with kit.client(endpoint, lookup=names) as submission:
        submission.resolve()
        submission.connect()
        assert submission.secure() is not None
        assert submission.peer == SocketAddress("127.0.0.1", peer.port)
    assert names.asked == [HOST]


@pytest.mark.case("M-37")
@pytest.mark.parametrize("order", [["::1", "127.0.0.1"], ["127.0.0.1", "::1"]])
@pytest.mark.parametrize("alive", ["127.0.0.1", "::1"])
def test_one_dead_address_of_two(kit: Kit, order: list[str], alive: str) -> None:
    def greet(connection: Connection) -> None:
        connection.say(b"220 ok\r\n")
        connection.hear()
        connection.say(b"250 ok\r\n")
        connection.hold()

    peer = kit.peer(greet, address=alive)
    with kit.client(Endpoint(HOST, peer.port, private=True), lookup=Names(order)) as submission:
        submission.resolve()
        submission.connect()
        assert submission.peer == SocketAddress(alive, peer.port)


def test_nobody_listens(kit: Kit) -> None:
    peer = kit.scripted()
    peer.stop()
    with kit.submission(peer) as submission:
        submission.resolve()
        with pytest.raises(StageError) as caught:
            submission.connect()
    assert (caught.value.stage, caught.value.kind) == (Stage.CONNECT, Kind.CONNECTION_REFUSED)
    assert isinstance(caught.value, ConnectionError)


def test_no_way_there(kit: Kit) -> None:
    with kit.client(Endpoint(HOST, 587, address="255.255.255.255:587")) as submission:
        submission.resolve()
        with pytest.raises(StageError) as caught:
            submission.connect()
    assert caught.value.kind is Kind.UNREACHABLE


def test_connecting_before_resolving(kit: Kit) -> None:
    with kit.client(Endpoint(HOST, 587)) as submission, pytest.raises(StageError) as caught:
        submission.connect()
    assert caught.value.kind is Kind.UNREACHABLE


@contextmanager
def black_hole() -> Iterator[SocketAddress]:
    """An address that answers nothing at all: a listener whose queue is full drops further connections."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = []
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(address)
            waiting.append(sock)
        try:
            yield SocketAddress(*address)
        finally:
            for sock in waiting:
                sock.close()


@pytest.mark.case("M-37")
def test_a_silent_address_does_not_take_all_the_time(kit: Kit) -> None:
    peer = kit.scripted()
    transport = Transport()
    with black_hole() as hole:
        started = time.monotonic()
        found = transport.connect([hole, SocketAddress("127.0.0.1", peer.port)], Deadline(2 * LIMIT))
        assert time.monotonic() - started < LIMIT + SLACK
        transport.close()
        assert found.port == peer.port
        with pytest.raises(Failure) as caught:
            transport.connect([hole], Deadline(LIMIT))
    assert caught.value.kind is Kind.TIMED_OUT


# --- stopping from outside


def stop_during(submission: Submission, act: Callable[[], object], begun: threading.Event | None = None) -> StageError:
    """Run `act` in a thread, stop the submission once that has begun, and return how it ended."""
    errors: list[StageError] = []

    def run() -> None:
        try:
            act()
        except StageError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert (begun or threading.Event()).wait(5 if begun else 0.05) is (begun is not None)
    started = time.monotonic()
    submission.abort()
    thread.join(5)
    assert time.monotonic() - started < 1
    return errors[0]


def patient(kit: Kit, endpoint: Endpoint, **options: Any) -> Submission:
    return kit.client(endpoint, deadlines=Deadlines(), **options)


def test_stopped_while_resolving(kit: Kit) -> None:
    names = Hanging()
    submission = patient(kit, Endpoint(HOST, 587), lookup=names)
    assert stop_during(submission, submission.resolve, names.asked).kind is Kind.ABORTED
    names.release.set()


def test_stopped_while_connecting(kit: Kit) -> None:
    with black_hole() as hole:
        submission = patient(kit, Endpoint(HOST, 587, address=str(hole)))
        submission.resolve()
        error = stop_during(submission, submission.connect)
    assert (error.stage, error.kind) == (Stage.CONNECT, Kind.ABORTED)
    assert isinstance(error, ConnectionError)


def test_stopped_while_waiting_for_a_reply(kit: Kit) -> None:
    peer = kit.scripted({"EHLO-TLS": lambda c: c.hold()})
    submission = patient(kit, kit.endpoint(peer))
    submission.resolve()
    submission.connect()
    error = stop_during(submission, submission.secure)
    assert (error.stage, error.kind) == (Stage.TLS, Kind.ABORTED)
    submission.close()


def test_stopped_before_it_began(kit: Kit) -> None:
    submission = kit.submission(kit.scripted())
    submission.resolve()
    submission.abort()
    with pytest.raises(StageError) as caught:
        submission.connect()
    assert caught.value.kind is Kind.ABORTED
