"""Rules in the settings: operators for which `when` holds have to fulfil `require`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsmail.check.disclosure import Disclosure
from opsmail.check.interface import Context, Fleet, FleetProblem, FleetRule, Problem
from opsmail.check.organisation.cel import Expression, ExpressionError, Language, holds
from opsmail.check.ruleset import RuleSet
from opsmail.errors import UsageError
from opsmail.findings import RuleMeta, Severity
from opsmail.messages import Message, msg
from opsmail.operator.model import Operator
from opsmail.settings.faults import Fault, SettingsError
from opsmail.settings.load import Settings
from opsmail.settings.organisation import OrganisationRule
from opsmail.settings.toml import FieldLines
from opsmail.shape import nearest, shown

#: Seconds that one rule may take: to begin with, for each operator, and for each that is looked at from each.
_SECONDS, _SECONDS_EACH, _SECONDS_PAIR = 1.0, 0.001, 0.000_02


def condition_rules(settings: Settings) -> RuleSet:
    """Return the rules of the settings.

    Raises:
        SettingsError: a condition or a place is wrong; all are told.
    """
    rules = settings.file.rules
    texts = [text for rule in rules for text in (rule.when, rule.require) if text is not None]
    facts = _Facts(Language(texts, settings.file))
    faults: list[Fault] = []
    conditions = [_condition(index, rule, facts, faults) for index, rule in enumerate(rules)]
    if faults:
        lines = FieldLines(settings.text)
        raise SettingsError.of(
            settings.name,
            [Fault(fault.path, fault.message, fault.hint, lines.line(fault.path)) for fault in faults],
        )
    return RuleSet(
        fleets=tuple(FleetRule(meta_of(rule), item.check) for rule, item in zip(rules, conditions, strict=True))
    )


def meta_of(rule: OrganisationRule) -> RuleMeta:
    """Return a rule's metadata."""
    return RuleMeta(rule.id, rule.name or rule.id.lower(), Severity[rule.severity.name])


def _condition(index: int, rule: OrganisationRule, facts: _Facts, faults: list[Fault]) -> _Condition:
    compiled: dict[str, Expression | None] = {"when": None, "require": None}
    for field, text in (("when", rule.when), ("require", rule.require)):
        try:
            compiled[field] = None if text is None else facts.language.compile(text)
        except ExpressionError as error:
            message = msg("{id}: `{field}`: {reason}", id=rule.id, field=field, reason=error.reason)
            faults.append(Fault(f"rules.{index}.{field}", message, error.remedy))
    if rule.at is not None:
        faults += _misplaced(f"rules.{index}.at", rule.at)
    return _Condition(rule, compiled["when"], compiled["require"], facts)


def _misplaced(place: str, at: str) -> Iterator[Fault]:
    """Yield the fault of a place that no operator file has."""
    names = Disclosure.of(Operator).names
    section, _, name = at.rpartition(".")
    known = names.get(section, ())
    if name not in known and "*" not in known:
        paths = sorted(f"{section}.{name}".lstrip(".") for section, fields in names.items() for name in fields)
        guess = nearest(at, paths)
        remedy = msg("did you mean `{guess}`?", guess=guess) if guess else msg("for example `server.host`")
        yield Fault(place, msg("operator files have no field `{path}`", path=shown(at)), remedy)


class _Facts:
    """What conditions are asked about; made once for all rules that look at one fleet."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._fleet: Fleet | None = None
        self._messages: list[tuple[str, Operator, Any]] = []

    def operators(self, fleet: Fleet) -> list[tuple[str, Operator, Any]]:
        """Return the readable operators of a fleet: file, operator, and the operator as conditions see it."""
        if self._fleet is not fleet:
            self._fleet = fleet
            self._messages = [
                (member.file, member.operator, self.language.message(member.operator))
                for member in fleet.members
                if member.operator is not None
            ]
        return self._messages

    def before(self, context: Context) -> Mapping[str, Any]:
        """Return the operators before a change by id, as conditions see them; none where nothing is compared."""
        members = () if context.change is None else context.change.fleet.members
        operators = (member.operator for member in members if member.operator is not None)
        return {operator.operator: self.language.message(operator) for operator in operators}


@dataclass(frozen=True, slots=True)
class _Condition:
    """One rule, its conditions compiled; None for `when` without one."""

    rule: OrganisationRule
    when: Expression | None
    require: Expression | None
    facts: _Facts

    def check(self, fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
        """Yield what does not fulfil the rule, and what it cannot be asked of; a part of a fleet is no fleet.

        Raises:
            UsageError: the rule takes too long.
        """
        asked = [expression for expression in (self.when, self.require) if expression is not None]
        sees = frozenset[str]().union(*(expression.sees for expression in asked))
        if "fleet" in sees and not fleet.whole:
            return
        operators = self.facts.operators(fleet)
        everybody = [message for _, _, message in operators] if "fleet" in sees else []
        before = self.facts.before(context) if "base" in sees else {}
        begun = time.process_time()
        each = _SECONDS_EACH + _SECONDS_PAIR * len(everybody)
        for count, (file, operator, message) in enumerate(operators):
            base = before.get(operator.operator)
            problem = self._problem(asked, self.facts.language.facts(message, everybody, base))
            if problem is not None:
                yield FleetProblem(file, problem)
            if time.process_time() - begun > _SECONDS + each * count:
                raise self._too_slow(count + 1)

    def _problem(self, asked: Sequence[Expression], facts: Any) -> Problem | None:
        for expression in asked:
            answer = holds(expression, facts)
            if isinstance(answer, Message):
                return self._unanswered(answer)
            if not answer:
                return None if expression is self.when else self._broken()
        return None

    def _broken(self) -> Problem:
        return Problem(
            self.rule.at or "",
            msg("{message}", message=self.rule.message),
            label=msg("against {id}", id=self.rule.id),
            help=msg("it has to be so: {require}", require=shown_line(self.rule.require)),
        )

    def _unanswered(self, reason: Message) -> Problem:
        # Not judged is not passed.
        return Problem(
            self.rule.at or "",
            msg("{id} cannot be asked of this operator: {reason}", id=self.rule.id, reason=reason),
            label=msg("not judged"),
            help=msg("have the rule corrected: what a file leaves out is null, and `has(…)` asks for it first"),
            severity=Severity.ERROR,
        )

    def _too_slow(self, count: int) -> UsageError:
        return UsageError(
            msg("the rule {id} takes too long: given up after {count} operators", id=self.rule.id, count=count),
            hint=msg("make its conditions simpler; what looks at the whole fleet takes its time for each operator"),
        )


def shown_line(text: str) -> str:
    """Return a condition on one line, shortened."""
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:120] + "…"
