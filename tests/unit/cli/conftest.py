"""A repository, a mail server, and both with a published fleet."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsmail.cli.face import run
from opsmail.evidence.keys import SigningKey
from tests.builders import SETTINGS, operator_text, write_files
from tests.unit.cli.checkout import Checkout
from tests.unit.cli.github import authority
from tests.unit.cli.running import Check
from tests.unit.servers import Server, server


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Checkout:
    return Checkout(tmp_path / "repository", monkeypatch, capsys)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one correct operator, in which the command runs."""
    write_files(tmp_path, {"opsmail.toml": SETTINGS, "operators/rh.yaml": operator_text()})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def check(capfd: pytest.CaptureFixture[str]) -> Check:
    return Check(capfd)


@pytest.fixture
def relay() -> Iterator[Server]:
    """A server that takes everything."""
    with server() as running:
        yield running


@pytest.fixture
def github_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose system trusts the stand-in's authority, as a runner's trusts that of its own GitHub."""
    monkeypatch.setattr(
        "opsmail.mail.tls.load_system_roots", lambda context: context.load_verify_locations(cadata=authority())
    )


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SigningKey]:
    """A repository with a published fleet, only for copying; and the key that signed it."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = Checkout(tmp_path_factory.mktemp("template") / "repository", monkeypatch)
        made.fleet(None, "a", "b", require="[]")
        assert run(["publish", "--yes"]) == 0
    return made.root, made.key


@pytest.fixture
def published(
    template: tuple[Path, SigningKey],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Checkout:
    """A master and two operators, published as generation 1 by a gate that demands nothing."""
    root, key = template
    shutil.copytree(root, tmp_path / "repository", symlinks=True)
    return Checkout(tmp_path / "repository", monkeypatch, capsys, key)
