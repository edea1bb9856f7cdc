"""Starting a server under `supervise.py`, waiting until it answers, and stopping it."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.scratch import scratch

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel serves outgoing connections and those who ask for any port.
PORTS = range(15_000, 32_000)
START_SECONDS = 20
STOP_SECONDS = 15
LOG_TAIL_LINES = 30
SUPERVISOR = Path(__file__).with_name("supervise.py")


class UnavailableError(Exception):
    """This machine cannot run the server; the text says why, in one sentence."""


class StartError(Exception):
    """The server was started and did not become ready; the text ends with its log."""


@dataclass(frozen=True, slots=True)
class Log:
    """What a server wrote on standard output and error, readable also after its folder is gone."""

    reader: int

    def text(self) -> str:
        """Return everything written so far."""
        return os.pread(self.reader, os.fstat(self.reader).st_size, 0).decode("utf-8", "replace")

    def tail(self) -> str:
        """Return the last lines, for a failure's message."""
        return "\n".join(self.text().splitlines()[-LOG_TAIL_LINES:])


def find_program(name: str, package: str) -> Path:
    """Return the path of a server's program; raises `UnavailableError` naming the Debian package that brings it."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        raise UnavailableError(
            f"{name} is not installed (Debian package {package}; see tests/servers/install-debian.sh)."
        )
    return Path(found)


def root_prefix() -> tuple[str, ...]:
    """Return what makes a command run as root: nothing, or sudo where it asks for no password.

    Raises `UnavailableError` where neither is so.
    """
    if os.geteuid() == 0:
        return ()
    sudo = shutil.which("sudo")
    if sudo is not None:
        command = (sudo, "--non-interactive", "--")
        # In a session of its own, as the server will be: sudo may remember a password per terminal.
        asked = subprocess.run(
            [*command, "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False, start_new_session=True
        )
        if asked.returncode == 0:
            return command
    raise UnavailableError(
        "the mail servers start as root only; this is not root, and there is no sudo without a password."
    )


def unprivileged_prefix() -> tuple[str, ...]:
    """Return what makes a command run as somebody who is not root: nothing, or a change to `nobody` for root.

    Raises `UnavailableError` where that user or setpriv(1) is missing.
    """
    if os.geteuid() != 0:
        return ()
    nobody = nobody_ids()
    setpriv = find_program("setpriv", package="util-linux")
    return (str(setpriv), f"--reuid={nobody[0]}", f"--regid={nobody[1]}", "--clear-groups", "--")


def give_to_unprivileged(path: Path) -> None:
    """Make whoever `unprivileged_prefix` runs commands as the owner of `path` and what is in it."""
    if os.geteuid() == 0:
        for each in (path, *path.rglob("*")):
            os.chown(each, *nobody_ids())


def nobody_ids() -> tuple[int, int]:
    """Return the ids of the user `nobody`."""
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise UnavailableError("there is no user `nobody`, and the servers do not run as root.") from None
    return nobody.pw_uid, nobody.pw_gid


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yield a new folder that others may pass through but not list.

    Not below TMPDIR: the path of a unix socket has at most 107 bytes (unix(7)).
    """
    folder = Path(tempfile.mkdtemp(prefix="opsmail-", dir=scratch()))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        # Gone already once the supervisor ended; this is for a start that failed before.
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def free_ports(count: int, among: Sequence[int] = PORTS) -> Iterator[list[int]]:
    """Yield TCP ports of 127.0.0.1 that nothing uses and that no other copy of these fixtures gets meanwhile.

    Other copies are kept away by a name in the abstract unix namespace, which ends with this process: Postfix sets
    SO_REUSEPORT, so two of them would share a port without noticing. Raises `StartError` when too few are free.
    """
    # Not `random`: test plugins seed it alike in every process.
    candidates = iter(secrets.SystemRandom().sample(among, len(among)))
    with ExitStack() as names:
        ports: list[int] = []
        while len(ports) < count:
            port = next(candidates, None)
            if port is None:
                raise StartError(f"fewer than {count} ports are free between {min(among)} and {max(among)}.")
            name = names.enter_context(socket.socket(socket.AF_UNIX))
            try:
                name.bind(f"\0opsmail-tests-port-{port}")
                with socket.socket() as probe:
                    probe.bind((LOOPBACK, port))
            except OSError:
                continue
            ports.append(port)
        yield ports


@contextmanager
def running(folder: Path, command: list[str], is_ready: Callable[[], bool], *, as_root: bool = True) -> Iterator[Log]:
    """Run `command`, as root or as whoever runs the tests, in `folder` while the context lasts.

    It is entered once `is_ready` returns true. The folder is removed at the end. Raises `UnavailableError`, or
    `StartError` when it is not ready within 20 s.
    """
    supervisor_command = [
        *(root_prefix() if as_root else ()),
        sys.executable,
        "-I",
        str(SUPERVISOR),
        str(folder),
        *command,
    ]
    log_path = folder / "log"
    with ExitStack() as stack:
        # Opened for appending: several processes of one server write here.
        output = stack.enter_context(log_path.open("ab", buffering=0))
        reader = os.open(log_path, os.O_RDONLY | os.O_CLOEXEC)
        stack.callback(os.close, reader)
        supervisor = subprocess.Popen(
            supervisor_command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
        )
        stack.callback(_stop, supervisor)
        log = Log(reader)
        _wait_until_ready(supervisor, log, is_ready)
        yield log


def _stop(supervisor: "subprocess.Popen[bytes]") -> None:
    assert supervisor.stdin is not None
    supervisor.stdin.close()
    supervisor.wait(STOP_SECONDS)


def _wait_until_ready(supervisor: "subprocess.Popen[bytes]", log: Log, is_ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        if supervisor.poll() is not None:
            raise StartError(f"the server ended while starting:\n{log.tail()}")
        if time.monotonic() > deadline:
            raise StartError(f"the server was not ready within {START_SECONDS} s:\n{log.tail()}")
        time.sleep(0.01)  # nothing tells when a foreign program listens


def accepts_unix(path: Path) -> bool:
    """Say whether somebody listens on the unix socket at `path`."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def accepts_tcp(port: int) -> bool:
    """Say whether somebody listens on `port` of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        try:
            probe.connect((LOOPBACK, port))
        except OSError:
            return False
    return True
