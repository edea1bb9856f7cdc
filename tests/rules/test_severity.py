"""Profiles, rulesets and the policy's own choices: how much a finding matters."""

from __future__ import annotations

import pytest

from opsmail.check.severity import Judge
from opsmail.findings import RuleMeta, Severity
from opsmail.settings.load import load_settings
from opsmail.settings.model import Policy
from tests.rules.checking import Repository

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
FIXED = RuleMeta("OM209", "server-not-approved", ERROR, unwaivable=True)
NEWER = RuleMeta("OM299", "made-up", ERROR, unwaivable=True, ruleset=2)


def rule(severity: Severity) -> RuleMeta:
    return RuleMeta("OM502", "sender-differs", severity)


def judge(policy: str = "") -> Judge:
    return Judge(load_settings(Repository({"opsmail.toml": f"[policy]\n{policy}".encode()})).file.policy)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("recommended", [ERROR, WARNING, NOTE]),
        ("strict", [ERROR, ERROR, WARNING]),
        ("minimal", [ERROR, None, None]),
    ],
)
def test_profiles(profile: str, expected: list[Severity | None]) -> None:
    chosen = judge(f'profile = "{profile}"')
    assert [chosen.severity(rule(severity)) for severity in (ERROR, WARNING, NOTE)] == expected
    assert [chosen.severity(rule(ERROR), severity) for severity in (ERROR, WARNING, NOTE)] == expected


@pytest.mark.parametrize("profile", ["strict", "minimal"])
def test_what_the_policy_says_of_a_rule_beats_the_profile(profile: str) -> None:
    chosen = judge(f'profile = "{profile}"\nseverity = {{OM502 = "note"}}')
    assert chosen.severity(rule(WARNING)) is NOTE


def test_an_unwaivable_rule_is_told_under_each_profile_and_never_lowered() -> None:
    warning = RuleMeta("OM803", "unused-waiver", WARNING, unwaivable=True)
    assert judge('profile = "minimal"').severity(warning) is WARNING
    assert judge('profile = "strict"').severity(warning) is ERROR
    lowered = judge('severity = {OM209 = "note", OM803 = "error"}\nignore = ["OM209", "OM8"]')
    assert lowered.severity(FIXED) is ERROR
    assert lowered.severity(warning) is ERROR
    assert lowered.is_unwaivable(FIXED)


def test_the_organisation_adds_unwaivable_rules() -> None:
    chosen = judge('unwaivable = ["OM5"]\nignore = ["OM502"]')
    assert chosen.is_unwaivable(rule(WARNING))
    assert chosen.severity(rule(WARNING)) is WARNING


def test_ignored_rules_are_not_told() -> None:
    assert judge('ignore = ["OM5"]').severity(rule(ERROR)) is None
    assert judge('ignore = ["OM5"]').severity(rule(ERROR), NOTE) is None


def test_rules_newer_than_the_ruleset_are_notes_until_it_is_raised() -> None:
    assert judge().severity(NEWER) is NOTE
    assert not judge().is_unwaivable(NEWER)
    assert judge('profile = "strict"').severity(NEWER) is NOTE
    assert judge('profile = "minimal"').severity(NEWER) is NOTE
    assert judge('ignore = ["OM299"]').severity(NEWER) is None
    assert judge('severity = {OM299 = "warning"}').severity(NEWER) is WARNING
    raised = judge('ruleset = "2"')
    assert raised.severity(NEWER) is ERROR
    assert raised.is_unwaivable(NEWER)


def test_without_settings_it_is_the_recommended_profile() -> None:
    assert Judge(Policy()).severity(rule(WARNING)) is WARNING
