"""`check --watch` as a process of its own: it notices changes, costs nothing meanwhile, and ends when it is told to."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.command import COMMAND, SECONDS
from tests.acceptance.fleets import RECIPIENT
from tests.acceptance.repository import Operator, Repository, Server

pytestmark = pytest.mark.acceptance

HOST = "mail.empresa.test"
READY = "watching; Ctrl-C ends it"


class Watching:
    """The running command; `until` waits for one line of what it says, on either stream."""

    def __init__(self, repository: Repository, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [*COMMAND, "check", "--watch", *arguments],
            cwd=repository.root,
            env=repository.shell.environment({}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.pid = self._process.pid
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))

    def until(self, wanted: str) -> list[str]:
        said: list[str] = []
        while not said or said[-1] != wanted:
            said.append(self._lines.get(timeout=SECONDS))
        return said

    def round_with(self, beginning: str) -> list[str]:
        """Return the first round with such a line: the one before may have met a file while it was being written."""
        said = self.until(READY)
        while not any(line.startswith(beginning) for line in said):
            said = self.until(READY)
        return said

    def end(self, number: signal.Signals) -> tuple[int, list[str]]:
        self._process.send_signal(number)
        code = self._process.wait(SECONDS)
        self._reader.join(SECONDS)
        return code, [self._lines.get_nowait() for _ in range(self._lines.qsize())]

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(SECONDS)
        self._reader.join(SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()


Watch = Callable[..., Watching]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.make(tmp_path)
    made.write("opsmail.toml", Server(host=HOST, ca=None).toml())
    made.operator(Operator(name="rh", host=HOST, sender=RECIPIENT, username=RECIPIENT, role="master"))
    return made


@pytest.fixture
def watch(repository: Repository) -> Iterator[Watch]:
    started: list[Watching] = []

    def start(*arguments: str) -> Watching:
        started.append(Watching(repository, *arguments))
        return started[-1]

    yield start
    for watching in started:
        watching.close()


def test_it_follows_a_person_who_edits(repository: Repository, watch: Watch) -> None:
    watching = watch()
    assert watching.until(READY) == ["no findings in 1 operator", READY]
    repository.edit("operators/rh.yaml", "port: 587", "port: 465")
    assert watching.round_with("error[OM201]")[0] == "--- changed: operators/rh.yaml"
    good = repository.read("opsmail.toml")
    repository.write("opsmail.toml", good + "[[")
    watching.round_with("error: opsmail.toml:")
    repository.write("opsmail.toml", good)
    repository.edit("operators/rh.yaml", "port: 465", "port: 587")
    watching.round_with("no findings in 1 operator")
    code, said = watching.end(signal.SIGINT)
    assert code == 130
    assert said[-1] == "interrupted; nothing half-done is left"


def test_it_ends_when_the_system_wants_it(watch: Watch) -> None:
    watching = watch("--format", "json")
    watching.until(READY)
    assert watching.end(signal.SIGTERM)[0] == 143


@pytest.mark.skipif(sys.platform != "linux", reason="the processor's time is read from /proc")
def test_it_costs_next_to_nothing_while_nothing_changes(repository: Repository, watch: Watch) -> None:
    text = repository.read("operators/rh.yaml").replace("role: master", "role: standard")
    for number in range(1000):
        repository.write(f"operators/a/x{number}.yaml", text.replace("operator: rh", f"operator: x{number}"))
    watching = watch("--format", "concise", "--select", "OM2")
    watching.until(READY)

    def used() -> float:
        """Seconds of processor time; the kernel counts in ticks."""
        fields = Path(f"/proc/{watching.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before, began = used(), time.monotonic()
    time.sleep(3)  # what is measured is that nothing happens
    assert (used() - before) / (time.monotonic() - began) <= 0.02 + 0.01  # and a tick or two at the edges
