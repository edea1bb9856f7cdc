"""Rules that look at the server alone are run once for each server, and look at nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from opsmail.check.interface import Context, OperatorRule, Problem, operator_rule, server_rule
from opsmail.check.rules import OPERATOR_RULES
from opsmail.check.rules.running import OperatorChecks
from opsmail.findings import RuleMeta, Severity
from opsmail.messages import msg
from opsmail.operator.model import Encryption, Operator, Server
from tests.rules.checking import MODERN, NONE, context, operator


def counted(calls: list[str]) -> tuple[OperatorRule, OperatorRule]:
    @server_rule("OM298", "made-up", Severity.NOTE)
    def of_server(server: Server, context: Context) -> Iterator[Problem]:
        calls.append(server.host)
        yield Problem("server.host", msg("{host}", host=server.host))

    @operator_rule("OM299", "made-up-too", Severity.NOTE)
    def of_operator(operator: Operator, context: Context) -> Iterator[Problem]:
        calls.append(operator.operator)
        yield Problem("operator", msg("{id}", id=operator.operator))

    return of_server, of_operator


def server_of(host: str) -> Server:
    return Server(host=host, port=587, encryption=Encryption.STARTTLS)


def said(found: list[tuple[RuleMeta, Problem]]) -> list[str]:
    return [f"{meta.id} {problem.message}" for meta, problem in found]


def test_what_depends_on_the_server_alone_is_found_once_for_it() -> None:
    calls: list[str] = []
    checks = OperatorChecks(counted(calls), context())
    shared, other = server_of("smtp.empresa.com.br"), server_of("smtp.empresa.com.br")
    subjects = [replace(operator(name=name), server=shared) for name in "ab"]
    first = checks.problems(subjects)
    assert [said(found) for found in first] == [[f"OM298 {shared.host}", f"OM299 {name}"] for name in "ab"]
    assert calls == [shared.host, "a", "b"]
    assert checks.problems(subjects) == first  # what was found of the server is not added to
    checks.problems([replace(subjects[0], server=other)])
    assert calls[3:] == ["a", "b", other.host, "a"]


def test_a_fleet_with_a_server_for_each_operator_fills_no_memory() -> None:
    calls: list[str] = []
    checks = OperatorChecks(counted(calls)[:1], context())
    subjects = [replace(operator(), server=server_of(f"smtp{number}.empresa.com.br")) for number in range(1025)]
    checks.problems(subjects)
    assert len(calls) == 1025
    checks.problems(subjects[-1:])
    assert len(calls) == 1025
    checks.problems(subjects[:1])
    assert len(calls) == 1026


def test_together_the_rules_say_what_each_says_by_itself() -> None:
    circumstances = context()
    checks = OperatorChecks(OPERATOR_RULES, circumstances)
    servers: list[dict[str, Any]] = [
        {},
        {"port": 465},
        {"host": "smtp.gmial.com"},
        {"host": "smtp.office365.com", "encryption": "none"},
    ]
    for server in servers:
        for method in (MODERN, NONE):
            subject = operator(server=server, authentication=method)
            alone = [(rule.meta, problem) for rule in OPERATOR_RULES for problem in rule.check(subject, circumstances)]
            (together,) = checks.problems([subject])
            assert len(together) == len(alone)
            assert all(item in together for item in alone)
