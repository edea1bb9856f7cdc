from dataclasses import replace

import pytest

from opsmail.check.severity import Judge
from opsmail.findings import RuleMeta, Severity
from opsmail.settings.model import Policy
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
