"""Two sides of a change: what is new, by whose settings and waivers it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from opsmail.check.comparison import Comparison, compare, decide_alike, judging, new_findings
from opsmail.check.engine import check
from opsmail.check.interface import Context
from opsmail.findings import Finding
from opsmail.settings.load import Settings
from opsmail.source.tree import SourceFile
from tests.builders import SETTINGS, context_of, edited, operator_text, run_check, settings_of

WARNED = operator_text(sender={"address": "ti@empresa.com.br"})  # OM502
WAIVER = """\
- operator: rh
  rule: OM502
  reason: alias cadastrado, chamado 4711
  approved_by: ti@empresa.com.br
  expires: {expires}
"""
TODAY = WAIVER.format(expires="2026-12-31")
LONGER = WAIVER.format(expires="2027-01-31").replace("4711", "4712")


def new(old: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return rule and field of what is new from one fleet to another."""
    findings = new_findings(run_check(now, SETTINGS).findings, run_check(old, SETTINGS).findings)
    return [(finding.rule.id, finding.path) for finding in findings]


class TestNew:
    def test_moved_lines_make_nothing_new(self) -> None:
        assert new({"rh.yaml": WARNED}, {"rh.yaml": "# a\n# b\n" + WARNED}) == []

    def test_nor_does_another_folder(self) -> None:
        assert new({"rh.yaml": WARNED}, {"sp/rh.yaml": WARNED}) == []

    def test_what_was_not_there_is_new(self) -> None:
        now = edited("port: 587", "port: 465", WARNED)
        assert new({"rh.yaml": WARNED}, {"rh.yaml": now}) == [("OM201", "server.port")]

    def test_what_is_gone_is_not_told(self) -> None:
        assert new({"rh.yaml": WARNED}, {"rh.yaml": operator_text()}) == []

    def test_another_operator_with_the_same_mistake_is_new(self) -> None:
        other = WARNED.replace("operator: rh", "operator: dp").replace("role: master\n", "").replace("_RH", "_DP")
        assert new({"rh.yaml": WARNED}, {"rh.yaml": WARNED, "dp.yaml": other}) == [("OM502", "sender.address")]

    def test_one_more_of_a_kind_is_new(self) -> None:
        twice, thrice = operator_text() + "name: a\nname: b\n", operator_text() + "name: a\nname: b\nname: c\n"
        assert len(new({"rh.yaml": operator_text()}, {"rh.yaml": thrice})) == 2
        assert len(new({"rh.yaml": twice}, {"rh.yaml": thrice})) == 1

    def test_another_wrong_value_at_the_same_field_is_new(self) -> None:
        one, other = (operator_text(server={"host": f"smtp.{name}.com.br"}) for name in ("a", "b"))
        assert new({"rh.yaml": one}, {"rh.yaml": one}) == []
        assert new({"rh.yaml": one}, {"rh.yaml": other}) == [("OM209", "server.host")]

    def test_nor_does_another_entry_before_it(self) -> None:
        unused = TODAY.replace("OM502", "OM505")
        known = run_check({"rh.yaml": WARNED}, waivers=unused).findings
        now = run_check({"rh.yaml": WARNED}, waivers=TODAY.replace("OM502", "OM202") + unused).findings
        assert [finding.path for finding in new_findings(now, known)] == ["0.rule"]

        overdue = SETTINGS + "review_by = 2026-01-01\n"
        first = SETTINGS.replace("smtp.", "outro.") + "review_by = 2026-01-01\n"
        both = first + overdue.partition("\n")[2]
        known, now = (run_check({"rh.yaml": WARNED}, settings).findings for settings in (overdue, both))
        assert [finding.path for finding in new_findings(now, known)] == ["servers.0.review_by"]

    def test_a_waived_finding_that_counts_again_is_new(self) -> None:
        known = run_check({"rh.yaml": WARNED}, waivers=TODAY).findings
        now = run_check({"rh.yaml": WARNED}).findings
        assert new_findings(now, known) == list(now)
        assert new_findings(known, known) == []


class Judged:
    """A change of one operator, its settings and its waivers, checked beside what was before."""

    def __init__(
        self,
        before: Settings,
        after: Settings,
        *,
        old: str = WARNED,
        now: str = WARNED,
        day: date | None = None,
        whole: bool = True,
    ) -> None:
        context = context_of() if day is None else context_of(day=day)
        here = replace(context, settings=judging(after, before), written=after)
        self.comparison: Comparison = compare(here, [_file(old)], {"default": before}, {"default": after})
        self.findings = check([_file(now)], self.comparison.context, whole=whole).findings

    def told(self) -> list[str]:
        return [finding.rule.id for finding in self.findings if finding.waived is None]

    def of(self, rule: str) -> Finding:
        (finding,) = (finding for finding in self.findings if finding.rule.id == rule)
        return finding


def _file(text: str) -> SourceFile:
    return SourceFile("operators/rh.yaml", text.encode())


def with_waivers(content: str | None, settings: str = SETTINGS) -> Settings:
    return settings_of(settings, {} if content is None else {"waivers.yaml": content})


