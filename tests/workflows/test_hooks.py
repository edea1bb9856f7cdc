"""The hooks for pre-commit: those that others use from here, and those that `opsmail init` writes."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsmail.scaffold.templates import template
from tests.acceptance.repository import Operator, Repository
from tests.workflows.generated import ROOT

pytestmark = pytest.mark.acceptance

HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
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


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_it_lets_through_what_is_right_and_stops_what_is_not(hook: dict[str, Any], tmp_path: Path) -> None:
    """Run as pre-commit runs it: the entry, and the files of the commit where it wants them."""
    repository = Repository.make(tmp_path)
    master = Operator(
        name="rh", host="smtp.empresa.example", sender="a@b.example", username="a@b.example", role="master"
    )
    repository.operator(master)
    program, *arguments = shlex.split(hook["entry"])
    assert program == "opsmail"
    files = [] if hook.get("pass_filenames") is False else ["operators/rh.yaml"]
    repository.run(*arguments, *files)
    repository.edit("operators/rh.yaml", "port: 587", "port: 465")
    assert "error[OM201]" in repository.run(*arguments, *files, code=1).out
