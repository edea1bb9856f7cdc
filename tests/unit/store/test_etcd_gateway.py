"""What an etcd might answer, stood for by a server that says what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from opsmail.secrets import Secret
from opsmail.store import etcd_gateway
from opsmail.store.etcd import EtcdStore
from opsmail.store.etcd_gateway import Gateway, Unanswered
from opsmail.store.etcd_keys import Keys
from opsmail.store.etcd_operations import encoded
from opsmail.store.interface import (
    NO_EVENT,
    Head,
    Identity,
    OutcomeUnknown,
    StoreBusy,
    StoreDamaged,
    StoreUnavailable,
)
from opsmail.store.server import Access, Server

CANARY = "hunter2-secret"
TOKEN = {"token": "a.1"}
#: A status and what comes with it: plain data, or octets.
Said = tuple[int, Any]


class Stub(ThreadingHTTPServer):
    """Answers in turn, and keeps what it was asked; without an answer left it ends the connection."""

    daemon_threads = True

    def __init__(self, answers: Sequence[Said]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.asked: list[tuple[str, Any, str | None]] = []
        #: End each connection after its answer, without saying so.
        self.ends = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Stub

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, question, self.headers["Authorization"]))
        if not self.server.answers:
            self.close_connection = True
            return
        status, content = self.server.answers.pop(0)
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.server.ends

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def answering(*answers: Said) -> Iterator[Stub]:
    with Stub(answers) as stub:
        serving = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield stub
        finally:
            stub.shutdown()
            serving.join(10)


def gateway(stub: Stub, user: str = "") -> Gateway:
    url = f"etcd://{user}127.0.0.1:{stub.server_port}/opsmail"
    return Gateway(Server.parse(url, Access(), port=2379), Secret(CANARY) if user else None)


def refused(*answers: Said, user: str = "") -> StoreUnavailable:
    with answering(*answers) as stub, closing(gateway(stub, user)) as asking:
        with pytest.raises(StoreUnavailable) as caught:
            asking.ask("/kv/txn", {})
        assert not stub.answers
    assert caught.value.hint is not None
    assert CANARY not in f"{caught.value!r} {caught.value.hint}"
    return caught.value


def refusal(code: int, message: str) -> dict[str, Any]:
    return {"error": message, "code": code, "message": message}


def test_a_question() -> None:
    with answering((200, {"succeeded": True}), (200, {})) as stub, closing(gateway(stub)) as asking:
        assert asking.ask("/kv/txn", {"compare": []}) == {"succeeded": True}
        assert asking.ask("/kv/range", {}) == {}
        assert stub.asked == [("/v3/kv/txn", {"compare": []}, None), ("/v3/kv/range", {}, None)]


def test_logging_in_once() -> None:
    with answering((200, TOKEN), (200, {}), (200, {})) as stub, closing(gateway(stub, "opsmail@")) as asking:
        asking.ask("/kv/txn", {})
        asking.ask("/kv/txn", {})
    assert stub.asked[0] == ("/v3/auth/authenticate", {"name": "opsmail", "password": CANARY}, None)
    assert [token for _, _, token in stub.asked] == [None, "a.1", "a.1"]


@pytest.mark.parametrize("words", ["etcdserver: invalid auth token", "auth: revision in header is old"])
def test_logging_in_again(words: str) -> None:
    answers: list[Said] = [(200, TOKEN), (401, refusal(16, words)), (200, {"token": "a.2"}), (200, {})]
    with answering(*answers) as stub, closing(gateway(stub, "opsmail@")) as asking:
        assert asking.ask("/kv/txn", {}) == {}
    assert [token for _, _, token in stub.asked] == [None, "a.1", None, "a.2"]


def test_not_for_ever() -> None:
    again = (401, refusal(16, "etcdserver: invalid auth token"))
    assert "refuses this user" in str(refused((200, TOKEN), again, (200, TOKEN), again, user="opsmail@"))
    assert "refuses this user" in str(refused(again))


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ((400, refusal(9, "etcdserver: authentication is not enabled")), "refuses this user: etcdserver: auth"),
        ((200, {}), "it gave no token"),
        ((200, {"token": 7}), "it gave no token"),
        ((200, {"token": "a\r\nHost: x"}), "it gave no token"),
    ],
)
def test_logins_that_come_to_nothing(said: Said, what: str) -> None:
    assert what in str(refused(said, user="opsmail@"))


def test_a_login_without_an_answer_leaves_nothing_open() -> None:
    assert not isinstance(refused(user="opsmail@"), Unanswered)


@pytest.mark.parametrize(
    ("said", "kind", "what"),
    [
        ((403, refusal(7, "etcdserver: permission denied")), StoreUnavailable, "refuses this user"),
        ((400, refusal(3, "etcdserver: user name is empty")), StoreUnavailable, "refuses this user"),
        ((429, refusal(8, "etcdserver: mvcc: database space exceeded")), StoreUnavailable, "is full"),
        ((429, refusal(8, "etcdserver: too many requests")), StoreBusy, "in use by others"),
        ((400, refusal(3, "etcdserver: too many operations in txn request")), StoreUnavailable, "cannot be used"),
    ],
)
def test_refusals_upon_which_nothing_was_done(said: Said, kind: type[StoreUnavailable], what: str) -> None:
    found = refused(said)
    assert isinstance(found, kind)
    assert not isinstance(found, Unanswered)
    assert what in str(found)


@pytest.mark.case("D-17")
@pytest.mark.parametrize(
    "said",
    [
        (503, refusal(14, "etcdserver: request timed out")),
        (504, refusal(4, "context deadline exceeded")),
        (503, refusal(14, "etcdserver: leader changed")),
        (500, {"error": "no code"}),
        (500, {}),
        (502, b"<html>Bad gateway</html>"),
        (302, b""),
        (200, b""),
        (200, b"[]"),
        (200, b"{" * 50_000),
        (200, b"\xff"),
    ],
)
def test_answers_that_leave_open_what_was_done(said: Said) -> None:
    assert isinstance(refused(said), Unanswered)


def test_no_answer_at_all() -> None:
    assert isinstance(refused(), Unanswered)


def test_an_endless_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etcd_gateway, "LARGEST_ANSWER", 100)
    assert isinstance(refused((200, b'{"a":"' + b"x" * 200 + b'"}')), Unanswered)


def test_connections_that_the_server_has_ended() -> None:
    with answering((200, {"n": "1"}), (200, {"n": "2"})) as stub, closing(gateway(stub)) as asking:
        stub.ends = True
        assert asking.ask("/kv/txn", {}) == {"n": "1"}
        (kept,) = asking._idle
        # Its end has come.
        assert kept.sock.recv(1, 2) == b""
        assert asking.ask("/kv/txn", {}) == {"n": "2"}


IDENTITY = Identity("0" * 32, 1)
EMPTY = Head(IDENTITY, "production")


def store(stub: Stub) -> EtcdStore:
    return EtcdStore(Keys(gateway(stub), "etcd", "opsmail"), writable=True)


@pytest.mark.case("D-17")
def test_a_change_that_was_not_answered() -> None:
    timed_out = (503, refusal(14, "etcdserver: request timed out"))
    with answering(timed_out) as stub, closing(store(stub)) as asking:
        with pytest.raises(OutcomeUnknown, match="timed out") as caught:
            asking.append_events(EMPTY, [b"{}"])
        assert caught.value.hint is not None
        # Not tried again by itself.
        assert len(stub.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"responses": []},
        {"succeeded": True, "responses": [{}, {}, {}]},
        {"succeeded": True, "responses": {}},
        {"responses": [7, 7, 7, 7]},
        {"succeeded": True, "responses": [{"response_range": {"kvs": [{}]}}] * 4},
        {"succeeded": True, "responses": [{"response_range": {"kvs": [{"key": "=", "value": "="}]}}] * 4},
        {"succeeded": True, "responses": [{"response_range": {"kvs": [{"key": 7}]}}] * 4},
        {"succeeded": True, "responses": [{"response_range": {"kvs": 7}}] * 4},
    ],
)
def test_answers_that_are_not_etcd_s(answer: Any) -> None:
    with (
        answering((200, answer)) as stub,
        closing(store(stub)) as asking,
        pytest.raises(Unanswered, match="does not answer as etcd"),
    ):
        asking.head("production")


def test_something_in_the_way_that_the_head_does_not_show() -> None:
    """Not after its newest event, which `head` reads, but where it cannot be: etcd says no, and shows no reason."""
    found = {"key": "b3BzbWFpbC9zdG9yZQ==", "value": ""}
    record = json.dumps({"version": 1, "store": IDENTITY.store, "epoch": 1}).encode()
    found["value"] = encoded(record)
    nothing: dict[str, Any] = {"response_range": {}}
    there = {"response_range": {"kvs": [found]}}
    answers = [there, nothing, nothing, nothing, nothing, there]
    with (
        answering((200, {"responses": answers})) as stub,
        closing(store(stub)) as asking,
        pytest.raises(StoreDamaged, match="something stands where"),
    ):
        asking.swap_head(EMPTY, number=1, digest=NO_EVENT, events=[b"{}"])
