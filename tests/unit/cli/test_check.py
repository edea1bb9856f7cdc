"""`opsmail check`: options, exit codes, what is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsmail.check.memory import Memory
from tests.builders import SETTINGS, edited, operator_text, write_files
from tests.published import read_json
from tests.unit.cli.running import Check

WARNED = operator_text(sender={"address": "ti@empresa.com.br"})
WAIVER = "- {operator: rh, rule: OM502, reason: alias, approved_by: ti@empresa.com.br, expires: '2026-12-31'}\n"


@pytest.mark.usefixtures("repository")
class TestVerdict:
    def test_nothing_wrong(self, check: Check) -> None:
        assert check() == 0
        assert check.out == "no findings in 1 operator\n"
        assert check.err == ""

    def test_an_error(self, repository: Path, check: Check) -> None:
        write_files(repository, {"operators/rh.yaml": edited("port: 587", "port: 465")})
        assert check() == 1
        assert check.out.endswith("1 error in 1 of 1 operator (1 fixable)\n")

    @pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 1), ("never", 0)])
    def test_what_it_fails_on(self, repository: Path, check: Check, fail_on: str, code: int) -> None:
        write_files(repository, {"operators/rh.yaml": WARNED})
        assert check("--fail-on", fail_on) == code
        assert "1 warning" in check.out

    def test_never_means_errors_too(self, repository: Path, check: Check) -> None:
        write_files(repository, {"operators/rh.yaml": "a: ["})
        assert check("--fail-on", "never") == 0

    def test_waivers(self, repository: Path, check: Check) -> None:
        write_files(repository, {"operators/rh.yaml": WARNED, "waivers.yaml": WAIVER})
        assert check("--fail-on", "warning") == 0
        assert check.out.endswith("no findings in 1 operator (1 waived)\n")
        assert check("--fail-on", "warning", "--no-waivers") == 1
        assert check("--fail-on", "warning", "--at", "2027-01-01") == 1

    def test_the_day_may_be_another(self, check: Check, repository: Path) -> None:
        write_files(repository, {"operators/rh.yaml": WARNED, "waivers.yaml": WAIVER})
        assert check.rules("--at", "2027-01-01") == ["OM502", "OM802"]


class TestWhatIsLookedAt:
    @pytest.fixture(autouse=True)
    def fleet(self, repository: Path) -> None:
        """Another operator, and no master."""
        write_files(
            repository,
            {
                "operators/rh.yaml": operator_text(role="standard"),
                "operators/a/ti.yaml": operator_text(
                    operator="ti",
                    role="standard",
                    sender={"address": "ti@empresa.com.br"},
                    authentication={"username": "ti@empresa.com.br", "password": "env://OPSMAIL_SECRET_TI"},
                ),
                "other/x.yaml": "a: [",
            },
        )

    @pytest.mark.parametrize("paths", [(), ("operators",), (".",), ("..",), ("operators/", "operators/rh.yaml")])
    def test_the_whole_fleet_lacks_a_master(self, check: Check, paths: tuple[str, ...]) -> None:
        assert check.rules(*paths) == ["OM701"]

    @pytest.mark.parametrize(
        "paths", [("operators/rh.yaml",), ("operators/a",), ("operators/a/ti.yaml", "operators/a")]
    )
    def test_a_part_of_it_does_not(self, check: Check, paths: tuple[str, ...]) -> None:
        assert check.json(*paths)["summary"]["files"] == 1
        assert check.rules(*paths) == []

    def test_whatever_is_named(self, check: Check) -> None:
        assert check.rules("other") == ["OM002"]
        assert check.rules("other/x.yaml", "operators/rh.yaml") == ["OM002"]
        assert check.rules("nowhere.yaml") == ["OM001"]

    def test_from_a_folder_below(self, check: Check, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(repository / "operators")
        assert check.rules() == ["OM701"]
        document = check.json("a/ti.yaml", "../other/x.yaml")
        assert [finding["file"] for finding in document["findings"]] == ["other/x.yaml"]

    def test_by_its_settings(self, check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir("/")
        assert check.rules("--config", str(tmp_path / "opsmail.toml")) == ["OM701"]


class TestRepositories:
    def test_without_settings(self, repository: Path, check: Check) -> None:
        (repository / "opsmail.toml").unlink()
        assert check() == 0
        assert check.err == "there is no opsmail.toml, so servers are not compared with a catalogue\n"

    def test_without_operators(self, repository: Path, check: Check) -> None:
        (repository / "operators/rh.yaml").unlink()
        assert check() == 0
        assert check.out == "no findings in 0 operators\n"
        assert check.err == "no operator file to check\n"

    def test_without_the_folder(self, repository: Path, check: Check) -> None:
        (repository / "operators/rh.yaml").unlink()
        (repository / "operators").rmdir()
        assert check() == 2
        assert check.out == ""
        assert check.err.startswith("error: there is no folder `operators` in ")

    def test_of_another_environment(self, repository: Path, check: Check) -> None:
        text = '[[environments.production.servers]]\nhost = "other.com.br"\nconnections = []\nauthentication = []\n'
        with (repository / "opsmail.toml").open("a", encoding="utf-8") as file:
            file.write(text)
        assert check.rules() == []
        assert check.rules("--env", "production") == ["OM209"]


class TestOutputs:
    def test_several_in_one_run(self, repository: Path, check: Check) -> None:
        assert check("--format", "text", "--format", "json:out.json") == 0
        assert check.out == "no findings in 1 operator\n"
        assert read_json((repository / "out.json").read_text("utf-8"))["summary"]["operators"] == 1

    def test_a_file_has_no_colours(self, repository: Path, check: Check) -> None:
        write_files(repository, {"operators/rh.yaml": "a: ["})
        check("--color", "always", "--format", "text:out.txt", "--format", "json")
        assert "\x1b" not in (repository / "out.txt").read_text("utf-8")
        check("--color", "always")
        assert "\x1b[1;31merror[OM002]" in check.out


@pytest.mark.usefixtures("repository")
def test_a_settings_file_that_is_not_there(check: Check) -> None:
    assert check("--config", "nowhere.toml") == 2
    assert "there is no settings file nowhere.toml" in check.err


@pytest.mark.usefixtures("repository")
def test_where_nothing_can_be_kept(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    assert check() == 0
    assert check.err == ""


def test_what_was_found_by_settings_that_changed_meanwhile_is_not_remembered(
    repository: Path, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    def somebody_writes(*_arguments: object) -> None:
        write_files(repository, {"opsmail.toml": f"# for now\n{SETTINGS}"})

    monkeypatch.setattr(Memory, "recall", somebody_writes)
    kept: list[Memory] = []
    monkeypatch.setattr(Memory, "keep_rows", lambda memory, *_rest: kept.append(memory))
    monkeypatch.setattr(Memory, "keep_result", lambda memory, *_rest: kept.append(memory))
    assert check() == 0
    assert kept == []
    assert check() == 0  # now they are what they were when it began
    assert len(kept) == 2


def test_the_folder_that_it_runs_in_is_gone(tmp_path: Path, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert check() == 2
    assert "the folder that opsmail runs in is gone" in check.err
    assert "change to a folder that exists" in check.err
