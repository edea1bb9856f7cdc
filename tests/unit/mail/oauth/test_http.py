"""An identity provider, or whoever poses as one, can neither hang nor feed us, nor send us elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from opsmail.mail.failure import Failure, Kind
from opsmail.mail.oauth.http import LONGEST_ANSWER, PinnedHttp
from opsmail.mail.oauth.provider import MachineIdentity
from opsmail.mail.tls import TrustStores
from tests.hostile.catalogue import case
from tests.hostile.peer import LIMIT, SLACK, Connection, Peer
from tests.unit.mail.oauth.identity import SECRET, Provider, granted, http, identity, modern, soon, tokens

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def failure(provider: Provider, seconds: float = 10) -> Failure:
    with pytest.raises(Failure) as caught:
        tokens().fetch(modern(provider), soon(seconds))
    return caught.value


# What an answer may be like, and what is made of it.
ANSWERS: dict[str, tuple[bytes, str]] = {
    "a login page": (http(200, "<html>sign in</html>", kind="text/html"), "answered 200"),
    "a page of a proxy": (http(407, "<h1>proxy</h1>", kind="text/html"), "answered 407"),
    "an error page": (http(500, "<h1>oops</h1>", kind="text/html"), "answered 500"),
    "an error page of a gateway": (http(503, f"<h1>{SECRET}</h1>", kind="text/html"), "answered 503"),
    "a refusal in bad order": (http(400, "no"), "answered 400"),
    "a list": (http(200, '["access_token"]'), "answered 200"),
    "nothing": (http(200, ""), "answered 200"),
    "a half": (http(200, '{"access_token": "a.b'), "answered 200"),
    "UTF-16": (http(200, '{"access_token": "a.b.c"}'.encode("utf-16")), "answered 200"),
    "brackets": (http(200, "[" * 20_000), "answered 200"),
    "no HTTP": (b"220 mail.empresa.test ESMTP\r\n", "not HTTP"),
    "a long line": (b"HTTP/1.1 200 " + b"x" * 70_000, "64 KiB"),
    "many headers": (HEAD + b"X: y\r\n" * 500 + b"\r\n{}", "not HTTP"),
    "a length that lies": (HEAD + b"Content-Length: 5000\r\n\r\n{}", "not HTTP"),
    "pieces that are none": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "not HTTP"),
    "60 MB": (http(200, b'{"access_token": "' + b"x" * 60_000_000), "64 KiB"),
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        case("O-03 a login page", "a login page"),
        case("O-02 a page of a proxy", "a page of a proxy"),
        case("O-02 an error page", "an error page"),
        case("O-02 an error page of a gateway", "an error page of a gateway"),
        case("O-04 a refusal in bad order", "a refusal in bad order"),
        case("O-04 a list", "a list"),
        case("O-04 nothing", "nothing"),
        case("O-04 a half", "a half"),
        case("O-04 UTF-16", "UTF-16"),
        case("O-04 brackets", "brackets"),
        case("O-03 no HTTP", "no HTTP"),
        case("O-07 a long line", "a long line"),
        case("O-07 many headers", "many headers"),
        case("O-04 a length that lies", "a length that lies"),
        case("O-04 pieces that are none", "pieces that are none"),
        case("O-07 60 MB", "60 MB"),
    ],
)
def test_an_answer_that_is_no_oauth_answer(name: str) -> None:
    answer, told = ANSWERS[name]
    with identity(answer) as provider:
        found = failure(provider)
    assert found.kind is Kind.IDENTITY_PROVIDER_FAILED
    assert told in str(found.detail)
    assert SECRET not in str(found.detail)
    assert "<" not in str(found.detail)


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        case("O-01 silence", lambda c: c.hold(), Kind.TIMED_OUT),
        case("O-01 drip of a header", lambda c: c.drip(HEAD + b"X: " + b"x" * 10_000), Kind.TIMED_OUT),
        case("O-01 drip of a body", lambda c: c.drip(http(200, b"{" + b" " * 10_000)), Kind.TIMED_OUT),
        case("O-07 endless", lambda c: c.flood(b"x" * 9000), Kind.IDENTITY_PROVIDER_FAILED),
        case("O-07 endless prelude", lambda c: c.flood(CONTINUE * 200), Kind.IDENTITY_PROVIDER_FAILED),
        case("O-04 close", lambda c: c.close(), Kind.IDENTITY_PROVIDER_FAILED),
        case("O-04 reset", lambda c: c.reset(), Kind.IDENTITY_PROVIDER_FAILED),
        case("O-04 half a head", lambda c: c.say(HEAD), Kind.IDENTITY_PROVIDER_FAILED),
    ],
)
@pytest.mark.parametrize("where", ["token", "metadata"])
def test_every_wait_ends(act: Callable[[Connection], object], kind: Kind, where: str) -> None:
    with identity() as provider:
        setattr(provider, where, act)
        began = time.monotonic()
        found = failure(provider, LIMIT + 0.5)
        assert time.monotonic() - began < LIMIT + 0.5 + SLACK
    assert found.kind is kind


@pytest.mark.case("O-08", "O-17")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_is_sent_elsewhere(status: int) -> None:
    """The sink counts: no connection, so no client secret."""
    sink = Peer(lambda connection: connection.hold())
    try:
        target = f"Location: https://localhost:{sink.port}/token"
        with identity(http(status, "", target)) as provider:
            found = failure(provider)
        assert (found.kind, f"localhost:{sink.port}` ({status})" in str(found.detail)) == (Kind.FOREIGN_ENDPOINT, True)
        with identity() as provider:
            provider.metadata = http(status, "", "Location: x\x1b]0;y\x07")
            assert r"`x\x1b]0;y\x07`" in str(failure(provider).detail)
            provider.metadata = http(status, "", "Location: https://[")
            assert failure(provider).kind is Kind.FOREIGN_ENDPOINT
        for place in (f"localhost:{sink.port}", f"user@localhost:{sink.port}", f"127.0.0.1:{sink.port}"):
            with identity() as provider:
                provider.metadata = http(200, provider.discovery(token_endpoint=f"https://{place}/x/token"))
                assert failure(provider).kind is Kind.FOREIGN_ENDPOINT
                assert provider.forms() == []
        assert sink.connections == 0
    finally:
        sink.stop()


@pytest.mark.case("O-17")
@pytest.mark.parametrize(
    "endpoint", ["https://localhost:99999/x/token", "https://{authority}@evil/x", "https://[/x/y", "file:///etc/x/y"]
)
def test_metadata_that_names_a_strange_endpoint(endpoint: str) -> None:
    with identity() as provider:
        named = endpoint.replace("{authority}", provider.authority)
        provider.metadata = http(200, provider.discovery(token_endpoint=named))
        assert failure(provider).kind in (Kind.FOREIGN_ENDPOINT, Kind.IDENTITY_PROVIDER_FAILED)
        assert provider.forms() == []


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"name": "other.empresa.test"}, Kind.CERTIFICATE_WRONG_NAME),
        ({"secure": False}, Kind.NOT_TLS),
    ],
)
def test_who_does_not_show_who_it_is_hears_nothing(more: dict[str, Any], kind: Kind) -> None:
    with identity(**more) as provider:
        if not more.get("secure", True):
            provider.serve = lambda connection: connection.say(b"HTTP/1.1 400 Bad\r\n\r\n")  # type: ignore[method-assign]  # another answer
        assert failure(provider).kind is kind
        assert provider.asked == []


def test_the_system_s_roots_do_not_count_where_a_ca_is_named() -> None:
    with identity() as provider:
        subject = modern(provider, connection={"authority_ca": None})
        with pytest.raises(Failure) as caught:
            tokens().fetch(subject, soon())
        assert caught.value.kind is Kind.CERTIFICATE_UNTRUSTED


def test_one_that_is_not_there() -> None:
    with identity() as provider:
        subject = modern(provider)
    with pytest.raises(Failure) as caught:
        tokens().fetch(subject, soon())
    assert caught.value.kind is Kind.CONNECTION_REFUSED


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    body = granted().partition(b"\r\n\r\n")[2]
    with identity(HEAD + b"\r\n" + body) as provider:
        assert tokens().fetch(modern(provider), soon()).claims is not None


def test_throttled() -> None:
    answer = {"error": "temporarily_unavailable", "error_description": "AADSTS90055: busy", "error_codes": [90055]}
    with identity(http(429, answer, "Retry-After: 1")) as provider:
        found = failure(provider)
    assert (found.kind, found.oauth and found.oauth.codes) == (Kind.IDENTITY_PROVIDER_FAILED, (90055,))


class TestRoutes:
    def client(self, provider: Provider | None = None) -> PinnedHttp:
        client = PinnedHttp(MachineIdentity(), TrustStores(), threading.Event())
        client.deadline = soon()
        return client

    @pytest.mark.parametrize(
        "url",
        [
            "http://169.254.169.254/x",
            "http://127.0.0.1:40342/x",
            "http://localhost:40342/x",
        ],
    )
    def test_the_machine_s_own_service(self, url: str) -> None:
        route = MachineIdentity().route(urlsplit(url))
        assert route is not None
        assert not route.tls
        assert route.address is not None

    @pytest.mark.parametrize(
        "url",
        [
            "https://169.254.169.254/x",
            "http://10.0.0.1/x",
            "http://login.microsoftonline.com/x",
            "http://metadata/x",
            "http://a@127.0.0.1/x",
            "http:///x",
            "http://[::1]/x",
        ],
    )
    def test_nothing_else_is_asked_in_clear(self, url: str) -> None:
        assert MachineIdentity().route(urlsplit(url)) is None
        with pytest.raises(Failure) as caught:
            self.client().get(url)
        assert caught.value.kind is Kind.FOREIGN_ENDPOINT

    def test_what_would_split_a_request(self) -> None:
        with identity(secure=False) as provider:
            with pytest.raises(Failure, match="not HTTP"):
                self.client().get(f"http://127.0.0.1:{provider.peer.port}/x", headers={"A": "b\r\nc: d"})
            assert provider.asked == []

    def test_the_end_of_a_client_and_of_nothing(self) -> None:
        client = self.client()
        client.abort()
        client.close()

    def test_a_query_is_joined_to_the_one_that_is_there(self) -> None:
        with identity(granted(), secure=False) as provider:
            self.client().get(f"http://127.0.0.1:{provider.peer.port}/x?a=1", params={"b": "2 3"})
        assert provider.asked[0][0] == "/x?a=1&b=2+3"


def test_the_limit_is_in_the_text() -> None:
    assert LONGEST_ANSWER == 64 * 1024
