"""`check --diff` and `check --fix` with the installed command: a fleet with mistakes becomes a clean one."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.command import COMMAND
from tests.acceptance.fleets import at_relay
from tests.acceptance.repository import Repository, Server

pytestmark = pytest.mark.acceptance

HOST = "smtp.empresa.test"
MISTAKES = {
    "agendador": [("port: 587", 'port: "587"     # a porta\t da TI'), ("version: 1", "# ção 日本 😀\n\nversion: 1")],
    "faturamento": [("encryption: starttls", "encryption: 'TLS' # como no formulário"), ("port:", "prot  :")],
    "rh-notificacoes": [(f"host: {HOST}", f"host: smtps://{HOST}:587/   # host"), ("env://", "evn://")],
}
WAIVER = """\
- operator: agendador
  rule: OM502
  reason: alias
  approved_by: ti@empresa.test
  expires: 2099-01-01
"""


@pytest.fixture
def fleet(repository: Repository) -> Repository:
    """Three operators, each with two mistakes, and a waiver that covers nothing and lasts too long to be one."""
    repository.settings(Server(host=HOST, ca=None), recipient="teste@empresa.test")
    for name, mistakes in MISTAKES.items():
        operator = at_relay(name, "master" if name == "agendador" else "standard")
        repository.operator(operator, f"S3nh&-de-{name}")
        repository.edit(f"operators/{name}.yaml", f"host: {operator.host}", f"host: {HOST}")
        for old, new in mistakes:
            repository.edit(f"operators/{name}.yaml", old, new)
    path = repository.root / "operators/faturamento.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    path.chmod(0o640)
    day = "2026-12-31"
    entry = WAIVER.replace("2099-01-01", day)
    repository.write("waivers.yaml", f"# Dispensas da TI\n\n# do agendador\n{entry}")
    return repository


def contents(repository: Repository) -> dict[str, bytes]:
    files = [*(repository.root / "operators").iterdir(), repository.root / "waivers.yaml"]
    return {path.name: path.read_bytes() for path in files}


def test_diff_then_fix_then_clean(fleet: Repository) -> None:
    before = contents(fleet)
    checked = fleet.run("check", "--at", "2026-06-01", code=1)
    assert "`opsmail check --fix` fixes 4, with `--unsafe-fixes` 2 more\n" in checked.out
    shown = fleet.run("check", "--at", "2026-06-01", "--diff", "--unsafe-fixes", code=1)
    assert contents(fleet) == before
    assert '-  port: "587"     # …\n+  port: 587     # …\n' in shown.out
    assert "- operator: agendador\n" in shown.out
    assert "porta" not in shown.out

    fixed = fleet.run("check", "--at", "2026-06-01", "--fix", "--unsafe-fixes")
    assert fixed.err == "fixed 7 findings in 4 files\n"
    assert fixed.out == "no findings in 3 operators\n"
    assert contents(fleet) == {
        "agendador.yaml": before["agendador.yaml"].replace(b'"587"', b"587"),
        "faturamento.yaml": before["faturamento.yaml"]
        .removeprefix(b"\xef\xbb\xbf")
        .replace(b"prot  :", b"port  :")
        .replace(b"'TLS'", b"'starttls'"),
        "rh-notificacoes.yaml": before["rh-notificacoes.yaml"]
        .replace(f"smtps://{HOST}:587/".encode(), HOST.encode())
        .replace(b"evn://", b"env://"),
        "waivers.yaml": b"# Dispensas da TI\n",
    }
    assert (fleet.root / "operators/faturamento.yaml").stat().st_mode & 0o777 == 0o640

    after = contents(fleet)
    assert fleet.run("check", "--at", "2026-06-01", "--fix", "--unsafe-fixes").err == "fixed 0 findings in 0 files\n"
    assert contents(fleet) == after


def test_a_file_that_is_read_only_is_named(fleet: Repository) -> None:
    path = fleet.root / "operators/agendador.yaml"
    path.chmod(0o444)
    before = path.read_bytes()
    result = fleet.run("check", "--at", "2026-06-01", "--fix", code=4)
    assert "error: operators/agendador.yaml cannot be written: it is read-only\n" in result.err
    assert path.read_bytes() == before


SLOW = """\
import os, sys, time
from opsmail.source import replacing
real = os.fsync

def fsync(descriptor):
    real(descriptor)
    sys.stdout.write("written\\n")
    sys.stdout.flush()
    time.sleep(60)

os.fsync = fsync
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_command_that_is_killed_leaves_every_file_whole(fleet: Repository, number: int, tmp_path: Path) -> None:
    """It is stopped at the worst moment: the new content is written, and has not taken the old one's place."""
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "sitecustomize.py").write_text(SLOW, "utf-8")
    before = contents(fleet)
    path = str(tmp_path / "slow")
    environment = fleet.shell.environment(
        {"PYTHONPATH": os.pathsep.join(filter(None, (path, os.environ.get("PYTHONPATH"))))}
    )
    with subprocess.Popen(
        [*COMMAND, "check", "--fix"], cwd=fleet.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.send_signal(number)
        assert process.wait(timeout=30) != 0
    after = contents(fleet)
    assert {name: after[name] for name in before} == before
    if number != signal.SIGKILL:
        assert after == before
