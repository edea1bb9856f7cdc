"""OM603, OM705 and OM706 beyond the examples of their pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opsmail.check.facts import Facts
from opsmail.check.interface import Fleet, FleetProblem, FleetRule
from opsmail.check.result import Member
from opsmail.check.rules import shared as rules
from opsmail.operator.model import Limits, Operator
from tests.rules.checking import BASIC, MODERN, NONE, context, operator

MICROSOFT = {"host": "smtp.office365.com"}
COMMON = {**BASIC, "password": "env://OPSMAIL_SECRET_COMUM"}


def told(rule: FleetRule, *operators: Operator | None) -> list[FleetProblem]:
    members = [
        Member(f"operators/{number}.yaml", None, None, None)
        if item is None
        else Member(f"operators/{number}.yaml", None, item.operator, None, Facts.of(item))
        for number, item in enumerate(operators)
    ]
    return list(rule.check(Fleet(tuple(members), whole=False), context()))


def basic(name: str, username: str, reference: str = "env://OPSMAIL_SECRET_COMUM") -> Operator:
    return operator(name=name, authentication={**BASIC, "username": username, "password": reference})


def test_om603_stands_where_another_account_uses_the_secret_of_the_first() -> None:
    a, b, c = (basic(name, f"{account}@empresa.com.br") for name, account in (("a", "x"), ("b", "X"), ("c", "y")))
    (problem,) = told(rules.shared_secret, a, None, b, c)
    assert problem.file == "operators/3.yaml"
    assert problem.problem.path == "authentication.password"
    assert str(problem.problem.message) == "operator `a` uses this secret for another account"
    assert [(mark.file, mark.path) for mark in problem.problem.marks] == [
        ("operators/0.yaml", "authentication.password")
    ]


def test_om603_says_nothing_of_values_that_are_no_references() -> None:
    assert not told(rules.shared_secret, basic("a", "x", "troque-me"), basic("b", "y", "troque-me"))
    assert not told(rules.shared_secret, operator(authentication=NONE), operator(authentication=NONE))


def test_om603_knows_that_an_application_sends_for_many_mailboxes() -> None:
    def modern(name: str, username: str, **fields: Any) -> Operator:
        return operator(name=name, authentication={**MODERN, "username": username, **fields})

    assert not told(rules.shared_secret, modern("a", "x"), modern("b", "y"))
    assert told(rules.shared_secret, modern("a", "x"), modern("b", "x", client_id="another"))
    delegated = {"kind": "delegated", "token_cache": "keyring://opsmail/comum"}
    assert told(rules.shared_secret, modern("a", "x", credential=delegated), modern("b", "y", credential=delegated))


def limited(name: str, limit: int | None, username: str = "sistemas@empresa.com.br", **sections: Any) -> Operator:
    subject = operator(name=name, server=MICROSOFT, authentication={**COMMON, "username": username}, **sections)
    return replace(subject, limits=Limits(messages_per_minute=limit))


def test_om705_adds_up_by_account() -> None:
    (problem,) = told(
        rules.over_provider_limit,
        limited("a", 20),
        limited("b", 5, "rh@empresa.com.br"),
        limited("c", 11, "SISTEMAS@empresa.com.br"),
    )
    assert problem.file == "operators/0.yaml"
    assert str(problem.problem.message) == (
        "31 messages a minute for `sistemas@empresa.com.br`, but Microsoft 365 takes 30"
    )
    assert [mark.file for mark in problem.problem.marks] == ["operators/2.yaml"]


def test_om705_concerns_a_single_operator_too() -> None:
    (problem,) = told(rules.over_provider_limit, limited("a", 31))
    assert str(problem.problem.label) == "too many"
    assert problem.problem.marks == ()


def test_om705_does_not_count_what_sends_nothing_or_is_not_limited() -> None:
    elsewhere = replace(operator(name="x", authentication=COMMON), limits=Limits(messages_per_minute=900))
    nobody = replace(operator(name="y", server=MICROSOFT, authentication=NONE), limits=Limits(messages_per_minute=900))
    unknown = replace(operator(name="z", server={"host": "smtp.gmail.com"}), limits=Limits(messages_per_minute=900))
    others = [replace(limited("b", 30), enabled=False), limited("c", None), operator(name="d", server=MICROSOFT)]
    assert not told(rules.over_provider_limit, limited("a", 30), *others, elsewhere, nobody, unknown)


def test_om705_lists_no_hundreds() -> None:
    (problem,) = told(rules.over_provider_limit, *(limited(f"a{number}", 10) for number in range(30)))
    assert len(problem.problem.marks) == 10


def test_om706_stands_at_the_later_one() -> None:
    def named(name: str, secret: str) -> Operator:
        return operator(name=name, authentication={**BASIC, "password": secret})

    rh, copy = named("rh-sp", "env://OPSMAIL_SECRET_RH_SP"), named("rh.rj", "env://OPSMAIL_SECRET_RH_RJ")
    (problem,) = told(rules.same_settings, rh, copy, named("rh2", "env://OUTRA"))
    assert str(problem.problem.message) == "`rh.rj` and `rh-sp` differ in nothing but their id"
    assert (problem.file, problem.problem.marks[0].file) == ("operators/1.yaml", "operators/0.yaml")


def test_om706_sees_through_spelling_but_not_through_differences() -> None:
    first = operator(name="a", authentication=COMMON)
    assert told(
        rules.same_settings,
        replace(first, labels={"x": "1", "y": "2"}),
        replace(first, operator="b", labels={"y": "2", "x": "1"}),
    )
    assert not told(rules.same_settings, first, replace(first, operator="b", name="outro"))
    assert not told(rules.same_settings, first, first)
