"""The command is installed under its name, and is the same as `python -m opsmail`."""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from tests.acceptance.command import Shell

pytestmark = pytest.mark.acceptance


def test_the_script_is_the_module(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "shell")
    module = shell.run(("--version",), code=0, folder=tmp_path, environment={})
    try:
        installed = version("opsmail")
    except PackageNotFoundError:
        if os.environ.get("CI") == "true":
            pytest.fail("opsmail is not installed here, only found on PYTHONPATH")
        pytest.skip("opsmail is not installed here, only found on PYTHONPATH")
    assert module.out == f"opsmail {installed}\n"
    script = Path(sys.executable).with_name("opsmail")
    done = subprocess.run(
        [script, "--version"], env=shell.environment({}), cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout.decode() == module.out


def test_without_a_command_the_commands_are_listed(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "shell")
    shown = shell.run(("--help",), code=0, folder=tmp_path, environment={}).out
    for command in ("check", "test", "plan", "publish", "history", "show", "keygen", "evidence", "rule", "demo"):
        assert f"\n  {command} " in shown
