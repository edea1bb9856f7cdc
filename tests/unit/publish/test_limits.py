"""Safety limits: each refuses by itself, and each has an option that allows it alone."""

from __future__ import annotations

from typing import Any

import pytest

from opsmail.operator.model import Operator
from opsmail.publish.limits import Allowances, violations
from opsmail.publish.plan import Plan
from opsmail.settings.model import StoreSettings
from tests.unit.fleets import operator, plan_between

MASTER = operator("chefe", role="master")
LIMITS = StoreSettings()
#: Every allowance but the names to prune, with its option.
OPTIONS = {
    "many_updates": "--allow-many-updates",
    "many_deletes": "--allow-many-deletes",
    "many_changes": "--allow-many-changes",
    "empty": "--allow-empty",
    "master_change": "--allow-master-change",
}


def fleet(count: int, **sections: Any) -> list[Operator]:
    return [operator(f"o{number:03}", **sections) for number in range(count)]


def options(plan: Plan, limits: StoreSettings = LIMITS, **allowed: Any) -> list[str]:
    return [violation.option for violation in violations(plan, limits, Allowances(**allowed))]


def everything(*, but: str) -> dict[str, Any]:
    """All allowances at once, except one."""
    return {name: True for name in OPTIONS if name != but} | {
        "prune": frozenset() if but == "prune" else frozenset(f"o{number:03}" for number in range(1000)) | {"chefe"}
    }


def test_a_small_change_meets_none() -> None:
    before = [MASTER, *fleet(20)]
    after = [MASTER, operator("o000", name="X"), *before[2:], operator("new")]
    assert options(plan_between(before, after)) == []


def test_updates_over_their_share() -> None:
    changes = plan_between(fleet(20), [*fleet(7, name="X"), *fleet(20)[7:]])
    (violation,) = violations(changes, LIMITS, Allowances())
    assert str(violation.message) == "7 of 20 operators would be updated, more than 30 %"
    assert options(changes, **everything(but="many_updates")) == ["--allow-many-updates"]
    assert options(changes, many_updates=True) == []


def test_updates_at_their_share() -> None:
    assert options(plan_between(fleet(20), [*fleet(6, name="X"), *fleet(20)[6:]])) == []


def test_deletes_over_their_share() -> None:
    changes = plan_between(fleet(20), fleet(17))
    assert options(changes, prune=frozenset({"o017", "o018", "o019"})) == ["--allow-many-deletes"]
    assert options(changes, **everything(but="many_deletes")) == ["--allow-many-deletes"]
    (told,) = violations(changes, LIMITS, Allowances(prune=frozenset({"o017", "o018", "o019"})))
    assert str(told.message) == "3 of 20 operators would be deleted, more than 10 %"
    assert options(plan_between(fleet(20), fleet(18)), prune=frozenset({"o018", "o019"})) == []


def test_shares_do_not_count_in_a_small_fleet() -> None:
    assert options(plan_between(fleet(9), fleet(9, name="X"))) == []


@pytest.mark.parametrize("least", [0, 3])
def test_where_shares_begin_to_count_is_a_setting(least: int) -> None:
    changes = plan_between(fleet(3), fleet(3, name="X"))
    assert options(changes, StoreSettings(min_fleet_for_percent=least)) == ["--allow-many-updates"]
    assert options(changes, StoreSettings(min_fleet_for_percent=least, max_update_percent=100)) == []


def test_too_many_changes() -> None:
    changes = plan_between([MASTER], [MASTER, *fleet(11)])
    limits = StoreSettings(max_changes=10)
    (violation,) = violations(changes, limits, Allowances())
    assert str(violation.message) == "11 changes at once, at most 10 are allowed"
    assert options(changes, limits, **everything(but="many_changes")) == ["--allow-many-changes"]
    assert options(changes, limits, many_changes=True) == []
    assert options(changes, StoreSettings(max_changes=11)) == []


def test_a_first_publish_may_have_any_size() -> None:
    assert options(plan_between([], fleet(30)), StoreSettings(max_changes=10)) == []


@pytest.mark.parametrize("before", [[], fleet(2)])
def test_an_empty_fleet(before: list[Operator]) -> None:
    changes = plan_between(before, [])
    assert "--allow-empty" in options(changes)
    assert options(changes, **everything(but="empty")) == ["--allow-empty"]
    assert options(changes, **everything(but="")) == []


def test_each_delete_is_named() -> None:
    changes = plan_between(fleet(4), fleet(2))
    assert options(changes) == ["--prune o002", "--prune o003"]
    assert options(changes, prune=frozenset({"o002", "other"})) == ["--prune o003"]
    assert options(changes, **everything(but="prune")) == ["--prune o002", "--prune o003"]
    (told, _) = violations(changes, LIMITS, Allowances())
    assert str(told.message) == "`o002` would be deleted"


@pytest.mark.parametrize(
    "after",
    [
        [operator("chefe")],
        [operator("chefe", role="master", enabled=False)],
        [operator("outro", role="master")],
        [operator("chefe"), operator("outro", role="master")],
    ],
)
def test_losing_the_master(after: list[Operator]) -> None:
    changes = plan_between([MASTER], after)
    assert options(changes, **everything(but="master_change")) == ["--allow-master-change"]
    assert options(changes, prune=frozenset({"chefe"}), master_change=True) == []


def test_several_are_told_at_once() -> None:
    changes = plan_between([MASTER, *fleet(20)], fleet(18, name="X"))
    assert options(changes, StoreSettings(max_changes=5)) == [
        "--allow-many-changes",
        "--allow-many-updates",
        "--allow-many-deletes",
        "--prune chefe",
        "--allow-master-change",
        "--prune o018",
        "--prune o019",
    ]


def test_no_allowance_allows_another() -> None:
    changes = plan_between([MASTER, *fleet(20)], [])
    every = options(changes, StoreSettings(max_changes=5))
    for name, option in OPTIONS.items():
        left = options(changes, StoreSettings(max_changes=5), **{name: True})
        assert left == [other for other in every if other != option]
