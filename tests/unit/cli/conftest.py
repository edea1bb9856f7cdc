"""A repository, a mail server, and both with a published fleet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.checkout import Checkout
from tests.unit.servers import Server, server


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Checkout:
    return Checkout(tmp_path / "repository", monkeypatch, capsys)


@pytest.fixture
def relay() -> Iterator[Server]:
    """A server that takes everything."""
    with server() as running:
        yield running


@pytest.fixture
def published(checkout: Checkout) -> Checkout:
    """A master and two operators, published as generation 1 by a gate that demands nothing."""
    checkout.fleet(None, "a", "b", require="[]")
    checkout.run("publish", "--yes")
    return checkout
