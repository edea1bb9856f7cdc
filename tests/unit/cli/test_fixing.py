"""`opsmail check --fix`, `--unsafe-fixes` and `--diff`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opsmail.check.fixing import rounds
from opsmail.cli.face import run
from tests.builders import SETTINGS, edited, operator_text, write_files

GOOD = operator_text()
SAFE = edited("port: 587", 'port: "587"  # porta')
UNSAFE = edited("port: 587", "prot: 587")
WAIVER = "- {operator: rh, rule: OM502, reason: alias, approved_by: ti@empresa.com.br, expires: '2026-12-31'}\n"


class Check:
    """Runs the command in a repository of one operator, and keeps what it said."""

    def __init__(self, root: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capfd = capfd
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        code = run(["check", "--at", "2026-06-01", *arguments])
        self.out, self.err = self._capfd.readouterr()
        return code

    def write(self, text: str, name: str = "operators/rh.yaml") -> None:
        write_files(self.root, {name: text})

    def read(self, name: str = "operators/rh.yaml") -> str:
        return (self.root / name).read_text("utf-8")


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Check:
    write_files(tmp_path, {"opsmail.toml": SETTINGS, "operators/rh.yaml": GOOD})
    monkeypatch.chdir(tmp_path)
    return Check(tmp_path, capfd)


class TestFix:
    def test_a_safe_fix(self, check: Check) -> None:
        check.write(SAFE)
        assert check("--fix") == 0
        assert check.read() == edited("port: 587", "port: 587  # porta")
        assert check.out == "no findings in 1 operator\n"
        assert check.err == "fixed 1 finding in 1 file\n"
        assert check("--fix") == 0
        assert check.err == "fixed 0 findings in 0 files\n"

    def test_an_unsafe_one_only_with_the_option(self, check: Check) -> None:
        check.write(UNSAFE)
        assert check("--fix") == 1
        assert check.read() == UNSAFE
        assert "error[OM101]" in check.out
        assert check("--fix", "--unsafe-fixes") == 0
        assert check.read() == GOOD

    def test_the_option_alone_writes_nothing(self, check: Check) -> None:
        check.write(UNSAFE)
        assert check("--unsafe-fixes") == 1
        assert check.read() == UNSAFE
        assert check.err == "`--unsafe-fixes` changes nothing by itself: add `--fix`, or `--diff` to look first\n"

    def test_what_is_left_is_reported(self, check: Check) -> None:
        check.write(edited("port: 587", "port: '587'", edited("role: master", "role: master\nnome: x")))
        assert check("--fix", "--format", "json") == 1
        document = json.loads(check.out)
        assert [finding["rule"] for finding in document["findings"]] == ["OM101"]
        assert document["findings"][0]["start"]["line"] == 4
        assert check.err == "fixed 1 finding in 1 file\n"

    def test_a_waiver_goes(self, check: Check) -> None:
        check.write(f"# TI\n\n{WAIVER}", "waivers.yaml")
        assert check("--fix") == 0
        assert check.read("waivers.yaml") == "# TI\n"
        assert check.out == "no findings in 1 operator\n"

    def test_a_waiver_that_another_environment_may_need_goes_only_as_an_unsafe_fix(self, check: Check) -> None:
        check.write(f"{SETTINGS}[environments.production.live]\ntimeout_seconds = 20\n", "opsmail.toml")
        check.write(WAIVER, "waivers.yaml")
        assert check("--fix") == 0
        assert check.read("waivers.yaml") == WAIVER
        check("--fix", "--unsafe-fixes")
        assert check.read("waivers.yaml") == ""

    def test_nothing_goes_for_a_part_of_the_fleet_or_without_waivers(self, check: Check) -> None:
        check.write(WAIVER, "waivers.yaml")
        assert check("--fix", "operators/rh.yaml") == 0
        assert check("--fix", "--no-waivers") == 0
        assert check.read("waivers.yaml") == WAIVER

    def test_only_files_that_are_named(self, check: Check) -> None:
        for name in ("ti", "x"):
            check.write(edited("operator: rh", f"operator: {name}", SAFE), f"operators/{name}.yaml")
        check("--fix", "operators/ti.yaml", "--fail-on", "never")
        assert '"587"' not in check.read("operators/ti.yaml")
        assert '"587"' in check.read("operators/x.yaml")

    def test_from_another_folder(self, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
        check.write(SAFE)
        monkeypatch.chdir(check.root / "operators")
        assert check("--fix", "rh.yaml") == 0
        assert '"587"' not in check.read()

    def test_a_file_that_cannot_be_written_is_named_and_the_others_are_fixed(self, check: Check) -> None:
        for name in ("ti", "x", "y"):
            check.write(edited("operator: rh", f"operator: {name}", SAFE), f"operators/{name}.yaml")
        for name in ("ti", "y"):
            (check.root / f"operators/{name}.yaml").chmod(0o444)
        assert check("--fix", "operators/ti.yaml", "operators/x.yaml", "operators/y.yaml") == 4
        assert check.out == ""
        assert "fixed 1 finding in 1 file\n" in check.err
        for name in ("ti", "y"):
            assert f"error: operators/{name}.yaml cannot be written: it is read-only\n" in check.err
            assert '"587"' in check.read(f"operators/{name}.yaml")
        assert '"587"' not in check.read("operators/x.yaml")

    def test_more_than_one_run_can_do(self, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rounds, "MAX_ROUNDS", 1)
        check.write(edited("port: 587", "port: '587'").replace("starttls", "ssl"))
        assert check("--fix") == 1
        assert check.err == "fixed 1 finding in 1 file\nmore can be fixed: run the command again\n"
        assert check("--fix") == 0


class TestDiff:
    def test_it_is_shown_and_nothing_is_written(self, check: Check) -> None:
        check.write(SAFE)
        assert check("--diff") == 1
        assert check.read() == SAFE
        assert check.out.startswith("--- operators/rh.yaml\n+++ operators/rh.yaml\n@@ -5,7 +5,7 @@\n")
        assert '\n-  port: "587"  # …\n+  port: 587  # …\n' in check.out
        assert check.err == "would fix 1 finding in 1 file\n"

    def test_it_wins_over_fix(self, check: Check) -> None:
        check.write(UNSAFE)
        assert check("--diff", "--fix", "--unsafe-fixes") == 1
        assert check.read() == UNSAFE
        assert "\n-  prot: ****\n+  port: ****\n" in check.out

    def test_nothing_to_show(self, check: Check) -> None:
        assert check("--diff") == 0
        assert (check.out, check.err) == ("", "would fix 0 findings in 0 files\n")

    def test_the_exit_code_tells_of_changes_and_of_findings(self, check: Check) -> None:
        check.write(WAIVER, "waivers.yaml")  # a warning
        assert check() == 0
        assert check("--diff") == 1
        assert check("--diff", "--fail-on", "never") == 0
        check.write("[]\n", "waivers.yaml")
        check.write(UNSAFE)
        assert check("--diff") == 1
        assert check.out == ""

    def test_findings_go_to_a_file_or_nowhere(self, check: Check) -> None:
        check.write(SAFE)
        assert check("--diff", "--format", "json:out.json") == 1
        assert [finding["rule"] for finding in json.loads(check.read("out.json"))["findings"]] == ["OM103"]
        assert check("--diff", "--format", "json") == 2
        assert check.out == ""
        assert "the findings cannot go there too" in check.err

    def test_in_colour(self, check: Check) -> None:
        check.write(SAFE)
        check("--diff", "--color", "always")
        assert "\x1b[32m+  port: 587  # …\x1b[0m\n" in check.out


def test_the_text_says_what_can_be_fixed(check: Check) -> None:
    check.write(edited("port: 587", 'port: "587"', edited("role: master", "role: master\nenabld: true\nname: 1")))
    check()
    assert check.out.endswith(
        "\n\n`opsmail check --fix` fixes 2, with `--unsafe-fixes` 1 more\n3 errors in 1 of 1 operator (3 fixable)\n"
    )
    check.write(SAFE)
    check()
    assert "\n`opsmail check --fix` fixes 1\n" in check.out
    check.write(UNSAFE)
    check()
    assert "\n`opsmail check --fix --unsafe-fixes` fixes 1\n" in check.out
