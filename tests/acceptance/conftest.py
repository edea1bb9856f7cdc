"""Repositories, keys and servers for the acceptance tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.command import Shell
from tests.acceptance.fleets import RELAY_HOST, published_fleet
from tests.acceptance.repository import KeyPair, Repository, Server
from tests.hostile.certificates import Wish, issue, server_context
from tests.hostile.peer import Peer, conversation

MakeRepository = Callable[[], Repository]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """A pair from `opsmail keygen`."""
    folder = tmp_path_factory.mktemp("keys")
    shell = Shell(folder / "shell")
    shell.run(("keygen", "ci", "--folder", "pair"), code=0, folder=folder, environment={})
    private, public = folder / "pair" / "ci.key", folder / "pair" / "ci.pub.pem"
    assert private.stat().st_mode & 0o777 == 0o600
    pair = KeyPair(private.read_text("ascii"), public.read_text("ascii"))
    assert not any(pair.private.splitlines()[1].encode() in said for said in shell.said)
    return pair


@pytest.fixture
def repository(tmp_path: Path, keys: KeyPair) -> Iterator[Repository]:
    """An empty repository; its secrets are searched in everything that was written when the test has ended."""
    made = Repository.make(tmp_path, keys)
    yield made
    made.search()


@pytest.fixture(scope="session")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The catalogue entry of a server that takes every login and message; for tests that are not about mail."""
    root = issue(Wish("Test root", authority=True))
    peer = Peer(conversation(server_context(issue(Wish(), root))))
    ca = tmp_path_factory.mktemp("relay") / "ca.pem"
    ca.write_text(root.pem, "ascii")
    yield Server(host=RELAY_HOST, address=f"127.0.0.1:{peer.port}", ca=str(ca))
    peer.stop()


@pytest.fixture(scope="session")
def published_once(tmp_path_factory: pytest.TempPathFactory, keys: KeyPair, relay: Server) -> Repository:
    """Three operators, tested and published as generation 1; only for copying."""
    return published_fleet(tmp_path_factory.mktemp("published"), keys, relay)


@pytest.fixture
def published(tmp_path: Path, published_once: Repository) -> Iterator[Repository]:
    """A repository of this test's own, with three operators that are tested and published."""
    copy = published_once.copy(tmp_path)
    yield copy
    copy.search()
