"""A new repository is right from the start, whatever it is asked for."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from opsmail.cli.face import run
from opsmail.errors import UsageError
from opsmail.providers import load_providers
from opsmail.scaffold import templates
from opsmail.scaffold.examples import OWN_SERVER, USUAL
from opsmail.scaffold.pipelines import SYSTEMS, gitlab_component
from opsmail.scaffold.repository import Plan, repository_files
from tests.builders import write_files

PROVIDERS = load_providers()
IDS = (*(provider.id for provider in PROVIDERS.all), OWN_SERVER)
SCHEMAS = {"operator.schema.json": "{}\n", "settings.schema.json": "{}\n"}


def made(*providers: str, ci: str = "github") -> dict[str, str]:
    return repository_files(Plan(providers, ci, "9.8.7"), PROVIDERS, SCHEMAS)


def check(folder: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> int:
    write_files(folder, files)
    monkeypatch.chdir(folder)
    return run(["check", "--no-cache", "--fail-on", "warning", "--env", "production"])


@pytest.mark.parametrize("provider", IDS)
def test_the_check_finds_nothing_whatever_the_provider(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check(tmp_path, made(provider), monkeypatch) == 0


@pytest.mark.parametrize("providers", [USUAL, IDS, (*USUAL, *USUAL), tuple(reversed(IDS))], ids=len)
def test_the_check_finds_nothing_with_several(
    providers: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = made(*providers)
    assert check(tmp_path, files, monkeypatch) == 0
    servers = tomllib.loads(files["opsmail.toml"])["servers"]
    assert len(servers) == len(set(providers))
    logins = {login for server in servers for login in server["authentication"]}
    operators = [yaml.safe_load(text) for path, text in files.items() if path.startswith("operators/")]
    assert {operator["authentication"]["type"] for operator in operators} == logins
    assert [operator["role"] for operator in operators] == ["master", "standard"][: len(operators)]


def test_no_entry_approves_port_25_or_a_connection_in_clear() -> None:
    servers = tomllib.loads(made(*IDS)["opsmail.toml"])["servers"]
    pairs = [pair for server in servers for pair in server["connections"]]
    assert [pair for pair in pairs if pair.startswith("25/") or pair.endswith("/none")] == []


def test_a_provider_that_is_not_known() -> None:
    with pytest.raises(UsageError, match="there is no provider `gmial`") as wrong:
        made("gmial")
    assert str(wrong.value.hint) == "did you mean `gmail`?"
    with pytest.raises(UsageError) as wrong:
        made("zzz")
    assert str(wrong.value.hint).startswith("known: microsoft-365, ")


@pytest.mark.parametrize("ci", SYSTEMS)
def test_each_ci_system_has_its_files_and_their_owner(ci: str) -> None:
    files = made(*USUAL, ci=ci)
    own = SYSTEMS[ci][1]
    others = {path for system, (_, paths) in SYSTEMS.items() for path in paths if system != ci}
    assert set(own) <= set(files)
    assert not others & set(files)
    owned = [line.split()[0] for line in files["CODEOWNERS"].splitlines() if line.startswith("/")]
    assert [path for path in (*own, "opsmail.toml", "waivers.yaml") if not covered(path, owned)] == []
    assert all(f"`{path}`" in files["README.md"] for path in own)
    assert all("opsmail==9.8.7" in files[path] for path in own)


def covered(path: str, owned: list[str]) -> bool:
    return any(f"/{path}".startswith(owner) if owner.endswith("/") else f"/{path}" == owner for owner in owned)


@pytest.mark.parametrize("ci", SYSTEMS)
def test_every_file_is_of_its_format(ci: str) -> None:
    files = made(*USUAL, ci=ci)
    for path, text in files.items():
        assert text.endswith("\n"), path
        assert not text.endswith("\n\n"), path
        assert not re.search(r"[ \t]+$", text, re.MULTILINE), path
        assert "%%" not in text, path
        if path.endswith(".json"):
            json.loads(text)
        if path.endswith((".yml", ".yaml")):
            yaml.safe_load(text)


def test_secrets_of_the_operators_reach_the_test() -> None:
    for ci, written in (("github", "X: ${{ secrets.X }}"), ("azure", "X: $(X)")):
        deploy = made(*USUAL, ci=ci)[SYSTEMS[ci][1][-1]]
        for name in ("OPSMAIL_SECRET_EXAMPLE_MODERN", "OPSMAIL_SECRET_EXAMPLE_BASIC"):
            assert written.replace("X", name) in deploy


def test_editors_find_the_schemas() -> None:
    files = made(*USUAL)
    settings = json.loads(files[".vscode/settings.json"])
    schemas = {*settings["yaml.schemas"], *settings["evenBetterToml.schema.associations"].values()}
    assert {path.removeprefix("./") for path in schemas} <= set(files)
    (pattern,) = settings["evenBetterToml.schema.associations"]
    assert re.fullmatch(pattern, "/home/ana/mail/opsmail.toml")
    assert files["opsmail.toml"].startswith("#:schema ./schemas/settings.schema.json\n")


def test_every_template_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[Path] = set()
    original = Path.read_text

    def noted(path: Path, *arguments: str) -> str:
        read.add(path)
        return original(path, *arguments)

    monkeypatch.setattr(Path, "read_text", noted)
    for ci in SYSTEMS:
        made(*USUAL, ci=ci)
    gitlab_component()
    assert {path for path in templates._FOLDER.rglob("*") if path.is_file()} == read
