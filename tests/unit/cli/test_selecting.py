"""`check --select`, `--ignore`, `--profile`, and the figures of `--statistics`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opsmail.cli.selecting import PROFILES
from opsmail.settings.model import Profile
from tests.builders import SETTINGS, edited, operator_text, write_files
from tests.unit.cli.running import Check

WARNED = operator_text(sender={"address": "ti@empresa.com.br"}, server={"port": 465})
WAIVER = "- {operator: rh, rule: OM502, reason: alias, approved_by: ti@empresa.com.br, expires: '2026-12-31'}\n"


@pytest.fixture(autouse=True)
def wrong(repository: Path) -> None:
    """An error and a warning in one file."""
    write_files(repository, {"operators/rh.yaml": WARNED})


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        ("", ["OM502", "OM201"]),
        ("--select OM2", ["OM201"]),
        ("--select om502", ["OM502"]),
        ("--select OM502,OM2", ["OM502", "OM201"]),
        ("--select OM502 --select OM201", ["OM502", "OM201"]),
        ("--select OM3", []),
        ("--select OM --ignore OM2", ["OM502", "OM209"]),  # what OM201 would have said is not lost
        ("--ignore OM502", ["OM201"]),
        ("--ignore OM5,OM201", ["OM209"]),
        ("--profile minimal", ["OM201"]),
    ],
)
def test_which_findings_are_told(check: Check, line: str, rules: list[str]) -> None:
    assert check.rules(*line.split()) == rules


def test_a_profile_changes_severities(check: Check) -> None:
    found = check.json("--profile", "strict", "--select", "OM5")["findings"]
    assert [(item["rule"], item["severity"]) for item in found] == [("OM502", "error")]


def test_the_settings_profile_is_overridden(check: Check, repository: Path) -> None:
    write_files(repository, {"opsmail.toml": f'{SETTINGS}\n[policy]\nprofile = "minimal"\n'})
    assert check.rules() == ["OM201"]
    assert check.rules("--profile", "recommended") == ["OM502", "OM201"]


def test_a_selection_is_said_to_be_a_part(check: Check) -> None:
    assert check("--select", "OM2") == 1
    assert check.err == "partial: only findings of OM2 are told\n"
    assert check("--ignore", "OM5") == 1
    assert check.err == "unwaivable, and so not ignored: OM504\n"


def test_files_that_the_selected_rules_could_not_look_at_are_counted(check: Check, repository: Path) -> None:
    write_files(repository, {"operators/rh.yaml": edited("port: 587", "prot: 587"), "operators/x.yaml": "a: ["})
    assert check.rules("--select", "OM5") == ["OM002"]
    assert check.err == (
        "partial: only findings of OM5 are told\n"
        "2 files are not valid operators, so not all of these rules looked at them\n"
    )


def test_what_reading_finds_in_a_readable_file_is_a_finding_like_others(check: Check, repository: Path) -> None:
    write_files(repository, {"operators/rh.yaml": f"\ufeff{operator_text()}"})
    assert check.rules() == ["OM006"]
    assert check.rules("--select", "OM5") == []


@pytest.mark.parametrize(
    ("line", "sentence", "hint"),
    [
        ("--select OM998", "there is no rule `OM998`", "OM"),
        ("--ignore sender-difers", "there is no rule `sender-difers`", "did you mean OM502 (sender-differs)?"),
        ("--ignore zzzzzzzzzz", "there is no rule `zzzzzzzzzz`", "`opsmail rule` lists all of them"),
        ("--select ,", "--select names no rule", "`--select OM201`"),
        ("--ignore OM601", "OM601 cannot be ignored, because it is unwaivable", "`opsmail rule OM601`"),
        ("--ignore OM80", "OM80 cannot be ignored, because it is unwaivable", "`opsmail rule OM801`"),
        ("--select OM201 --ignore OM2", "--ignore leaves nothing of what --select names", "part of these"),
        ("--profile lax", "Invalid value for '--profile'", "see `opsmail check --help`"),
    ],
)
def test_what_cannot_be_selected_or_ignored(check: Check, line: str, sentence: str, hint: str) -> None:
    assert check(*line.split()) == 2
    assert check.out == ""
    first, second = check.err.splitlines()
    assert first.startswith(f"error: {sentence}")
    assert second.startswith("hint: ")
    assert hint in second


def test_what_the_settings_make_unwaivable_cannot_be_ignored(check: Check, repository: Path) -> None:
    write_files(repository, {"opsmail.toml": f'{SETTINGS}\n[policy]\nunwaivable = ["OM502"]\n'})
    assert check("--ignore", "OM502") == 2
    assert check.rules("--ignore", "OM50") == ["OM502", "OM201"]
    assert check.err == "unwaivable, and so not ignored: OM502, OM504\n"


def test_rules_of_the_organisation_are_rules_too(check: Check, repository: Path) -> None:
    pytest.importorskip("cel_expr_python")
    rule = '[[rules]]\nid = "ORG001"\nmessage = "no"\nrequire = "false"\nat = "server.host"\n'
    write_files(repository, {"opsmail.toml": f"{SETTINGS}\n{rule}"})
    assert check.rules("--select", "ORG") == ["ORG001"]
    assert check.rules("--ignore", "ORG001") == ["OM502", "OM201"]
    assert check("--select", "ORG002") == 2


def test_a_part_of_the_rules_neither_uses_nor_makes_memories(check: Check) -> None:
    assert check.rules() == ["OM502", "OM201"]
    assert check.rules("--select", "OM5") == ["OM502"]
    assert check.rules() == ["OM502", "OM201"]


def test_the_profiles_are_those_of_the_settings() -> None:
    assert set(PROFILES) == {profile.value for profile in Profile}


def test_a_waiver_is_not_unused_because_its_rule_is_passed_over(check: Check, repository: Path) -> None:
    write_files(repository, {"waivers.yaml": WAIVER})
    for line in ("--select OM8", "--ignore OM502", "--profile minimal"):
        assert "OM803" not in check.rules(*line.split()), line
    write_files(repository, {"operators/rh.yaml": operator_text()})
    assert check.rules("--select", "OM5,OM8") == ["OM803"]


class TestStatistics:
    def test_a_line_for_each_rule_the_most_frequent_first(self, check: Check, repository: Path) -> None:
        sections = {"role": "standard", "sender": {"address": "ti@empresa.com.br"}, "server": {"port": 465}}
        write_files(repository, {"operators/ti.yaml": operator_text(operator="ti", **sections)})
        assert check("--statistics") == 1
        assert check.out.splitlines() == [
            "2  OM201  error    port-encryption-mismatch  (2 fixable)",
            "2  OM502  warning  sender-differs",
            "1  OM604  error    secret-not-for-server",
            "",
            "3 errors, 2 warnings in 2 of 2 operators (2 fixable)",
        ]

    def test_of_nothing(self, check: Check) -> None:
        assert check("--statistics", "--select", "OM3") == 0
        assert check.out == "no findings in 1 operator\n"

    def test_as_json(self, check: Check) -> None:
        assert check.json("--statistics") == {
            "schema": "opsmail/statistics/v1",
            "rules": [
                {"rule": "OM201", "name": "port-encryption-mismatch", "severity": "error", "count": 1, "fixable": 1},
                {"rule": "OM502", "name": "sender-differs", "severity": "warning", "count": 1, "fixable": 0},
            ],
        }

    def test_a_file_gets_the_findings_all_the_same(self, check: Check, repository: Path) -> None:
        assert check("--statistics", "--format", "json:out.json") == 1
        assert check.out.startswith("1  OM201  error")
        assert len(json.loads((repository / "out.json").read_text("utf-8"))["findings"]) == 2

    def test_waived_findings_are_not_counted(self, check: Check, repository: Path) -> None:
        write_files(repository, {"waivers.yaml": WAIVER})
        check("--statistics")
        assert "OM502" not in check.out
        assert "(1 waived, 1 fixable)" in check.out

    def test_the_difference_needs_standard_output_for_itself(self, check: Check) -> None:
        assert check("--statistics", "--diff") == 2
        assert check.err.startswith("error: --statistics and --diff both go to standard output\nhint: ")

    def test_in_another_format(self, check: Check) -> None:
        assert check("--statistics", "--format", "sarif") == 2
        assert check.err == "error: --statistics has no format `sarif`\nhint: known: text, json\n"
