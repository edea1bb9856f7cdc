"""Plans in words, for pull requests, and for programs; nothing in a value acts on what shows it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from gettext import NullTranslations

import pytest

from opsmail.operator.model import Operator
from opsmail.output.results import plans
from opsmail.output.style import Style
from opsmail.publish.limits import Allowances, violations
from opsmail.publish.plan import Plan
from opsmail.publish.saved import load
from opsmail.settings.model import StoreSettings
from tests.unit.fleets import operator, plan_between

ENGLISH = NullTranslations()
PLAIN = Style(color=False)
MASTER = operator("chefe", role="master")


def text(plan: Plan, style: Style = PLAIN) -> list[str]:
    limits = list(violations(plan, StoreSettings(), Allowances()))
    return plans.as_text(plan, limits, ENGLISH, style).splitlines()


def markdown(plan: Plan) -> list[str]:
    limits = list(violations(plan, StoreSettings(), Allowances()))
    return plans.as_markdown(plan, limits, ENGLISH).splitlines()


def changed(**sections: object) -> Plan:
    return plan_between([operator("a")], [operator("a", **sections)])


def test_a_first_plan() -> None:
    off = operator("velho", enabled=False, server={"port": 465, "encryption": "implicit-tls"})
    assert text(plan_between([], [MASTER, off])) == [
        "environment production, nothing published yet, commit c0c0c0c0c0c0",
        "",
        "+ chefe  chefe@empresa.test at mail.empresa.test:587, starttls, authentication basic, master",
        "+ velho  velho@empresa.test at mail.empresa.test:465, implicit-tls, authentication basic, switched off",
        "",
        "2 to create, 0 to update, 0 to delete, 0 unchanged",
    ]


def test_updates_and_deletes_with_the_limits_they_meet() -> None:
    after = [MASTER, operator("b", server={"port": 25}, name="Cobrança nova")]
    assert text(plan_between([MASTER, operator("a"), operator("b")], after)) == [
        "environment production, generation 1, commit c0c0c0c0c0c0",
        "",
        "- a  a@empresa.test at mail.empresa.test:587, starttls, authentication basic",
        "~ b",
        '    name – → "Cobrança nova"',
        "    server.port 587 → 25",
        "",
        "0 to create, 1 to update, 1 to delete, 1 unchanged",
        "publish would refuse: `a` would be deleted  (--prune a)",
    ]


def test_nothing_to_do() -> None:
    assert text(plan_between([MASTER], [MASTER])) == [
        "environment production, generation 1, commit c0c0c0c0c0c0",
        "",
        "0 to create, 0 to update, 0 to delete, 1 unchanged",
    ]


def test_long_values_are_cut() -> None:
    (line,) = [line for line in text(changed(name="x" * 200)) if "name" in line]
    assert line == f"    name – → {'x' * 80}…"


def test_colours() -> None:
    plan = plan_between([operator("a"), operator("b")], [operator("a", name="X"), operator("c")])
    lines = text(plan, Style(color=True))
    assert lines[2].startswith("\x1b[1;33m~ a\x1b[0m")
    assert lines[4].startswith("\x1b[1;31m- b\x1b[0m  ")
    assert lines[5].startswith("\x1b[1;32m+ c\x1b[0m  ")
    assert re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines)) == "\n".join(text(plan))


@pytest.mark.parametrize("evil", ["\x1b[2J", "a\nb", "\u202egnp", "\x9b1m"])
def test_a_terminal_is_told_nothing_by_a_value(evil: str) -> None:
    written = "\n".join(text(changed(name=f"x{evil}y")))
    assert evil not in written.replace("\n", "" if "\n" in evil else "\n")
    assert "\x1b" not in written


def test_the_comment_of_a_pull_request() -> None:
    after = [MASTER, operator("b", server={"port": 25}, name="Cobrança nova"), operator("c")]
    assert markdown(plan_between([MASTER, operator("a"), operator("b")], after)) == [
        "<!-- opsmail plan production -->",
        "### opsmail: 1 to create, 1 to update, 1 to delete, 1 unchanged",
        "",
        "environment production, generation 1, commit c0c0c0c0c0c0",
        "",
        "| | operator | change |",
        "|---|---|---|",
        "| delete | `a` | `a@empresa.test at mail.empresa.test:587, starttls, authentication basic` |",
        '| update | `b` | `name – → "Cobrança nova"`<br>`server.port 587 → 25` |',
        "| create | `c` | `c@empresa.test at mail.empresa.test:587, starttls, authentication basic` |",
        "",
        "**&#96;a&#96; would be deleted**: `--prune a`",
    ]


def test_a_comment_without_changes() -> None:
    assert markdown(plan_between([MASTER], [MASTER]))[-1] == "environment production, generation 1, commit c0c0c0c0c0c0"


@pytest.mark.parametrize(
    "evil",
    [
        "`",
        "``",
        "a`b",
        "a | b | c",
        "<img src=x onerror=alert(1)>",
        "](https://evil.test)",
        "@everybody",
        "--> <script>",
        "x\n| y | z |",
        "`` ` ```",
    ],
)
def test_a_value_leaves_neither_its_code_span_nor_its_cell(evil: str) -> None:
    (row,) = [line for line in markdown(changed(name=f"{evil}")) if line.startswith("| update")]
    assert row.count("|") == 4
    cell = row.split("|")[3].strip()
    fence = re.match("`+", cell)
    assert fence is not None
    assert cell.endswith(fence[0])
    inside = cell[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall("`+", inside)


def test_an_environment_s_name_stays_in_its_comment() -> None:
    lines = markdown(replace(plan_between([MASTER], [MASTER]), environment="x --> <b> @all"))
    assert lines[0] == "<!-- opsmail plan x-b-all -->"
    assert "<b>" not in lines[3]
    assert "@all" not in lines[3]


def test_json_is_the_plan_that_is_saved() -> None:
    plan = plan_between([MASTER], [MASTER, operator("a")])
    content = plans.as_json(plan)
    assert content.isascii()
    assert load(content.encode()).id == plan.id
    document = json.loads(content)
    assert list(document)[:2] == ["schema", "id"]
    assert document["changes"][0]["operator"] == "a"


def test_an_operator_that_goes_is_told_by_what_it_was() -> None:
    before: list[Operator] = [operator("a", role="master", server={"host": "old.empresa.test"})]
    assert text(plan_between(before, []))[2] == (
        "- a  a@empresa.test at old.empresa.test:587, starttls, authentication basic, master"
    )