class TestWaivers:
    def test_one_that_the_change_adds_does_not_count_yet(self) -> None:
        judged = Judged(with_waivers(None), with_waivers(TODAY))
        assert judged.told() == ["OM502", "OM804"]
        finding = judged.of("OM804")
        assert (finding.file, finding.span.line, finding.operator) == ("waivers.yaml", 2, "rh")
        assert str(finding.message) == "OM502 is waived for `rh` until 2026-12-31; the waiver is new"

    def test_one_that_the_change_takes_back_does_not_count_any_more(self) -> None:
        assert Judged(with_waivers(TODAY), with_waivers(None)).told() == ["OM502"]
        assert Judged(with_waivers(TODAY), with_waivers("[]")).told() == ["OM502"]

    def test_one_that_is_to_last_longer_goes_on_as_it_was(self) -> None:
        judged = Judged(with_waivers(TODAY), with_waivers(LONGER))
        assert judged.told() == ["OM804"]
        waived = judged.of("OM502").waived
        assert waived is not None
        assert (waived.expires, waived.reason) == ("2026-12-31", "alias cadastrado, chamado 4711")

    def test_and_ends_as_it_was(self) -> None:
        assert Judged(with_waivers(TODAY), with_waivers(LONGER), day=date(2027, 1, 10)).told() == ["OM502", "OM804"]

    @pytest.mark.parametrize(
        ("old", "added"),
        [
            (TODAY, TODAY),
            (TODAY, TODAY.replace("4711", "4712")),
            (TODAY, TODAY + "  path: sender.address\n"),
            (TODAY, TODAY.replace("2026-12-31", "2026-12-30")),
        ],
    )
    def test_what_an_earlier_one_covers_is_not_new(self, old: str, added: str) -> None:
        assert Judged(with_waivers(old), with_waivers(added)).told() == []

    @pytest.mark.parametrize(
        "added",
        [
            LONGER,
            TODAY.replace("OM502", "OM505"),
            TODAY.replace("operator: rh", "operator: dp"),
        ],
    )
    def test_what_none_covers_is(self, added: str) -> None:
        assert "OM804" in Judged(with_waivers(TODAY), with_waivers(added)).told()
        narrower = TODAY + "  path: sender.address\n"
        assert "OM804" in Judged(with_waivers(narrower), with_waivers(TODAY)).told()

    @pytest.mark.parametrize("broken", ["a: [", "- operator: rh\n", "- 5\n"])
    def test_what_is_no_waiver_is_not_a_new_one(self, broken: str) -> None:
        assert "OM804" not in Judged(with_waivers(TODAY), with_waivers(broken)).told()
        assert "OM804" in Judged(with_waivers(broken), with_waivers(TODAY)).told()

    def test_of_a_part_of_the_fleet_the_others_are_left_alone(self) -> None:
        added = TODAY.replace("operator: rh", "operator: dp")
        assert Judged(with_waivers(None), with_waivers(added), whole=False).told() == ["OM502"]
        assert Judged(with_waivers(None), with_waivers(TODAY), whole=False).told() == ["OM502", "OM804"]

    def test_no_policy_hides_it(self) -> None:
        ignoring = '[policy]\nprofile = "minimal"\nignore = ["OM8"]\n' + SETTINGS.partition("\n")[2]
        judged = Judged(with_waivers(None, ignoring), with_waivers(TODAY, ignoring))
        assert "OM804" in judged.told()


class TestSettings:
    def test_a_change_is_not_judged_by_what_it_loosens(self) -> None:
        loose = SETTINGS + '\n[policy]\nignore = ["OM502"]\n'
        judged = Judged(settings_of(SETTINGS), settings_of(loose))
        assert judged.told() == ["OM502", "OM805"]
        finding = judged.of("OM805")
        assert (finding.file, finding.span.line, finding.path) == ("opsmail.toml", 10, "policy.ignore")

    def test_nor_yet_by_what_it_tightens(self) -> None:
        strict = SETTINGS + '\n[policy]\nprofile = "strict"\n'
        judged = Judged(settings_of(SETTINGS), settings_of(strict))
        assert judged.told() == ["OM502"]
        assert judged.of("OM502").severity.label == "warning"

    def test_findings_about_settings_stand_in_those_of_the_change(self) -> None:
        before = settings_of(SETTINGS + "review_by = 2026-01-01\n")
        assert Judged(before, settings_of(SETTINGS)).told() == ["OM502", "OM805"]
        later = settings_of("# a line\n" + SETTINGS + "review_by = 2026-01-01\n")
        assert Judged(before, later).of("OM211").span.line == 9

    def test_both_sides_are_judged_alike(self) -> None:
        loose = SETTINGS + '\n[policy]\nignore = ["OM502"]\n'
        judged = Judged(settings_of(SETTINGS), settings_of(loose))
        left = new_findings(judged.findings, judged.comparison.known)
        assert [finding.rule.id for finding in left] == ["OM805"]

    def test_without_any_before_those_of_the_change_judge(self) -> None:
        own = with_waivers(TODAY)
        assert judging(own, settings_of()) is own
        assert judging(own, settings_of(None, {"waivers.yaml": "[]"})) == replace(own, waivers=b"[]")
        trusted = settings_of(SETTINGS)
        assert judging(own, trusted) is trusted

    def test_comments_decide_nothing(self) -> None:
        assert decide_alike(settings_of(SETTINGS), settings_of("# new\n" + SETTINGS))
        assert not decide_alike(with_waivers("[]"), with_waivers(None))

    def test_of_a_named_environment_that_was_not_there_the_default_counts(self) -> None:
        context: Context = replace(context_of(), settings=settings_of(SETTINGS + "[environments.x]\n", environment="x"))
        before = {"default": settings_of(SETTINGS)}
        compared = compare(context, [_file(WARNED)], before, {"default": settings_of(SETTINGS)})
        assert [finding.rule.id for finding in compared.known] == ["OM502"]
