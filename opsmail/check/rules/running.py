"""Runs the rules that look at one operator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from opsmail.check.interface import Context, OperatorRule, Problem
from opsmail.findings import RuleMeta
from opsmail.operator.model import Operator, Server

#: Of so many different servers it is remembered what was found; fleets have a few.
_REMEMBERED = 1024


class OperatorChecks:
    """All rules for single operators, in circumstances that stay the same.

    What depends on the server alone is found once for all operators that share it: half of the rules, and all that
    compare names, are paid for once in a fleet.

    Args:
        rules: which rules.
        context: settings, providers, day and secret schemes.
    """

    def __init__(self, rules: Sequence[OperatorRule], context: Context) -> None:
        self._context = context
        self._rules = [(rule.meta, rule.check) for rule in rules if rule.check_server is None]
        self._server_rules: list[tuple[RuleMeta, Callable[[Server, Context], Iterator[Problem]]]] = [
            (rule.meta, rule.check_server) for rule in rules if rule.check_server is not None
        ]
        self._found: dict[int, tuple[Server, list[tuple[RuleMeta, Problem]]]] = {}

    def problems(self, operators: Sequence[Operator]) -> list[list[tuple[RuleMeta, Problem]]]:
        """Return what the rules find in each operator, each problem with its rule."""
        context = self._context
        found = [[*self._of_server(operator.server)] for operator in operators]
        for meta, check in self._rules:
            for operator, problems in zip(operators, found, strict=True):
                for problem in check(operator, context):
                    problems.append((meta, problem))
        return found

    def _of_server(self, server: Server) -> list[tuple[RuleMeta, Problem]]:
        # Decoding gives equal servers as one and the same value; comparing them would take longer than some rules.
        known = self._found.get(id(server))
        if known is not None and known[0] is server:
            return known[1]
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        context = self._context
        found = [(meta, problem) for meta, check in self._server_rules for problem in check(server, context)]
        self._found[id(server)] = (server, found)
        return found
