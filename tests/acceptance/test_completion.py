"""The Tab key, in real shells that have the line of `docs/completion.md`."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.command import SECONDS, Shell
from tests.acceptance.terminal import Terminal
from tests.docs.test_texts import blocks
from tests.servers.fixtures import skip_or_fail
from tests.servers.processes import UnavailableError, find_program

PAGE = Path(__file__).parents[2] / "docs" / "completion.md"

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not PAGE.is_file(), reason="not a checkout: the documents are not here"),
]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A shell's environment in which `opsmail` is what is being tested."""
    shell = Shell(tmp_path / "shell")
    shell.install()
    return shell.environment({"PS1": "> "})


def line_for(shell: str) -> str:
    """Return the line of the page for a shell; skip where that is not installed, fail there with CI=true."""
    try:
        find_program(shell, package=shell)
    except UnavailableError as reason:
        skip_or_fail(reason, os.environ)
    (block,) = blocks(PAGE.read_text("utf-8"), shell)
    comment, line = block.splitlines()
    assert comment.startswith("# ~/.")
    return line


@pytest.mark.parametrize(
    ("shell", "options", "before"),
    [
        ("bash", ("--norc", "--noprofile", "-i"), "true"),
        ("zsh", ("-f", "-i"), "autoload -U compinit && compinit -D -u"),
    ],
)
def test_it_completes(
    shell: str, options: tuple[str, ...], before: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    line = line_for(shell)
    terminal = Terminal(*options, folder=tmp_path, environment=environment, program=(shell,))
    terminal.type(f"{before} && {line} && echo rea''dy")
    terminal.until("ready")
    terminal.press("opsmail evi\t")
    terminal.until("opsmail evidence ")
    terminal.press("ver\t")
    terminal.until("verify ")
    terminal.press("\x15opsmail check --fail-on wa\t")  # Ctrl-U: away with what is there
    terminal.until("--fail-on warning ")
    terminal.press("\x15")
    terminal.type("exit")
    terminal.end()


def test_fish_completes(tmp_path: Path, environment: dict[str, str]) -> None:
    asked = "complete --do-complete 'opsmail evi'; complete --do-complete 'opsmail check --fail-on wa'"
    done = subprocess.run(
        ["fish", "--no-config", "--command", f"{line_for('fish')}; {asked}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["evidence", "warning"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_ends_well(shell: str, tmp_path: Path) -> None:
    variables = {"_OPSMAIL_COMPLETE": f"{shell}_source"}
    said = Shell(tmp_path).run((), code=0, folder=tmp_path, environment=variables)
    assert "_opsmail_completion" in said.out
