"""`opsmail rule`: pages, the list of rules, and what is told when there is no such rule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opsmail.check.pages import LIVE_SECTIONS, SECTIONS, Section, load_page, sections_of
from opsmail.check.rules import all_rules
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.face import run
from opsmail.mail.rules import LIVE_RULES

RULES = {**all_rules(), **LIVE_RULES}


@pytest.fixture
def rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)
    for name in ("OPSMAIL_CONFIG", "OPSMAIL_ENVIRONMENT", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPSMAIL_LANG", "en")
    return Command(capfd)


class Command:
    """Runs the command in this process."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured

    def __call__(self, *arguments: str) -> str:
        assert run(["rule", *arguments]) == ExitCode.DONE
        out, err = self._captured.readouterr()
        assert err == ""
        return out

    def refused(self, *arguments: str) -> str:
        assert run(["rule", *arguments]) == ExitCode.USAGE
        out, err = self._captured.readouterr()
        assert out == ""
        return err


@pytest.mark.parametrize("spelling", ["OM201", "om201", "port-encryption-mismatch"])
def test_a_rule_is_found_by_id_and_name(rule: Command, spelling: str) -> None:
    text = rule(spelling)
    assert text.startswith("OM201 port-encryption-mismatch\nSeverity: error.\n")
    assert [line for line in text.splitlines() if line in SECTIONS] == list(SECTIONS)
    assert "      port: 465\n      #     ^^^ 465 is the implicit-TLS port\n" in text
    assert "<https" not in text
    assert "```" not in text


def test_a_rule_of_live_tests_has_its_page_too(rule: Command) -> None:
    text = rule("smtp-auth-disabled-tenant")
    assert text.startswith("OM915 smtp-auth-disabled-tenant\nSeverity: error.\n")
    assert [line for line in text.splitlines() if line in {*SECTIONS, *LIVE_SECTIONS}] == list(LIVE_SECTIONS)
    assert "    change: authentication.type\n" in text


def test_prose_is_wrapped_and_examples_are_not(rule: Command) -> None:
    text = rule("OM403")
    prose = [line for line in text.splitlines() if not line.startswith("    ") and "https://" not in line]
    assert max(len(line) for line in prose) <= 88
    assert "\n- Microsoft 365: 31 December 2026. " in text
    assert "\n  (`policy.deprecation_notice_days`" in text


def test_colour_is_an_option(rule: Command) -> None:
    assert "\x1b[" not in rule("OM201")
    assert "\x1b[1mOM201 port-encryption-mismatch\x1b[0m" in rule("OM201", "--color", "always")
    assert "OM201  \x1b[31merror  \x1b[0m  port-encryption-mismatch\n" in rule("--color", "always")


def test_markdown_is_the_page_as_it_is_written(rule: Command) -> None:
    assert rule("OM201", "--format", "markdown") == load_page("OM201").markdown


def test_json_of_one_rule_is_an_object(rule: Command) -> None:
    document = json.loads(rule("OM303", "--format", "json"))
    page = load_page("OM303")
    assert {name: value for name, value in document.items() if name != "sections"} == {
        "id": "OM303",
        "name": "microsoft-needs-tls12",
        "severity": "error",
        "unwaivable": True,
        "ruleset": 1,
        "url": "https://opsmail.readthedocs.io/rules/OM303/",
    }
    assert list(document["sections"]) == [Section(title, "").key for title in SECTIONS]
    assert document["sections"]["bad_example"] == page.section("Bad example").text


def test_json_of_all_is_a_list_with_every_page(rule: Command) -> None:
    documents = json.loads(rule("--all", "--format", "json"))
    assert [document["id"] for document in documents] == list(RULES)
    assert all(len(document["sections"]) == len(sections_of(document["id"])) for document in documents)


def test_all_pages_one_after_the_other(rule: Command) -> None:
    text = rule("--all")
    markdown = rule("--all", "--format", "markdown")
    for meta in RULES.values():
        assert f"{meta.id} {meta.name}\nSeverity: {meta.severity.label}." in text
        assert f"# {meta.id} {meta.name}\n" in markdown


def test_without_a_rule_all_are_listed(rule: Command) -> None:
    lines = rule().splitlines()
    assert len(lines) == len(RULES)
    assert "OM202  warning  nonstandard-port" in lines
    assert "| OM202 | nonstandard-port | warning |" in rule("--format", "markdown").splitlines()
    documents = json.loads(rule("--format", "json"))
    assert [document["id"] for document in documents] == list(RULES)
    assert all("sections" not in document for document in documents)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("OM2O2", "did you mean OM202 (nonstandard-port)?"),
        ("port-encription-mismatch", "did you mean OM201 (port-encryption-mismatch)?"),
        ("xyz", "hint: `opsmail rule` lists all of them"),
        ("../OM201", "did you mean OM201"),
    ],
)
def test_an_unknown_rule_is_wrong_usage_with_the_nearest_one(rule: Command, text: str, hint: str) -> None:
    told = rule.refused(text)
    assert f"there is no rule `{text}`" in told
    assert hint in told


def test_one_rule_and_all_rules_do_not_go_together(rule: Command) -> None:
    assert "--all and OM201 do not go together" in rule.refused("OM201", "--all")
