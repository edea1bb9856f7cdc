"""Publishers, each in a process of its own that starts with all modules loaded."""

from __future__ import annotations

import contextlib
import io
import os
import re
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from opsmail.cli.face import run
from tests.conformance.publishing import Place
from tests.reliability.pipeline import Pipeline
from tests.reliability.violation import ViolationError

#: What a publish takes at most, before the loop gives up on it.
SECONDS = 60
_PUBLISHED = re.compile(r"^published generation (\d+) ", re.MULTILINE)


@dataclass(frozen=True)
class Ended:
    """A publish that has ended.

    Args:
        version: of the commit that it published, or tried to.
        code: its exit code; negative for the signal that ended it.
        said: everything that it wrote on the screen.
    """

    version: int
    code: int
    said: str

    @property
    def acknowledged(self) -> int | None:
        """The generation that it said was published; None where it said none."""
        found = _PUBLISHED.search(self.said)
        return int(found[1]) if found else None

    @property
    def succeeded(self) -> bool:
        """Whether it gave its word that the version is published, by its exit code or on the screen."""
        return self.code == 0 or self.acknowledged is not None


@dataclass(frozen=True)
class Publisher:
    """A publish at work.

    Args:
        process: its id.
        version: of the commit that it publishes.
        output: the file with what it says.
    """

    process: int
    version: int
    output: Path

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; it is still there, or has not been waited for."""
        os.kill(self.process, number)

    def has_ended(self) -> bool:
        """Tell whether it has ended; `wait` still has to follow."""
        return os.waitid(os.P_PID, self.process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def wait(self, seconds: float = SECONDS) -> Ended:
        """Wait until it ends, and kill it when it does not.

        Raises:
            ViolationError: it hangs.
        """
        ended = self._waited(seconds)
        if not ended:
            self.signal(signal.SIGKILL)
        _, status = os.waitpid(self.process, 0)
        said = self.output.read_text("utf-8", "replace")
        self.output.unlink()
        if not ended:
            raise ViolationError(f"the publish of version {self.version} hung: {said}")
        return Ended(self.version, os.waitstatus_to_exitcode(status), said)

    def _waited(self, seconds: float) -> bool:
        descriptor = os.pidfd_open(self.process)
        try:
            return bool(select.select([descriptor], [], [], seconds)[0])
        finally:
            os.close(descriptor)


def load() -> None:
    """Load what a publish needs, here and once, by a publish of its own."""
    inherited = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), redirect_stderr(io.StringIO()):
        pipeline = Pipeline.make(Path(folder), Place(f"sqlite:///{folder}/store.db"), 1)
        os.environ.update(pipeline.variables)
        try:
            with contextlib.chdir(pipeline.root):
                code = run(["publish", "--yes", "--commit", "HEAD"])
        finally:
            os.environ.clear()
            os.environ.update(inherited)
    assert code == 0


def start(pipeline: Pipeline, version: int, *, prepare: Callable[[], object] = int) -> Publisher:
    """Start a publish of a version.

    Args:
        pipeline: where.
        version: the number of the commit.
        prepare: called in the new process before it begins.
    """
    output = pipeline.root.parent / f"said-{version}-{time.monotonic_ns()}"
    output.touch()
    child = os.fork()
    if not child:
        _publish(pipeline, version, output, prepare)
    return Publisher(child, version, output)


def _publish(pipeline: Pipeline, version: int, output: Path, prepare: Callable[[], object]) -> NoReturn:
    """Be the command; nothing of the parent's runs on in the fork."""
    code = 99
    try:
        said = os.open(output, os.O_WRONLY | os.O_APPEND)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.close(said)
        path = os.environ["PATH"]
        os.environ.clear()
        os.environ.update(pipeline.variables, PATH=path)
        os.chdir(pipeline.root)
        prepare()
        code = run(["publish", "--yes", "--commit", pipeline.commits[version - 1]])
    except BaseException:  # noqa: BLE001 - as above
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(code)
