"""A fix that is offered does what it says, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opsmail.check.fixing.proof import fixed_content, proven
from opsmail.findings import (
    Deletion,
    Edit,
    Finding,
    Fix,
    FixSafety,
    MarkRemoval,
    Renaming,
    Replacement,
    RuleMeta,
    Severity,
    Span,
)
from opsmail.messages import msg
from tests.builders import findings_of, operator_text, run_check

RULE = RuleMeta("OM999", "made-up", Severity.ERROR)
CONTENT = b"a: 1\nb: 2\n"


def fix(change: object, *edits: Edit) -> Fix:
    return Fix(FixSafety.SAFE, msg("d"), edits, (change,))  # type: ignore[arg-type]  # one of the kinds


def finding(one: Fix | None, path: str = "a") -> Finding:
    return Finding(RULE, Severity.ERROR, "x.yaml", Span(1, 4, 1, 5), msg("m"), path=path, fix=one)


GOOD = fix(Replacement("a", 5), Edit(Span(1, 4, 1, 5), "5"))


class TestContent:
    def test_what_was_meant(self) -> None:
        assert fixed_content(CONTENT, [GOOD]) == b"a: 5\nb: 2\n"

    @pytest.mark.parametrize(
        "wrong",
        [
            fix(Replacement("a", "5"), Edit(Span(1, 4, 1, 5), "5")),  # a number, where text was meant
            fix(Replacement("a", True), Edit(Span(1, 4, 1, 5), "1")),  # alike, but not the same
            fix(Replacement("a", 5), Edit(Span(1, 4, 2, 5), "5")),  # takes its neighbour along
            fix(Replacement("a", 5), Edit(Span(1, 4, 1, 5), "5]")),
            fix(Replacement("a", 5), Edit(Span(1, 4, 1, 5), "[")),  # cannot be read
            fix(Renaming("a", "c"), Edit(Span(1, 1, 1, 2), "b")),
            fix(Renaming("a", "c")),
        ],
    )
    def test_anything_else_is_none(self, wrong: Fix) -> None:
        assert fixed_content(CONTENT, [wrong]) is None

    def test_a_file_that_cannot_be_read_has_none(self) -> None:
        assert fixed_content(b"a: [", [GOOD]) is None

    def test_a_byte_order_mark_stays_unless_it_goes(self) -> None:
        marked = b"\xef\xbb\xbf" + CONTENT
        assert fixed_content(marked, [GOOD]) == b"\xef\xbb\xbfa: 5\nb: 2\n"
        assert fixed_content(marked, [fix(MarkRemoval()), GOOD]) == b"a: 5\nb: 2\n"

    def test_the_last_entry_of_a_list_leaves_an_empty_file(self) -> None:
        last = fix(Deletion("0"), Edit(Span(2, 1, 3, 1), ""))
        assert fixed_content(b"# c\n- a\n", [last], list) == b"# c\n"
        assert fixed_content(b"- a\n- b\n", [last], list) is None


class TestProven:
    def test_the_finding_has_to_end(self) -> None:
        found = [finding(GOOD), finding(None, "b")]
        assert proven(found, CONTENT, lambda after: [found[1]]) == tuple(found)
        assert proven(found, CONTENT, lambda after: found) == (replace(found[0], fix=None), found[1])

    def test_another_one_may_begin(self) -> None:
        other = replace(finding(None), rule=replace(RULE, id="OM998"))
        assert proven([finding(GOOD)], CONTENT, lambda after: [other, finding(None, "b")])[0].fix is not None

    def test_there_are_only_so_many_tries(self) -> None:
        many = [finding(GOOD, str(number)) for number in range(30)]
        assert [item.fix is not None for item in proven(many, CONTENT, lambda after: [])] == [True] * 20 + [False] * 10
        large = CONTENT + b"#" * 200_000
        assert [item.fix is not None for item in proven(many[:3], large, lambda after: [])] == [True, False, False]


WAIVER = "operator: rh, rule: OM502, reason: r, approved_by: ti@empresa.com.br, expires: 2026-12-31"


@pytest.mark.parametrize(("text", "offered"), [(f"- {{{WAIVER}}}\n", True), (f"- {{{WAIVER}\n  }}\n", False)])
def test_a_check_offers_only_what_is_proven(text: str, offered: bool) -> None:
    (found,) = run_check({"rh.yaml": operator_text()}, waivers=text).findings
    assert found.rule.id == "OM803"
    assert (found.fix is not None) is offered


def test_a_fix_tells_no_place_behind_a_secret() -> None:
    start = operator_text(authentication=None) + "authentication: "
    for text, offered in (
        ("{type: basic, usernme: rh@empresa.com.br, password: hunter2}", True),
        ("{password: hunter2, type: basic, usernme: rh@empresa.com.br}", False),
    ):
        (found,) = [item for item in findings_of(f"{start}{text}\n") if item.rule.id == "OM101"]
        assert (found.fix is not None) is offered
