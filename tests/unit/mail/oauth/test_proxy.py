"""The way through a proxy: it learns where the request goes, and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from opsmail.mail.failure import Failure, Kind
from opsmail.mail.oauth.http import PinnedHttp
from opsmail.mail.oauth.provider import MachineIdentity
from opsmail.mail.oauth.proxy import LONGEST_HEAD, Proxy
from opsmail.mail.tls import TrustStores
from tests.hostile.peer import LIMIT, SLACK, Connection, Peer
from tests.unit.mail.oauth.identity import SECRET, TENANT, http, identity, modern, proxy, soon, tokens

NAME = "login.empresa.test"
AUTHORITY = {"authority": f"https://{NAME}:9443"}


def through(peer: Peer) -> Proxy:
    return Proxy.parse(f"http://localhost:{peer.port}")


def test_it_leads_to_a_host_whose_name_nobody_here_knows() -> None:
    with (
        identity() as provider,
        proxy(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n", provider, NAME) as peer,
    ):
        base = f"https://{NAME}:9443/{TENANT}/v2.0"
        endpoints = {"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token"}
        provider.metadata = http(200, provider.discovery(issuer=base, **endpoints))
        found = tokens(proxy=through(peer)).fetch(modern(provider, connection=AUTHORITY), soon())
        assert found.token.reveal().startswith("ey")
        assert provider.peer.connections == 0
        # One for the metadata, one for the token.
        asked = f"CONNECT {NAME}:9443 HTTP/1.1\r\nHost: {NAME}:9443\r\n\r\n".encode()
        assert [data for secure, data in peer.heard if not secure] == [asked] * peer.connections
        assert [form["client_secret"] for form in provider.forms()] == [SECRET]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (http(407, "<h1>who are you?</h1>", kind="text/html"), "is no HTTP proxy"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n", "answered 407"),
        (b"HTTP/1.1 403 \x1b[2JForbidden\r\n\r\n", "answered 403"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://evil.test/\r\n\r\n", "answered 302"),
        (b"HTTP/1.1 200 OK\r\n\r\nand more, in clear", "is no HTTP proxy"),
        (b"220 mail.empresa.test ESMTP\r\n\r\n", "is no HTTP proxy"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "is no HTTP proxy"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * LONGEST_HEAD, "is no HTTP proxy"),
    ],
)
def test_one_that_does_not_lead_there(answer: bytes, told: str) -> None:
    with identity() as provider, proxy(answer) as peer:
        with pytest.raises(Failure) as caught:
            tokens(proxy=through(peer)).fetch(modern(provider, connection=AUTHORITY), soon())
        assert caught.value.kind is Kind.IDENTITY_PROVIDER_FAILED
        assert told in str(caught.value.detail)
        assert f"localhost:{peer.port}" in str(caught.value.detail)
        assert (provider.forms(), provider.peer.connections) == ([], 0)


@pytest.mark.parametrize(
    "act",
    [
        lambda connection: connection.hold(),
        lambda connection: connection.drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000),
    ],
    ids=["silence", "drip"],
)
def test_every_wait_ends(act: Callable[[Connection], object]) -> None:
    with identity() as provider, proxy(act) as peer:
        began = time.monotonic()
        with pytest.raises(Failure) as caught:
            tokens(proxy=through(peer)).fetch(modern(provider, connection=AUTHORITY), soon(LIMIT))
        assert time.monotonic() - began < LIMIT + SLACK
    assert caught.value.kind is Kind.TIMED_OUT


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (lambda connection: connection.flood(b"x" * 9000), Kind.IDENTITY_PROVIDER_FAILED),
        (lambda connection: connection.close(), Kind.DISCONNECTED),
    ],
    ids=["endless", "close"],
)
def test_what_needs_no_wait(act: Callable[[Connection], object], kind: Kind) -> None:
    with identity() as provider, proxy(act) as peer, pytest.raises(Failure) as caught:
        tokens(proxy=through(peer)).fetch(modern(provider, connection=AUTHORITY), soon())
    assert caught.value.kind is kind


def test_one_that_poses_as_the_identity_provider() -> None:
    """It has no certificate for the name, so it learns nothing."""
    with identity() as provider, proxy(b"HTTP/1.1 200 OK\r\n\r\n", provider, NAME) as peer:
        other = modern(provider, connection={"authority": "https://other.empresa.test"})
        with pytest.raises(Failure) as caught:
            tokens(proxy=through(peer)).fetch(other, soon())
        assert caught.value.kind is Kind.CERTIFICATE_WRONG_NAME
        assert provider.forms() == []


def test_a_machine_asks_itself_straight() -> None:
    with proxy(b"") as peer:
        straight = Peer(lambda connection: connection.say(http(200, "{}")))
        try:
            client = PinnedHttp(MachineIdentity(), TrustStores(), threading.Event(), proxy=through(peer))
            client.deadline = soon()
            url = f"http://127.0.0.1:{straight.port}/metadata"
            assert client.get(url).text == "{}"
        finally:
            straight.stop()
        assert peer.connections == 0
