"""A publish that is killed at any moment leaves the old or the new generation, whole, and nothing in the way."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsmail.runtime import Operators
from tests.acceptance.command import COMMAND, SECONDS
from tests.acceptance.fleets import RECIPIENT, at_relay
from tests.acceptance.repository import KeyPair, Repository, Server

pytestmark = pytest.mark.acceptance

FLEET = 20
TRIES = 8


@pytest.fixture
def fleet(tmp_path: Path, keys: KeyPair) -> Iterator[Repository]:
    """Operators that are all changed by each commit, published without evidence as generation 1."""
    repository = Repository.make(tmp_path, keys)
    repository.settings(
        Server(host="mail.empresa.test", ca=None), recipient=RECIPIENT, more="[store]\nmax_update_percent = 100\n"
    )
    repository.edit("opsmail.toml", 'require = ["test-send"]', "require = []")
    change_all(repository, 1)
    yield repository
    repository.search()


def change_all(repository: Repository, number: int) -> None:
    """Commit a new version of every operator."""
    for index in range(FLEET):
        operator = at_relay(f"op{index:02}", "standard" if index else "master")
        repository.write(f"operators/{operator.name}.yaml", f"{operator.yaml()}labels:\n  version: '{number}'\n")
    repository.commit(f"Versão {number}")


def read(repository: Repository) -> tuple[int, str]:
    """Read the store as an application does, which verifies everything, and return the generation and its version."""
    url, key = f"sqlite:///{repository.root / 'opsmail.db'}", repository.root / "keys" / "ci.pub.pem"
    operators = Operators.open(url, keys=[key])
    try:
        assert len(operators) == FLEET
        versions = {operator.settings.labels["version"] for operator in operators.values()}
        generations = {operator.generation for operator in operators.values()}
    finally:
        operators.close()
    (version,), (generation,) = versions, generations
    return generation, version


def start(repository: Repository, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start a publish, or another command."""
    return subprocess.Popen(
        [*COMMAND, *(arguments or ("publish", "--yes"))],
        cwd=repository.root,
        env=repository.shell.environment(repository.secrets),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def kill(process: "subprocess.Popen[bytes]") -> bool:
    """Kill a process with all that it has started, and return whether it was still running."""
    running = process.poll() is None
    if running:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=SECONDS)
    return running


def wait_for_writing(process: "subprocess.Popen[bytes]", log: Path, at_least: int) -> None:
    """Return once the store's write-ahead log has grown or shrunk by so many bytes, or the process has ended."""
    before = size(log)
    while process.poll() is None and abs(size(log) - before) < at_least:
        time.sleep(0.0005)  # nothing tells when somebody else's file changes


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def test_readers_see_the_old_or_the_new_generation_whole(fleet: Repository) -> None:
    chance = random.Random()
    began = time.monotonic()
    finish(start(fleet))
    usual = time.monotonic() - began
    killed = 0
    generation, version = read(fleet)
    assert (generation, version) == (1, "1")
    for number in range(2, TRIES + 2):
        change_all(fleet, number)
        process = start(fleet)
        if number % 3:
            wait_for_writing(process, fleet.root / "opsmail.db-wal", chance.choice((1, 1, 40_000)))
            time.sleep(chance.choice((0, chance.uniform(0, 0.05))))
        else:
            time.sleep(chance.uniform(usual / 2, usual))  # anywhere, also before it writes
        killed += kill(process)
        found = read(fleet)
        assert found in ((generation, version), (generation + 1, str(number)))
        generation, version = found
    assert killed >= TRIES // 2
    change_all(fleet, 0)
    fleet.run("publish", "--yes")
    assert read(fleet) == (generation + 1, "0")
    # Nothing but the store itself is left: neither locks nor halves.
    left = {path.name for path in fleet.root.iterdir() if path.is_file()}
    assert left <= {".gitignore", "opsmail.toml", "opsmail.db", "opsmail.db-wal", "opsmail.db-shm"}


def finish(process: "subprocess.Popen[bytes]") -> None:
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said.decode()


def test_a_first_publish_that_was_killed_is_no_publish(fleet: Repository) -> None:
    """Killed while the store is being made: there is none, or an empty one, and never half of one."""
    chance = random.Random()
    for _ in range(3):
        process = start(fleet)
        while process.poll() is None and not any(fleet.root.glob(".opsmail.db.*")):
            time.sleep(0.0005)
        time.sleep(chance.uniform(0, 0.05))
        kill(process)
        if (fleet.root / "opsmail.db").exists():
            assert fleet.head() in (0, 1)
    fleet.run("publish", "--yes")
    assert read(fleet) == (1, "1")


def test_so_does_a_rollback(fleet: Repository) -> None:
    chance = random.Random()
    finish(start(fleet))
    change_all(fleet, 2)
    finish(start(fleet))
    generation, version = read(fleet)
    for _ in range(3):
        other = "1" if version == "2" else "2"
        process = start(fleet, "rollback", other, "--yes")
        wait_for_writing(process, fleet.root / "opsmail.db-wal", chance.choice((1, 1, 40_000)))
        time.sleep(chance.choice((0, chance.uniform(0, 0.02))))
        kill(process)
        found = read(fleet)
        assert found in ((generation, version), (generation + 1, other))
        generation, version = found
    fleet.run("history", "--verify")
