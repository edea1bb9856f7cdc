"""Processes and the cache: they make `check` faster, and nothing else can be seen of them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.command import COMMAND, SECONDS, Result, Shell
from tests.builders import SETTINGS, operator_text, write_files

pytestmark = pytest.mark.acceptance

FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "junit", "azure", "markdown", "html")
DAY = ("--at", "2026-06-01")
WAIVERS = "- {operator: op-000007, rule: OM104, reason: x, approved_by: ti, expires: '2026-12-31'}\n"


def _operator(number: int) -> str:
    name = f"op-{number:06}"
    address = f"{name}@empresa.com.br"
    login = {"username": address, "password": f"env://OPSMAIL_SECRET_{name.upper().replace('-', '_')}"}
    wrong = {"port": 0} if number % 30 == 7 else {}
    role = "standard" if number else "master"
    return operator_text(
        operator=name,
        role=role,
        sender={"address": address},
        server=wrong,
        authentication=login,
        name=f"Módulo {number}",
    )


class Fleet:
    """A repository with so many operators that are shared out, and a shell in which it is checked."""

    def __init__(self, folder: Path, count: int) -> None:
        self.shell = Shell(folder / "shell")
        self.root = folder / "fleet"
        self.root.mkdir()
        texts = {f"op-{number:06}": _operator(number) for number in range(count)}
        files = {
            f"operators/team-{index // 100:05}/{name}.yaml": text for index, (name, text) in enumerate(texts.items())
        }
        write_files(self.root, {**files, "opsmail.toml": SETTINGS})
        self.files = [self.root / name for name in files]

    def check(self, *arguments: str, environment: dict[str, str] | None = None) -> Result:
        return self.shell.run(("check", *DAY, *arguments), code=None, folder=self.root, environment=environment or {})

    @property
    def cache(self) -> Path:
        return self.shell.folder / "home" / ".cache" / "opsmail"

    def outputs(self, *arguments: str) -> dict[str, bytes]:
        """Return every output of one run, with its exit code."""
        folder = self.shell.folder / "out"
        folder.mkdir(exist_ok=True)
        formats = [word for name in FORMATS for word in ("--format", f"{name}:{folder / name}")]
        result = self.check(*formats, *arguments)
        return {name: (folder / name).read_bytes() for name in FORMATS} | {"": f"{result.code} {result.err}".encode()}


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path, 160)


def test_every_output_is_the_same_whatever_is_remembered(fleet: Fleet) -> None:
    def same(*arguments: str) -> dict[str, bytes]:
        plain = fleet.outputs("--no-cache", "--jobs", "1", *arguments)
        for more in (("--no-cache", "--jobs", "3"), (), ("--jobs", "2")):
            assert fleet.outputs(*more, *arguments) == plain, more
        return plain

    outputs = [same()]
    assert len(list(fleet.cache.iterdir())) == 2
    text = fleet.files[11].read_text("utf-8")
    fleet.files[11].write_text(text.replace("port: 587", "port: 588"), "utf-8")
    outputs.append(same())
    (fleet.root / "waivers.yaml").write_text(WAIVERS, "utf-8")
    outputs += [same(), same("--at", "2027-06-01")]
    settings = fleet.root / "opsmail.toml"
    settings.write_text(settings.read_text("utf-8").replace("587/starttls", "465/implicit-tls"), "utf-8")
    outputs += [same(), same("operators/team-00001")]
    (fleet.root / "operators").rename(fleet.root / "moved")
    settings.write_text(settings.read_text("utf-8").replace('"operators"', '"moved"', 1), "utf-8")
    outputs.append(same())
    assert len({output["json"] for output in outputs}) == len(outputs)


def test_a_damaged_cache_is_as_none(fleet: Fleet) -> None:
    plain = fleet.check("--no-cache")
    assert not fleet.cache.exists()
    fleet.check()
    for file in fleet.cache.iterdir():
        file.write_bytes(file.read_bytes()[:-1] + b"\0")
    for _ in range(2):
        assert fleet.check().out == plain.out


@pytest.mark.parametrize("environment", [{"HOME": ""}, {"HOME": "/proc"}, {"XDG_CACHE_HOME": "/dev/null"}])
def test_where_nothing_can_be_kept_nothing_is_and_nothing_is_said(fleet: Fleet, environment: dict[str, str]) -> None:
    plain = fleet.check("--no-cache")
    for _ in range(2):
        result = fleet.check(environment=environment)
        assert (result.code, result.out, result.err) == (plain.code, plain.out, plain.err)
    assert not fleet.cache.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("to_all", [False, True])
def test_a_stopped_check_ends_at_once_with_all_its_processes(
    tmp_path: Path, number: signal.Signals, code: int, to_all: bool
) -> None:
    fleet = Fleet(tmp_path, 4000)
    process = subprocess.Popen(
        [*COMMAND, "check", "--no-cache", "--jobs", "2"],
        cwd=fleet.root,
        env=fleet.shell.environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        children = _children(process)
        began = time.monotonic()
        if to_all:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        said, _ = process.communicate(timeout=SECONDS)
        assert time.monotonic() - began < 5  # a second, and what a busy machine adds
    finally:
        process.kill()
        process.wait()
    assert process.returncode == code, said.decode()
    assert said.count(b"nothing half-done is left") == 1
    assert b"Traceback" not in said
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_process_costs_only_its_work(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, 4000)
    plain = fleet.check("--no-cache", "--jobs", "1")
    process = subprocess.Popen(
        [*COMMAND, "check", *DAY, "--no-cache", "--jobs", "2"],
        cwd=fleet.root,
        env=fleet.shell.environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.kill(_children(process)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out.decode(), err.decode()) == (plain.code, plain.out, plain.err)


def _children(process: "subprocess.Popen[bytes]") -> list[int]:
    """Return the two processes that work is shared out to, once there are two."""
    deadline = time.monotonic() + SECONDS
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while True:
        children = [int(number) for number in listed.read_text().split()]
        if len(children) == 2:
            return children
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.001)  # there is no event to wait for
