"""`opsmail settings`: what holds, and why."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from opsmail.cli.face import run
from opsmail.settings.model import Gate, ServerEntry
from tests.builders import SETTINGS, write_files

OVERLAY = '\n[environments.production]\nstore.url = "sqlite:///b.db"\n'
Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def overlay(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(repository, {"opsmail.toml": SETTINGS + OVERLAY})
    monkeypatch.delenv("OPSMAIL_ENVIRONMENT", raising=False)
    monkeypatch.delenv("OPSMAIL_CONFIG", raising=False)


def origins(said: Said, *arguments: str) -> dict[str, Any]:
    assert run(["settings", "--format", "json", *arguments]) == 0
    return {item["path"]: item for item in json.loads(said.readouterr().out)["settings"]}


def test_everything_in_text(capfd: Said, repository: Path) -> None:
    assert run(["settings", "--color", "never"]) == 0
    told = capfd.readouterr()
    lines = told.out.splitlines()
    assert lines[0].startswith(f'config = "{repository}/opsmail.toml"')
    assert lines[1].split("#") == [lines[1].partition("#")[0], " default"]
    assert any(line.startswith('servers.0.host = "smtp.empresa.com.br"') for line in lines)
    assert told.err == ""


def test_what_was_decided_before_the_file_was_read(
    capfd: Said, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = origins(capfd)
    assert (found["environment"]["value"], found["environment"]["origin"]["kind"]) == ("default", "default")
    found = origins(capfd, "--env", "production")
    assert found["environment"]["origin"] == {"kind": "option", "name": "--env", "line": None, "environment": None}
    assert found["store.url"]["value"] == "sqlite:///b.db"
    assert found["store.url"]["origin"]["environment"] == "production"
    monkeypatch.setenv("OPSMAIL_ENVIRONMENT", "production")
    monkeypatch.setenv("OPSMAIL_CONFIG", str(repository / "opsmail.toml"))
    found = origins(capfd)
    assert found["environment"]["origin"]["name"] == "OPSMAIL_ENVIRONMENT"
    assert found["config"]["origin"] == {
        "kind": "variable", "name": "OPSMAIL_CONFIG", "line": None, "environment": None
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "first", "count"),
    [
        ("gate", "gate.require", len(fields(Gate))),
        ("gate.max_age", "gate.max_age", 1),
        ("servers", "servers.0.host", len(fields(ServerEntry))),
        ("servers.0", "servers.0.host", len(fields(ServerEntry))),
        ("environment", "environment", 1),
    ],
)
def test_a_part(capfd: Said, path: str, first: str, count: int) -> None:
    found = origins(capfd, path)
    assert next(iter(found)) == first
    assert len(found) == count


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("gat", "did you mean `gate`?"),
        ("store.ulr", "did you mean `store.url`?"),
        ("servers.1", "did you mean `servers.0`?"),
        ("qqqqqqqq", "`opsmail settings` shows all of them"),
        ("", "`opsmail settings` shows all of them"),
    ],
)
def test_what_is_no_setting(capfd: Said, path: str, hint: str) -> None:
    assert run(["settings", path]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err == f"error: there is no setting `{path}`\nhint: {hint}\n"


def test_wrong_settings_are_told_as_ever(capfd: Said, repository: Path) -> None:
    write_files(repository, {"opsmail.toml": "[polcy]\n"})
    assert run(["settings"]) == 2
    assert capfd.readouterr().err.startswith(
        "error: opsmail.toml:1: unknown field `polcy`\nhint: did you mean `policy`?"
    )


def test_without_a_file(capfd: Said, repository: Path) -> None:
    (repository / "opsmail.toml").unlink()
    assert run(["settings", "servers"]) == 0
    told = capfd.readouterr()
    assert told.out == "servers = (not set)  # default\n"
    assert told.err == "there is no opsmail.toml, so the defaults hold\n"
