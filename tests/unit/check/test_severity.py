from dataclasses import replace

import pytest

from opsmail.check.judging import JudgingOptions
from opsmail.check.severity import Judge
from opsmail.findings import RuleMeta, Severity
from opsmail.settings.model import Policy, Profile
from opsmail.settings.organisation import SeverityName

RULE = RuleMeta("OM502", "sender-differs", Severity.WARNING)
UNWAIVABLE = replace(RULE, unwaivable=True)


@pytest.mark.parametrize(
    ("policy", "proposed", "severity"),
    [
        (Policy(), None, Severity.WARNING),
        (Policy(), Severity.NOTE, Severity.NOTE),
        (Policy(), Severity.ERROR, Severity.ERROR),
        (Policy(severity={"OM502": SeverityName.ERROR}), None, Severity.ERROR),
        (Policy(severity={"OM502": SeverityName.NOTE}), Severity.ERROR, Severity.NOTE),
        (Policy(severity={"OM501": SeverityName.NOTE}), None, Severity.WARNING),
        (Policy(ignore=("OM502",)), None, None),
        (Policy(ignore=("OM5",)), Severity.ERROR, None),
        (Policy(ignore=("OM50", "OM1")), None, None),
        (Policy(ignore=("OM6",)), None, Severity.WARNING),
        (Policy(ignore=("OM5",), unwaivable=("OM502",)), None, Severity.WARNING),
        (Policy(severity={"OM502": SeverityName.NOTE}, unwaivable=("OM5",)), None, Severity.WARNING),
    ],
)
def test_of_an_ordinary_rule(policy: Policy, proposed: Severity | None, severity: Severity | None) -> None:
    assert Judge(policy).severity(RULE, proposed) is severity


@pytest.mark.parametrize(
    ("policy", "proposed", "severity"),
    [
        (Policy(ignore=("OM",)), None, Severity.WARNING),
        (Policy(severity={"OM502": SeverityName.NOTE}), None, Severity.WARNING),
        (Policy(severity={"OM502": SeverityName.ERROR}), None, Severity.ERROR),
        (Policy(severity={"OM502": SeverityName.NOTE}), Severity.ERROR, Severity.ERROR),
    ],
)
def test_an_unwaivable_one_can_be_raised_only(
    policy: Policy, proposed: Severity | None, severity: Severity | None
) -> None:
    assert Judge(policy).severity(UNWAIVABLE, proposed) is severity


def test_which_are_unwaivable() -> None:
    assert Judge(Policy()).is_unwaivable(UNWAIVABLE)
    assert not Judge(Policy()).is_unwaivable(RULE)
    assert Judge(Policy(unwaivable=("OM5",))).is_unwaivable(RULE)


class TestOptions:
    """What one run wants to be told."""

    @pytest.mark.parametrize(
        ("options", "severity"),
        [
            (JudgingOptions(), Severity.WARNING),
            (JudgingOptions(select=("OM502",)), Severity.WARNING),
            (JudgingOptions(select=("OM2", "OM5")), Severity.WARNING),
            (JudgingOptions(select=("OM2", "OM501")), None),
            (JudgingOptions(ignore=("OM502",)), None),
            (JudgingOptions(ignore=("OM",)), None),
            (JudgingOptions(ignore=("OM501",)), Severity.WARNING),
            (JudgingOptions(select=("OM5",), ignore=("OM502",)), None),
            (JudgingOptions(profile="strict"), Severity.ERROR),
            (JudgingOptions(profile="minimal"), None),
        ],
    )
    def test_of_an_ordinary_rule(self, options: JudgingOptions, severity: Severity | None) -> None:
        assert Judge(Policy(), options).severity(RULE) is severity

    @pytest.mark.parametrize(
        ("options", "severity"),
        [
            (JudgingOptions(ignore=("OM502",)), Severity.WARNING),
            (JudgingOptions(profile="minimal"), Severity.WARNING),
            (JudgingOptions(select=("OM501",)), None),
        ],
    )
    def test_an_unwaivable_one_may_be_left_out_of_a_selection_only(
        self, options: JudgingOptions, severity: Severity | None
    ) -> None:
        assert Judge(Policy(), options).severity(UNWAIVABLE) is severity

    def test_they_add_to_the_policy(self) -> None:
        policy = Policy(profile=Profile.MINIMAL, ignore=("OM501",))
        assert Judge(policy, JudgingOptions(profile="recommended")).severity(RULE) is Severity.WARNING
        ignored = replace(RULE, id="OM501")
        assert Judge(policy, JudgingOptions(select=("OM501",), profile="strict")).severity(ignored) is None

    @pytest.mark.parametrize(
        ("options", "passed_over"),
        [
            (JudgingOptions(), False),
            (JudgingOptions(profile="strict"), False),
            (JudgingOptions(profile="minimal"), True),
            (JudgingOptions(select=("OM5",)), False),
            (JudgingOptions(select=("OM8",)), True),
            (JudgingOptions(ignore=("OM5",)), True),
        ],
    )
    def test_which_rules_they_pass_over(self, options: JudgingOptions, passed_over: bool) -> None:
        assert Judge(Policy(ignore=("OM5",)), options).is_passed_over(RULE) is passed_over
