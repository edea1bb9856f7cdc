"""Peers that misbehave and clients with little patience."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import StageError
from opsmail.mail.submission import Deadlines, Submission
from opsmail.mail.tls import TrustStores
from opsmail.mail.transcript import Transcript
from tests.hostile.certificates import Issued, Wish, issue, server_context
from tests.hostile.matrix import STAGE_OF, verdict, verdicts
from tests.hostile.peer import HOST, LIMIT, SLACK, Answer, Peer, Script, conversation
from tests.hostile.slowest import PROPERTY


@dataclass
class Kit:
    """What the tests here need: peers, and clients that trust the test root."""

    root: Issued
    tls: ssl.SSLContext
    trust: TrustStores
    peers: list[Peer] = field(default_factory=list)

    def peer(self, script: Script, **options: Any) -> Peer:
        peer = Peer(script, **options)
        self.peers.append(peer)
        return peer

    def scripted(
        self,
        answers: Mapping[str, Answer] | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
    ) -> Peer:
        """A peer with a whole conversation in which some answers are replaced."""
        return self.peer(conversation(tls or self.tls, answers, implicit=implicit))

    def endpoint(self, peer: Peer, **changes: Any) -> Endpoint:
        values: dict[str, Any] = {"host": HOST, "port": 587, "address": f"127.0.0.1:{peer.port}", "ca": self.root.pem}
        return Endpoint(**(values | changes))

    def submission(self, peer: Peer, *, transcript: Transcript | None = None, **changes: Any) -> Submission:
        return self.client(self.endpoint(peer, **changes), observer=transcript)

    def client(self, endpoint: Endpoint, **options: Any) -> Submission:
        patience = Deadlines(
            resolve=LIMIT, connect=LIMIT, tls=LIMIT, authenticate=LIMIT, envelope=LIMIT, send=LIMIT, quit=LIMIT, total=5
        )
        options.setdefault("deadlines", patience)
        return Submission(endpoint, self.trust, **options)


@pytest.fixture(scope="session")
def root() -> Issued:
    return issue(Wish("Test root", authority=True))


@pytest.fixture(scope="session")
def good_tls(root: Issued) -> ssl.SSLContext:
    return server_context(issue(Wish(), root))


@pytest.fixture(scope="session")
def trust() -> TrustStores:
    return TrustStores()


@pytest.fixture
def kit(root: Issued, good_tls: ssl.SSLContext, trust: TrustStores) -> Iterator[Kit]:
    kit = Kit(root, good_tls, trust)
    yield kit
    for peer in kit.peers:
        peer.stop()


class Watch:
    """How long something took, and what came of it, for the report and the table."""

    def __init__(self, record: Callable[[str, object], None]) -> None:
        self._record = record
        self._started = time.monotonic()

    def judge(self, step: str, fault: str, error: StageError, endpoint: Endpoint, limit: float = LIMIT) -> None:
        seconds = time.monotonic() - self._started
        self._record(PROPERTY, f"{seconds:.2f} s ({step}, {fault})")
        assert seconds < limit + SLACK
        assert error.stage is STAGE_OF[step]
        assert verdict(error, endpoint) in verdicts()[step, fault]


@pytest.fixture
def watch(record_property: Callable[[str, object], None]) -> Watch:
    return Watch(record_property)
