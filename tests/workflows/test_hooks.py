"""The hooks for pre-commit: those that others use from here, and those that `opsmail init` writes."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsmail.scaffold.templates import template
from tests.acceptance.command import COMMAND, SECONDS
from tests.acceptance.repository import Repository
from tests.workflows.generated import ROOT

pytestmark = pytest.mark.acceptance

HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
NAMES = [hook["name"] for hook in HOOKS]
#: What a commit changes, and which hooks look at it.
CHANGES = {
    "operators/rh.yaml": ["opsmail-check", "opsmail-check-all"],
    "operators/sp/rh.yaml": ["opsmail-check", "opsmail-check-all"],
    "opsmail.toml": ["opsmail-check-all"],
    "waivers.yaml": ["opsmail-check-all"],
    "ca/empresa.pem": ["opsmail-check-all"],
    "README.md": [],
    "docs/operators/rh.yaml": [],
    "old/opsmail.toml": [],
}


def test_a_new_repository_has_the_same_hooks_but_for_how_they_are_installed() -> None:
    (local,) = yaml.safe_load(template("pre-commit-config.yaml", requirement="opsmail"))["repos"]
    assert local["hooks"] == [
        {**{name: item for name, item in hook.items() if name != "description"}, "language": "system"} for hook in HOOKS
    ]


@pytest.mark.parametrize("file", CHANGES)
def test_a_hook_looks_at_what_concerns_it(file: str) -> None:
    assert [hook["id"] for hook in HOOKS if re.search(hook["files"], file)] == CHANGES[file]


def pre_commit(repository: Repository, *arguments: str, code: int = 0) -> str:
    """Run pre-commit with the opsmail of these tests on its PATH; return what it said."""
    program = repository.shell.folder / "bin" / "opsmail"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n', "utf-8")
    program.chmod(0o755)
    home = {"PRE_COMMIT_HOME": str(repository.shell.folder / "pre-commit"), "PRE_COMMIT_COLOR": "never"}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pre_commit", *arguments],
        cwd=repository.root,
        env=repository.shell.environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A new repository, all of it staged."""
    made = Repository.make(tmp_path)
    (made.root / ".gitignore").unlink()
    made.run("init", "--provider", "own-server")
    made.git("add", "--all")
    return made


def outcomes(said: str) -> list[str]:
    """Return what became of each hook, in their order."""
    names = "|".join(map(re.escape, NAMES))
    return re.findall(rf"^(?:{names})\.+.*?(Passed|Failed|Skipped)$", said, re.MULTILINE)


def test_pre_commit_takes_what_others_use_from_here(repository: Repository) -> None:
    pre_commit(repository, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml"))
    pre_commit(repository, "validate-config")


def test_pre_commit_lets_through_what_is_right_and_stops_what_is_not(repository: Repository) -> None:
    assert outcomes(pre_commit(repository, "run")) == ["Passed", "Passed"]
    repository.edit("operators/example-basic.yaml", "port: 587", "port: 465")
    repository.git("add", "--all")
    said = pre_commit(repository, "run", code=1)
    assert outcomes(said) == ["Failed", "Failed"]
    assert said.count("error[OM201]") == len(NAMES)


def test_pre_commit_runs_what_concerns_the_change(repository: Repository) -> None:
    repository.commit()
    repository.edit("opsmail.toml", "smtp.example.com", "smtp2.example.com")
    repository.git("add", "--all")
    said = pre_commit(repository, "run", code=1)
    assert outcomes(said) == ["Skipped", "Failed"]
    assert "error[OM209]" in said
