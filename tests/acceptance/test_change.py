"""Judging a change as a pull request's pipeline does, and adopting opsmail on an old fleet: the installed command."""

import json
from pathlib import Path

import pytest

from tests.acceptance.command import Result
from tests.acceptance.repository import Operator, Repository, Server

pytestmark = pytest.mark.acceptance

APPROVED = Server(host="smtp.empresa.test", ca=None)
ATTACKER = Server(host="smtp.atacante.test", ca=None)
RECIPIENT = "teste@empresa.test"


def sending(name: str, role: str = "standard", host: str = APPROVED.host) -> Operator:
    """An old operator: its sender is not its account, which is worth a warning."""
    return Operator(name=name, host=host, sender="ti@empresa.test", username=f"{name}@empresa.test", role=role)


@pytest.fixture
def old(repository: Repository) -> Repository:
    """Two operators on the branch `main`, and a change on a branch of its own that has not begun."""
    repository.settings(APPROVED, recipient=RECIPIENT)
    repository.operator(sending("agendador", role="master"))
    repository.operator(sending("rh"))
    repository.commit("Como era")
    repository.git("checkout", "--quiet", "-b", "mudança")
    return repository


def told(result: Result) -> list[tuple[str, str, str, int]]:
    """Return rule, severity, file and line of each finding that counts."""
    return [
        (finding["rule"], finding["severity"], finding["file"], finding["start"]["line"])
        for finding in result.json()["findings"]
        if finding["waived"] is None
    ]


def line(repository: Repository, text: str) -> int:
    """Return the number of a line of `opsmail.toml`."""
    return repository.read("opsmail.toml").splitlines().index(text) + 1


@pytest.mark.case("W-02")
def test_the_main_attack_in_one_pull_request(old: Repository) -> None:
    """The server becomes the attacker's, and the same change approves it and waives what is left."""
    old.settings(APPROVED, ATTACKER, recipient=RECIPIENT, more='[policy]\nprofile = "minimal"\nignore = ["OM2"]\n')
    old.edit("operators/rh.yaml", "host: smtp.empresa.test", "host: smtp.atacante.test")
    old.write(
        "waivers.yaml",
        "- {operator: rh, rule: OM502, reason: x, approved_by: eu, expires: '2026-12-31'}\n"
        "- {operator: rh, rule: OM209, reason: x, approved_by: eu, expires: '2026-12-31'}\n",
    )
    old.commit("Ajuste de rotina")
    options = ("check", "--at", "2026-06-01", "--base", "main", "--new-only", "--format", "json")
    result = old.run(*options, code=1)
    assert told(result) == [
        ("OM209", "error", "operators/rh.yaml", 7),
        ("OM806", "warning", "operators/rh.yaml", 7),
        ("OM805", "warning", "opsmail.toml", line(old, 'host = "smtp.atacante.test"')),
        ("OM805", "warning", "opsmail.toml", line(old, 'profile = "minimal"')),
        ("OM805", "warning", "opsmail.toml", line(old, 'ignore = ["OM2"]')),
        ("OM804", "note", "waivers.yaml", 1),
        ("OM801", "error", "waivers.yaml", 2),
        ("OM804", "note", "waivers.yaml", 2),
    ]
    assert "operators are judged by those of main" in result.err
    # By its own settings the change excuses itself.
    assert ("OM806", "warning", "operators/rh.yaml", 7) not in told(old.run("check", "--format", "json", code=None))


def test_an_innocent_pull_request_is_quiet(old: Repository) -> None:
    old.edit("operators/rh.yaml", "version: 1\n", "# responsável: RH\nversion: 1\nname: Recursos Humanos\n")
    (old.root / "operators/sp").mkdir()
    old.git("mv", "operators/agendador.yaml", "operators/sp/agendador.yaml")
    old.commit("Nome")
    result = old.run("check", "--base", "main", "--new-only", "--fail-on", "warning")
    assert result.out == "no findings in 2 operators (2 not new)\n"
    assert result.err == ""


def test_git_is_asked_without_the_environment_and_runs_nothing(old: Repository) -> None:
    old.shell.git_calls.unlink(missing_ok=True)
    old.run("check", "--base", "main", "--new-only", environment={"OPSMAIL_CANARY": "c4n4rio"})
    calls = old.shell.git_calls.read_text("utf-8")
    assert "c4n4rio" not in calls
    commands = {line.rpartition("-c ")[2].split(" ")[1] for line in calls.splitlines() if line.startswith("argv: -c")}
    assert commands == {"rev-parse", "ls-tree", "cat-file"}


def test_a_shallow_clone_says_what_to_fetch(old: Repository, tmp_path: Path) -> None:
    first = old.git("rev-list", "--max-parents=0", "HEAD")
    old.edit("operators/rh.yaml", "port: 587", "port: 465")
    old.commit("Mais um")
    old.git("clone", "--quiet", "--depth", "1", f"file://{old.root}", str(tmp_path / "shallow"))
    result = old.run("check", "--base", first, code=2, folder=tmp_path / "shallow")
    assert result.out == ""
    assert result.err.count("\n") == 2
    assert "fetch-depth: 0" in result.err


def test_adopting_an_old_fleet_step_by_step(old: Repository) -> None:
    assert "2 findings written to known.json" in old.run("check", "--write-baseline", "--baseline", "known.json").err
    old.commit("Conhecidos")
    check = ("check", "--baseline", "known.json", "--fail-on", "warning")
    assert old.run(*check).out == "no findings in 2 operators (2 in the baseline)\n"

    # What is new counts, the same mistake of somebody else included.
    old.operator(sending("dp"))
    assert "1 warning in 1 of 3 operators (2 in the baseline)" in old.run(*check, code=1).out
    assert "1 finding is not in known.json" in old.run("check", "--write-baseline", "--baseline", "known.json").err
    (old.root / "operators/dp.yaml").unlink()

    # What is corrected is told, taken out, and does not come back.
    old.edit("operators/rh.yaml", "address: ti@empresa.test", "address: rh@empresa.test")
    assert "1 finding of known.json is gone" in old.run(*check).err
    old.run("check", "--write-baseline", "--baseline", "known.json")
    known = json.loads(old.read("known.json"))
    assert known == {
        "schema": "opsmail/baseline/v1",
        "findings": [{"rule": "OM502", "operator": "agendador", "path": "sender.address"}],
    }
    old.edit("operators/rh.yaml", "address: rh@empresa.test", "address: ti@empresa.test")
    assert "1 warning in 1 of 2 operators (1 in the baseline)" in old.run(*check, code=1).out
