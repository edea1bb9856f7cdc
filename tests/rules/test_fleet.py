"""OM7xx beyond the examples of their pages."""

from __future__ import annotations

from opsmail.check.facts import Facts
from opsmail.check.interface import Fleet, FleetProblem, FleetRule
from opsmail.check.result import Member
from opsmail.check.rules import fleet as rules
from tests.rules.checking import context, operator


def member(name: str | None, *, role: str | None = None, enabled: bool = True, readable: bool = True) -> Member:
    described = operator(name=name or "rh") if readable else None
    if described is not None and not enabled:
        object.__setattr__(described, "enabled", False)  # frozen, and made here
    return Member(f"operators/{name}.yaml", None, name, role, None if described is None else Facts.of(described))


def told(rule: FleetRule, *members: Member, whole: bool = True) -> list[FleetProblem]:
    return list(rule.check(Fleet(members, whole), context()))


def test_om701_stands_in_the_first_file() -> None:
    (problem,) = told(rules.no_master, member("financeiro"), member("rh"))
    assert (problem.file, problem.problem.path) == ("operators/financeiro.yaml", "role")


def test_om701_is_silent_where_a_master_may_be_elsewhere() -> None:
    assert not told(rules.no_master, member("rh"), whole=False)
    assert not told(rules.no_master)
    assert not told(rules.no_master, member("rh", role="master", readable=False))


def test_om702_lists_the_others_at_each_master_but_not_hundreds() -> None:
    masters = [member(f"op{number}", role="master") for number in range(30)]
    found = told(rules.several_masters, member("rh"), *masters)
    assert [problem.file for problem in found] == [item.file for item in masters]
    assert all(len(problem.problem.marks) == 10 for problem in found)
    assert all(problem.file not in {mark.file for mark in problem.problem.marks} for problem in found)


def test_om702_accepts_one_master() -> None:
    assert not told(rules.several_masters, member("agendador", role="master"), member("rh", role="standard"))


def test_om703_concerns_a_master_that_can_be_read() -> None:
    assert told(rules.master_disabled, member("agendador", role="master", enabled=False))
    assert not told(rules.master_disabled, member("agendador", role="master"))
    assert not told(rules.master_disabled, member("rh", enabled=False))
    assert not told(rules.master_disabled, member("agendador", role="master", readable=False))


def test_om704_tells_the_same_id_from_ids_that_are_too_alike() -> None:
    (same,) = told(rules.duplicate_operator, member("rh"), member("rh"))
    assert str(same.problem.message) == "the operator `rh` is described twice"
    (alike,) = told(rules.duplicate_operator, member("rh-sp"), member("rh.sp"))
    assert str(alike.problem.message) == "`rh.sp` and `rh-sp` both become RH_SP in the names of secrets"
    assert [mark.file for mark in alike.problem.marks] == ["operators/rh-sp.yaml"]


def test_om704_knows_ids_that_differ_only_in_case() -> None:
    (problem,) = told(rules.duplicate_operator, member("rh", readable=False), member("RH", readable=False))
    assert "is described twice" in str(problem.problem.message)


def test_om704_says_nothing_of_files_without_an_id() -> None:
    assert not told(rules.duplicate_operator, member(None, readable=False), member(None, readable=False), member("rh"))
