"""A test send that somebody stops: it ends at once, says so, and leaves nothing half-done."""

import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.acceptance.command import COMMAND, SECONDS
from tests.acceptance.fleets import RECIPIENT
from tests.acceptance.repository import Operator, Repository, Server
from tests.acceptance.sink import Sink, listening

pytestmark = pytest.mark.acceptance


@pytest.fixture
def silent() -> Iterator[Sink]:
    with listening() as sink:
        yield sink


@pytest.mark.case("L-01", "L-02")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_test_ends_at_once(repository: Repository, silent: Sink, number: signal.Signals, code: int) -> None:
    repository.settings(Server(host="mudo.empresa.test", address=silent.address, ca=None), recipient=RECIPIENT)
    address = "rh@empresa.test"
    operator = Operator(name="rh", role="master", host="mudo.empresa.test", sender=address, username=address)
    repository.operator(operator, "S3nh&-do-rh")
    repository.commit()
    process = subprocess.Popen(
        [*COMMAND, "test"],
        cwd=repository.root,
        env=repository.shell.environment(repository.secrets),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    deadline = time.monotonic() + SECONDS
    while not silent.connections:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)  # the sink only counts
    began = time.monotonic()
    process.send_signal(number)
    said, _ = process.communicate(timeout=SECONDS)
    assert time.monotonic() - began < 5  # a second, and what a busy machine adds
    repository.shell.said.append(said)
    assert process.returncode == code, said.decode()
    assert b"nothing half-done is left" in said
    assert b"Traceback" not in said
    assert repository.evidence() == []
