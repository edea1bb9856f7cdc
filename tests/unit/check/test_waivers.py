"""Waivers mute what they name, until their day, and are judged themselves."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from opsmail.check.result import CheckResult
from opsmail.findings import Span
from tests.builders import operator_text, run_check

# The sender is not the account: OM502, a warning.
FILES = {"rh.yaml": operator_text(sender={"address": "outro@empresa.com.br"})}
WAIVER = """\
- operator: rh
  rule: OM502
  reason: alias cadastrado, chamado 4711
  approved_by: ti@empresa.com.br
  expires: 2026-12-31
"""


def checked(waivers: str = WAIVER, **options: Any) -> CheckResult:
    return run_check(options.pop("files", FILES), waivers=waivers, **options)


def told(result: CheckResult) -> list[tuple[str, bool]]:
    """Return rule of each finding, and whether it is waived."""
    return [(finding.rule.id, finding.waived is not None) for finding in result.findings]


class TestMuting:
    def test_the_finding_stays_with_its_reason(self) -> None:
        (finding,) = checked().findings
        assert finding.waived is not None
        assert finding.waived.reason == "alias cadastrado, chamado 4711"
        assert finding.waived.approved_by == "ti@empresa.com.br"
        assert finding.waived.expires == "2026-12-31"
        assert checked().errors() == []

    def test_without_waivers_it_counts(self) -> None:
        assert [finding.waived for finding in run_check(FILES).findings] == [None]

    @pytest.mark.parametrize("line", ["  path: sender.address\n", "  path: server\n"])
    def test_a_path_narrows_it(self, line: str) -> None:
        expected = [("OM502", True)] if "sender" in line else [("OM502", False), ("OM803", False)]
        assert told(checked(WAIVER + line)) == expected

    def test_another_rule_or_operator_is_not_covered(self) -> None:
        assert told(checked(WAIVER.replace("OM502", "OM202"))) == [("OM502", False), ("OM803", False)]

    @pytest.mark.parametrize(("day", "waived"), [(date(2026, 12, 31), True), (date(2027, 1, 1), False)])
    def test_it_holds_up_to_its_last_day(self, day: date, waived: bool) -> None:
        expected = [("OM502", True)] if waived else [("OM502", False), ("OM802", False)]
        assert told(checked(day=day)) == expected

    @pytest.mark.parametrize("text", ["", "# none yet\n", "[]\n"])
    def test_no_waivers(self, text: str) -> None:
        assert told(checked(text)) == [("OM502", False)]

    def test_two_for_the_same_finding(self) -> None:
        result = checked(WAIVER + WAIVER)
        assert told(result) == [("OM502", True), ("OM803", False)]
        assert result.findings[1].span.line == 7  # the second one


class TestJudging:
    def finding(self, waivers: str, **options: Any) -> Any:
        """Return the one finding in waivers.yaml."""
        (finding,) = (item for item in checked(waivers, **options).findings if item.file == "waivers.yaml")
        return finding

    @pytest.mark.parametrize(
        ("old", "new", "rule", "message", "line"),
        [
            ("  reason: alias cadastrado, chamado 4711\n", "", "OM801", "the field `reason` is missing", 1),
            ("  expires: 2026-12-31\n", "", "OM801", "the field `expires` is missing", 1),
            ("2026-12-31", "amanhã", "OM801", "is not a date", 5),
            ("2026-12-31", "2027-06-03", "OM801", "the waiver lasts longer than 12 months", 5),
            ("OM502", "OM999", "OM801", "there is no rule `OM999`", 2),
            ("OM502", "OM5", "OM801", "there is no rule `OM5`", 2),
            ("OM502", "OM601", "OM801", "OM601 cannot be waived", 2),
            ("OM502", "OM801", "OM801", "OM801 cannot be waived", 2),
            ("rh\n", "hr\n", "OM801", "there is no operator `hr`", 1),
            ("OM502", "OM202", "OM803", "the waiver of OM202 for `rh` covers nothing", 2),
            ("reason", "reazon", "OM801", "unknown field `reazon`", 3),
        ],
    )
    def test_what_is_wrong_with_one(self, old: str, new: str, rule: str, message: str, line: int) -> None:
        assert WAIVER.count(old) == 1
        finding = self.finding(WAIVER.replace(old, new))
        assert finding.rule.id == rule
        assert message in str(finding.message)
        assert finding.span.line == line
        assert finding.excerpt

    def test_up_to_a_year_is_allowed(self) -> None:
        assert told(checked(WAIVER.replace("2026-12-31", "2027-06-01"))) == [("OM502", True)]

    def test_it_concerns_its_operator(self) -> None:
        assert self.finding(WAIVER.replace("2026", "2025")).operator == "rh"
        assert self.finding(WAIVER.replace("  reason", "  reazon")).operator is None

    def test_an_entry_that_is_no_section(self) -> None:
        finding = self.finding(f"- S3cr3t\n{WAIVER}")
        assert finding.rule.id == "OM801"
        assert finding.span == Span(1, 3, 1, 4)
        assert "S3cr3t" not in str(finding)

    @pytest.mark.parametrize(
        ("text", "rule"),
        [("operator: rh\n", "OM004"), ("- a: [\n", "OM002"), ("- &a b\n", "OM005"), ("\ufeff", "OM006")],
    )
    def test_a_file_that_cannot_be_read(self, text: str, rule: str) -> None:
        result = checked(text)
        assert (rule, False) in told(result)
        assert ("OM502", False) in told(result)

    def test_the_organisation_may_make_more_rules_unwaivable(self) -> None:
        settings = '[policy]\nunwaivable = ["OM5"]\n'
        assert told(checked(settings=settings)) == [("OM502", False), ("OM801", False)]


class TestPartOfTheFleet:
    """What is not looked at is neither unknown nor unused, and none of the business of whoever checks one file."""

    OTHER = {"ti.yaml": operator_text(operator="ti", sender={"address": "rh@empresa.com.br"})}

    def test_a_waiver_for_a_file_that_is_not_looked_at(self) -> None:
        assert told(checked(files=self.OTHER, whole=False)) == []
        expired = WAIVER.replace("2026", "2025")
        assert told(checked(expired, files=self.OTHER, whole=False)) == []
        assert told(checked(expired, files=self.OTHER, whole=True)) != []

    def test_a_waiver_for_one_that_is(self) -> None:
        assert told(checked(whole=False)) == [("OM502", True)]
        assert told(checked(WAIVER.replace("2026", "2025"), whole=False)) == [("OM502", False), ("OM802", False)]

    def test_one_that_covers_nothing_there(self) -> None:
        assert told(checked(WAIVER.replace("OM502", "OM202"), whole=False)) == [("OM502", False)]

    def test_a_file_of_waivers_that_is_broken_is_everybodys_business(self) -> None:
        assert told(checked("- x: [", files=self.OTHER, whole=False)) == [("OM002", False)]
