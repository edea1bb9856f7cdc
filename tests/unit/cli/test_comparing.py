"""`opsmail check` beside a revision, by a revision's settings, and with a baseline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.checkout import HOST, Checkout, Said

OTHER = '[[servers]]\nhost = "other.empresa.test"\nconnections = ["587/starttls"]\nauthentication = ["basic"]\n'
WAIVER = "- {operator: chefe, rule: OM502, reason: alias, approved_by: ti, expires: '2026-12-31'}\n"
DAY = ("--at", "2026-06-01")
BASELINE = "opsmail-baseline.json"


@pytest.fixture
def fleet(checkout: Checkout) -> Checkout:
    """A commit with a master, whose sender is not its account (OM502), and another operator."""
    checkout.settings()
    checkout.operator("chefe", role="master")
    checkout.operator("rh")
    checkout.edit("operators/chefe.yaml", "address: chefe@", "address: ti@")
    checkout.commit()
    return checkout


def said(checkout: Checkout, *arguments: str, code: int = 0) -> Said:
    return checkout.run("check", *DAY, *arguments, code=code)


def told(checkout: Checkout, *arguments: str, code: int = 0) -> list[tuple[str, str]]:
    """Return rule and operator (or file) of each finding that counts."""
    document = said(checkout, *arguments, "--format", "json", code=code).json()
    return [
        (finding["rule"], finding["operator"] or finding["file"])
        for finding in document["findings"]
        if finding["waived"] is None
    ]


class TestBase:
    def test_without_a_change_all_is_as_it_was(self, fleet: Checkout) -> None:
        assert told(fleet, "--base", "HEAD") == [("OM502", "chefe")]
        assert said(fleet, "--base", "HEAD").err == ""

    def test_only_what_is_new(self, fleet: Checkout) -> None:
        fleet.edit("operators/chefe.yaml", "version: 1\n", "# um\n# dois\nversion: 1\n")
        fleet.edit("operators/rh.yaml", "port: 587", "port: 465")
        output = said(fleet, "--base", "HEAD", "--new-only", code=1)
        assert "OM201" in output.out
        assert "OM502" not in output.out
        assert output.out.endswith("1 error, 1 warning in 1 of 2 operators (1 fixable, 1 not new)\n")

    def test_only_what_is_new_is_fixed(self, fleet: Checkout) -> None:
        fleet.edit("operators/chefe.yaml", "port: 587", "port: '587'")
        fleet.commit()
        fleet.edit("operators/rh.yaml", "port: 587", "port: '587'")
        output = said(fleet, "--base", "HEAD", "--new-only", "--fix")
        assert output.err == "fixed 1 finding in 1 file\n"
        assert "port: 587" in (fleet.root / "operators/rh.yaml").read_text("utf-8")
        assert "port: '587'" in (fleet.root / "operators/chefe.yaml").read_text("utf-8")
        said(fleet, "--base", "HEAD", "--fix")
        assert "port: 587" in (fleet.root / "operators/chefe.yaml").read_text("utf-8")

    def test_the_waivers_that_are_fixed_are_the_changes_own(self, fleet: Checkout) -> None:
        fleet.write("waivers.yaml", WAIVER)
        fleet.commit()
        fleet.edit("operators/chefe.yaml", "address: ti@", "address: chefe@")
        fleet.write("waivers.yaml", f"# TI\n\n{WAIVER}")
        assert "OM803" in said(fleet, "--base", "HEAD").out
        said(fleet, "--base", "HEAD", "--fix")
        assert (fleet.root / "waivers.yaml").read_text("utf-8") == "# TI\n"

    def test_what_another_rule_said_before_is_not_new(self, fleet: Checkout) -> None:
        fleet.edit("operators/rh.yaml", "port: 587", "port: 465")
        fleet.commit()
        assert told(fleet, "--ignore", "OM201,OM502", code=1) == [("OM209", "rh")]
        assert told(fleet, "--ignore", "OM201", "--base", "HEAD", "--new-only") == []

    def test_an_editors_text_is_compared_too(self, fleet: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
        text = fleet.root.parent / "text"
        text.write_text(fleet.read("operators/chefe.yaml").replace("port: 587", "port: 465"), "utf-8")
        with text.open(encoding="utf-8") as file:
            monkeypatch.setattr("sys.stdin", file)
            found = told(fleet, "-", "--base", "HEAD", "--new-only", code=1)
        assert found == [("OM201", "chefe"), ("OM806", "chefe")]

    def test_what_is_ignored_is_judged_by_the_settings_that_judge(self, fleet: Checkout) -> None:
        with (fleet.root / "opsmail.toml").open("a", encoding="utf-8") as file:
            file.write('[policy]\nunwaivable = ["OM502"]\n')
        fleet.commit()
        fleet.edit("opsmail.toml", 'unwaivable = ["OM502"]', "unwaivable = []")
        assert "OM502 cannot be ignored" in said(fleet, "--ignore", "OM502", "--base", "HEAD", code=2).err

    def test_what_is_left_out_does_not_count(self, fleet: Checkout) -> None:
        assert said(fleet, "--fail-on", "warning", code=1).out.endswith("1 warning in 1 of 2 operators\n")
        output = said(fleet, "--base", "HEAD", "--new-only", "--fail-on", "warning")
        assert output.out == "no findings in 2 operators (1 not new)\n"
        summary = said(fleet, "--base", "HEAD", "--new-only", "--format", "json").json()["summary"]
        assert summary["old"] == 1
        assert "old" not in said(fleet, "--format", "json").json()["summary"]

    def test_a_file_in_another_folder_is_the_same_operator(self, fleet: Checkout) -> None:
        (fleet.root / "operators/sp").mkdir()
        (fleet.root / "operators/chefe.yaml").rename(fleet.root / "operators/sp/chefe.yaml")
        assert told(fleet, "--base", "HEAD", "--new-only") == []

    def test_one_file_is_compared_with_all_that_there_was(self, fleet: Checkout) -> None:
        assert told(fleet, "--base", "HEAD", "--new-only", "operators/chefe.yaml") == []

    def test_a_change_is_judged_by_the_settings_before_it_and_that_is_said(self, fleet: Checkout) -> None:
        commit = fleet.git("rev-parse", "HEAD")
        fleet.write("opsmail.toml", fleet.read("opsmail.toml") + OTHER)
        fleet.edit("operators/rh.yaml", f"host: {HOST}", "host: other.empresa.test")
        found = told(fleet, "--base", "HEAD", "--new-only", code=1)
        assert found == [("OM209", "rh"), ("OM806", "rh"), ("OM805", "opsmail.toml")]
        assert said(fleet, "--base", "HEAD", code=1).err == (
            f"this change touches settings or waivers: operators are judged by those of HEAD ({commit[:12]}), "
            "not by its own\n"
        )

    def test_settings_that_the_change_deletes_judge_it(self, fleet: Checkout) -> None:
        (fleet.root / "opsmail.toml").unlink()
        fleet.edit("operators/rh.yaml", f"host: {HOST}", "host: other.empresa.test")
        output = said(fleet, "--base", "HEAD", "--new-only", "--format", "json", code=1)
        rules = [finding["rule"] for finding in output.json()["findings"]]
        assert rules == ["OM209", "OM806", "OM805"]
        assert "there is no opsmail.toml" not in output.err

    def test_operators_are_looked_for_where_the_change_has_them(self, fleet: Checkout) -> None:
        (fleet.root / "operators").rename(fleet.root / "senders")
        fleet.write("opsmail.toml", 'operators = "senders"\n' + fleet.read("opsmail.toml"))
        assert told(fleet, "--base", "HEAD") == [("OM502", "chefe")]
        assert told(fleet, "--base", "HEAD", "--new-only") == []

    def test_waivers_of_the_change_do_not_count_yet(self, fleet: Checkout) -> None:
        fleet.write("waivers.yaml", WAIVER)
        assert told(fleet) == []
        assert told(fleet, "--base", "HEAD") == [("OM502", "chefe"), ("OM804", "chefe")]
        assert told(fleet, "--base", "HEAD", "--new-only") == [("OM804", "chefe")]
        fleet.commit()
        assert told(fleet, "--base", "HEAD") == []
        assert told(fleet, "--base", "HEAD", "--no-waivers") == [("OM502", "chefe")]
        assert told(fleet, "--base", "HEAD", "--no-waivers", "--new-only") == []

    def test_every_environment_is_compared(self, fleet: Checkout) -> None:
        fleet.write("opsmail.toml", fleet.read("opsmail.toml") + "[environments.production]\ngate.require = []\n")
        (finding,) = (
            item
            for item in said(fleet, "--base", "HEAD", "--format", "json").json()["findings"]
            if item["rule"] == "OM805"
        )
        assert finding["path"] == "environments.production.gate.require"
        assert "gate.require" in fleet.read("opsmail.toml").splitlines()[finding["start"]["line"] - 1]

    def test_an_environment_is_judged_by_its_settings_before(self, fleet: Checkout) -> None:
        fleet.write("opsmail.toml", fleet.read("opsmail.toml") + "[environments.production]\nservers = []\n")
        fleet.commit()
        assert [rule for rule, _ in told(fleet, "--base", "HEAD", "--env", "production", code=1)].count("OM209") == 2
        error = said(fleet, "--base", "HEAD~1", "--env", "production", code=2).err
        assert error.startswith("error: HEAD~1 (")
        assert "has no environment `production`" in error

    def test_the_first_settings_judge_themselves(self, checkout: Checkout) -> None:
        checkout.commit()
        checkout.fleet(None, "rh")
        output = said(checkout, "--base", "HEAD~1", "--env", "default")
        assert "there is no opsmail.toml in HEAD~1 (" in output.err
        assert ", so the change is judged by its own settings\n" in output.err
        checkout.edit("operators/rh.yaml", f"host: {HOST}", "host: x.empresa.test")
        assert ("OM209", "rh") in told(checkout, "--base", "HEAD~1", code=1)

    def test_a_subfolder_of_a_repository(self, fleet: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
        (fleet.root / "mail").mkdir()
        fleet.git("mv", "operators", "opsmail.toml", "keys", "ca.pem", "mail/")
        fleet.commit()
        monkeypatch.chdir(fleet.root / "mail")
        assert told(fleet, "--base", "HEAD", "--new-only") == []

    def test_a_history_of_its_own_is_compared_as_it_is(self, fleet: Checkout) -> None:
        fleet.git("checkout", "--quiet", "--orphan", "other")
        fleet.edit("operators/rh.yaml", "port: 587", "port: 465")
        fleet.commit()
        assert {rule for rule, _ in told(fleet, "--base", "main", "--new-only", code=1)} == {"OM201", "OM806"}


class TestTrust:
    def test_settings_catalogue_and_waivers_are_those_of_the_revision(self, fleet: Checkout) -> None:
        commit = fleet.git("rev-parse", "HEAD")
        fleet.write("opsmail.toml", fleet.read("opsmail.toml") + OTHER)
        fleet.write("waivers.yaml", WAIVER)
        fleet.edit("operators/rh.yaml", f"host: {HOST}", "host: other.empresa.test")
        assert told(fleet, "--trust", "HEAD", code=1) == [("OM502", "chefe"), ("OM209", "rh")]
        assert said(fleet, "--trust", "HEAD", code=1).err == f"judged by the settings of HEAD ({commit[:12]})\n"

    def test_it_beats_the_base(self, fleet: Checkout) -> None:
        fleet.write("opsmail.toml", fleet.read("opsmail.toml") + '[policy]\nignore = ["OM502"]\n')
        fleet.commit()
        assert told(fleet, "--base", "HEAD") == []
        assert told(fleet, "--base", "HEAD", "--trust", "HEAD~1") == [("OM502", "chefe")]
        assert told(fleet, "--base", "HEAD~1", "--trust", "HEAD") == [("OM805", "opsmail.toml")]

    def test_a_revision_without_settings_is_nothing_to_trust(self, checkout: Checkout) -> None:
        checkout.commit()
        checkout.fleet(None, "rh")
        error = said(checkout, "--trust", "HEAD~1", code=2).err
        assert error.startswith("error: there is no opsmail.toml in HEAD~1 (")

    def test_the_settings_of_the_change_have_to_be_right_nevertheless(self, fleet: Checkout) -> None:
        fleet.write("opsmail.toml", "what = 1\n")
        for option in ("--trust", "--base"):
            assert "opsmail.toml:1: unknown field `what`" in said(fleet, option, "HEAD", code=2).err


class TestRevisions:
    @pytest.mark.parametrize("option", ["--base", "--trust"])
    @pytest.mark.parametrize("revision", ["nope", "--upload-pack=x", "-h", "", "a b", "HEAD:operators", "x\ny"])
    def test_one_that_is_not_there(self, fleet: Checkout, option: str, revision: str) -> None:
        output = said(fleet, f"{option}={revision}", code=2)
        assert output.out == ""
        assert output.err.startswith("error: there is no commit `")
        assert "fetch-depth: 0" in output.err

    def test_one_that_a_shallow_clone_lacks(self, fleet: Checkout, tmp_path: Path) -> None:
        before = fleet.git("rev-parse", "HEAD")
        fleet.commit()
        fleet.git("clone", "--quiet", "--depth", "1", f"file://{fleet.root}", str(tmp_path / "shallow"))
        fleet.monkeypatch.chdir(tmp_path / "shallow")
        assert "fetch-depth: 0" in said(fleet, "--base", before, code=2).err
        assert told(fleet, "--base", "HEAD", "--new-only") == []

    def test_no_repository(self, fleet: Checkout) -> None:
        (fleet.root / ".git").rename(fleet.root.parent / "git")
        error = said(fleet, "--base", "main", code=2).err
        assert "is not in a git repository, so there is no revision to compare with" in error
        assert "leave out --base and --trust" in error

    def test_no_git(self, fleet: Checkout) -> None:
        options = ("check", *DAY, "--base", "HEAD")
        error = fleet.run(*options, code=4, environment={"PATH": str(fleet.root)}).err
        assert error.startswith("error: git cannot be run in ")
        assert "hint: install git" in error

    def test_settings_that_cannot_be_used(self, fleet: Checkout) -> None:
        good = fleet.read("opsmail.toml")
        fleet.write("opsmail.toml", "what = 1\n")
        fleet.commit()
        fleet.write("opsmail.toml", good)
        error = said(fleet, "--base", "HEAD", code=2).err
        assert error.startswith("error: the settings of HEAD cannot be used: opsmail.toml:1: unknown field `what`\n")
        assert "without --base and --trust" in error

    def test_new_only_needs_one(self, fleet: Checkout) -> None:
        assert "--new-only needs a revision" in said(fleet, "--new-only", code=2).err

    def test_nothing_of_either_side_is_run(self, fleet: Checkout, tmp_path: Path) -> None:
        trap, sprung = tmp_path / "trap", tmp_path / "sprung"
        trap.write_text(f"#!/bin/sh\necho >> {sprung}\n", "utf-8")
        trap.chmod(0o755)
        for name in ("core.fsmonitor", "core.pager", "diff.external", "filter.x.smudge", "filter.x.clean"):
            fleet.git("config", name, str(trap))
        fleet.write(".gitattributes", "* filter=x diff=x\n")
        fleet.write("conftest.py", f"open({str(sprung)!r}, 'w')\n")
        fleet.write("yaml.py", f"open({str(sprung)!r}, 'w')\n")
        assert told(fleet, "--base", "HEAD", "--new-only") == []
        assert not sprung.exists()


class TestBaseline:
    def written(self, fleet: Checkout, file: str = BASELINE) -> list[dict[str, Any]]:
        document = json.loads(fleet.read(file))
        assert document["schema"] == "opsmail/baseline/v1"
        findings: list[dict[str, Any]] = document["findings"]
        return findings

    def test_what_is_known_is_muted_and_counted(self, fleet: Checkout) -> None:
        fleet.edit("operators/rh.yaml", "port: 587", "port: 465")
        first = said(fleet, "--write-baseline", code=0)
        assert first.err == "2 findings written to opsmail-baseline.json\n"
        assert first.out == "no findings in 2 operators (2 in the baseline)\n"
        assert self.written(fleet) == [
            {"rule": "OM502", "operator": "chefe", "path": "sender.address"},
            {"rule": "OM201", "operator": "rh", "path": "server.port"},
        ]
        again = said(fleet, "--baseline", BASELINE, "--fail-on", "warning")
        assert (again.out, again.err) == (first.out, "")
        assert said(fleet, "--baseline", BASELINE, "--format", "json").json()["summary"]["baselined"] == 2
        assert "baselined" not in said(fleet, "--format", "json", code=1).json()["summary"]

    def test_outputs_leave_it_out(self, fleet: Checkout) -> None:
        said(fleet, "--write-baseline")
        for name in ("json", "sarif", "github", "gitlab", "junit", "azure", "markdown", "html", "concise", "text"):
            assert "the sender is not" in said(fleet, "--format", name).out
            assert "the sender is not" not in said(fleet, "--baseline", BASELINE, "--format", name).out

    def test_another_mistake_counts(self, fleet: Checkout) -> None:
        said(fleet, "--write-baseline", "--baseline", "out/known.json")
        fleet.edit("operators/rh.yaml", "port: 587", "port: 465")
        assert told(fleet, "--baseline", "out/known.json", code=1) == [("OM201", "rh")]

    def test_it_shrinks_and_never_grows(self, fleet: Checkout) -> None:
        fleet.edit("operators/rh.yaml", "port: 587", "port: 465")
        said(fleet, "--write-baseline")
        fleet.edit("operators/rh.yaml", "port: 465", "port: 587")
        fleet.edit("operators/rh.yaml", "address: rh@", "address: dp@")
        gone = said(fleet, "--baseline", BASELINE)
        assert gone.err == (
            "1 finding of opsmail-baseline.json is gone; take it out: "
            "`opsmail check --baseline opsmail-baseline.json --write-baseline`\n"
        )
        output = said(fleet, "--write-baseline")
        assert output.err == (
            "1 taken out of opsmail-baseline.json, 1 left\n"
            "1 finding is not in opsmail-baseline.json and was not added; to start over, delete the file\n"
        )
        assert output.out.endswith("1 warning in 1 of 2 operators (1 in the baseline)\n")
        assert self.written(fleet) == [{"rule": "OM502", "operator": "chefe", "path": "sender.address"}]

    def test_a_file_that_stays_is_not_written_again(self, fleet: Checkout) -> None:
        said(fleet, "--write-baseline")
        text = fleet.read(BASELINE).replace("  ", " ")
        fleet.write(BASELINE, text)
        assert said(fleet, "--write-baseline").err == "0 taken out of opsmail-baseline.json, 1 left\n"
        assert fleet.read(BASELINE) == text

    def test_of_a_part_of_the_fleet_it_is_not_known_what_is_gone(self, fleet: Checkout) -> None:
        said(fleet, "--write-baseline")
        assert said(fleet, "--baseline", BASELINE, "operators/rh.yaml").err == ""
        assert "--write-baseline is for all" in said(fleet, "--write-baseline", "operators/rh.yaml", code=2).err

    def test_nor_of_a_part_of_the_rules(self, fleet: Checkout) -> None:
        said(fleet, "--write-baseline")
        fleet.edit("operators/chefe.yaml", "address: ti@", "address: chefe@")
        gone = "1 finding of opsmail-baseline.json is gone"
        assert gone in said(fleet, "--baseline", BASELINE).err
        for line in ("--select OM2", "--ignore OM502", "--profile minimal"):
            assert gone not in said(fleet, "--baseline", BASELINE, *line.split()).err
            assert "--write-baseline is for all" in said(fleet, "--write-baseline", *line.split(), code=2).err

    def test_what_cannot_be_muted_is_not_taken_in(self, fleet: Checkout) -> None:
        fleet.edit("operators/rh.yaml", f"host: {HOST}", "host: x.empresa.test")
        said(fleet, "--write-baseline", code=1)
        assert [entry["rule"] for entry in self.written(fleet)] == ["OM502"]

    def test_nor_when_somebody_writes_it_there(self, fleet: Checkout) -> None:
        fleet.edit("operators/rh.yaml", f"host: {HOST}", "host: x.empresa.test")
        entry = {"rule": "OM209", "operator": "rh", "path": "server.host"}
        fleet.write(BASELINE, json.dumps({"schema": "opsmail/baseline/v1", "findings": [entry]}))
        output = said(fleet, "--baseline", BASELINE, code=1)
        assert "OM209" in output.out
        assert output.err == "opsmail-baseline.json cannot mute OM209: what they find counts\n"

    def test_nor_what_the_policy_adds(self, fleet: Checkout) -> None:
        said(fleet, "--write-baseline")
        fleet.write("opsmail.toml", fleet.read("opsmail.toml") + '[policy]\nunwaivable = ["OM5"]\n')
        assert told(fleet, "--baseline", BASELINE) == [("OM502", "chefe")]

    def test_beside_a_revision_only_what_its_file_has_too(self, fleet: Checkout) -> None:
        said(fleet, "--write-baseline")
        output = said(fleet, "--baseline", BASELINE, "--base", "HEAD")
        assert "OM502" in output.out
        assert output.err == "1 finding of opsmail-baseline.json is not in that of HEAD, so it counts\n"
        fleet.commit()
        assert told(fleet, "--baseline", BASELINE, "--base", "HEAD") == []
        assert told(fleet, "--baseline", BASELINE, "--trust", "HEAD") == []
        assert "--write-baseline is for all" in said(fleet, "--write-baseline", "--base", "HEAD", code=2).err

    def test_the_file_of_the_revision_has_to_be_right_too(self, fleet: Checkout) -> None:
        fleet.write(BASELINE, "[]")
        fleet.commit()
        (fleet.root / BASELINE).unlink()
        said(fleet, "--write-baseline")
        error = said(fleet, "--baseline", BASELINE, "--base", "HEAD", code=2).err
        assert error.startswith("error: in HEAD, opsmail-baseline.json is not a baseline: ")

    def test_a_file_outside_the_repository_is_nobodys_change(self, fleet: Checkout) -> None:
        said(fleet, "--write-baseline", "--baseline", "../known.json")
        assert told(fleet, "--baseline", "../known.json", "--base", "HEAD") == []

    @pytest.mark.parametrize("content", ["", "[]", '{"schema": "opsmail/findings/v1"}', "[" * 100_000])
    def test_what_is_none_is_refused(self, fleet: Checkout, content: str) -> None:
        fleet.write(BASELINE, content)
        for options in (("--baseline", BASELINE), ("--write-baseline",)):
            error = said(fleet, *options, code=2).err
            assert error.startswith("error: opsmail-baseline.json is not a baseline: ")
            assert error.count("\n") == 2
        assert fleet.read(BASELINE) == content

    def test_what_cannot_be_read_is_refused(self, fleet: Checkout) -> None:
        assert "there is no baseline nix.json" in said(fleet, "--baseline", "nix.json", code=2).err
        os.mkfifo(fleet.root / "pipe.json")
        (fleet.root / "link.json").symlink_to("/dev/zero")
        (fleet.root / "huge.json").write_bytes(b" " * (5 * 1024 * 1024))
        for name in ("pipe.json", "link.json", "huge.json", "operators"):
            assert said(fleet, "--baseline", name, code=2).err.startswith(f"error: {name} cannot be read: ")


MODULES = """
import sys
from opsmail.cli.face import run
code = run(sys.argv[1:])
print(code, *sorted(name for name in sys.modules if name.startswith("opsmail.")), file=sys.stderr)
"""
_COSTLY = {
    "opsmail.check.baseline",
    "opsmail.check.comparison",
    "opsmail.cli.baselined",
    "opsmail.cli.compared",
    "opsmail.settings.environments",
    "opsmail.settings.comparisons",
    "opsmail.settings.loosening",
    "opsmail.source.commit",
    "opsmail.source.git",
}


def loaded(fleet: Checkout, *options: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", MODULES, "check", *DAY, *options],
        cwd=fleet.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    code, *names = done.stderr.splitlines()[-1].split()
    assert code == "0"
    return set(names)


def test_who_does_not_compare_pays_nothing(fleet: Checkout) -> None:
    assert loaded(fleet) & _COSTLY == set()
    assert loaded(fleet, "--base", "HEAD", "--new-only") >= _COSTLY - {
        "opsmail.check.baseline",
        "opsmail.cli.baselined",
    }
