"""Tests of the organisation's rules: operator files that a rule has to find something in, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from opsmail.check.interface import Context, Fleet, FleetRule
from opsmail.check.result import Member
from opsmail.check.ruleset import RuleSet
from opsmail.errors import OpsmailError
from opsmail.messages import Message, msg
from opsmail.operator.model import Operator
from opsmail.settings.load import Files
from opsmail.settings.organisation import Expectation, OrganisationRule, RuleTest
from opsmail.shape import Decoder
from opsmail.source.reader import read_document
from opsmail.source.tree import MAX_BYTES


class Outcome(Enum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    #: The rule could not be asked: there is no such operator, or the condition is an error for it.
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Trial:
    """One test and how it ended.

    Args:
        rule: the rule's id.
        test: the file, and what was expected.
        outcome: how it ended.
        reason: why it did not pass; None where it did.
    """

    rule: str
    test: RuleTest
    outcome: Outcome
    reason: Message | None = None


class UnusableError(Exception):
    """A test's file cannot be asked about.

    Args:
        reason: why.
    """

    def __init__(self, reason: Message) -> None:
        super().__init__(str(reason))
        self.reason = reason


def run_trials(rules: RuleSet, context: Context, files: Files) -> Iterator[Trial]:
    """Run the tests of the settings' rules, each file as the whole fleet.

    Args:
        rules: of the same settings.
        context: the settings.
        files: where the tests' files are.
    """
    by_id = {rule.meta.id: rule for rule in rules.fleets}
    decoder = Decoder(Operator)
    for rule in context.settings.file.rules:
        for test in rule.tests:
            try:
                operator = _operator(test.file, files, decoder)
                yield _tried(rule, test, operator, by_id[rule.id], context)
            except UnusableError as error:
                yield Trial(rule.id, test, Outcome.UNUSABLE, error.reason)


def _tried(rule: OrganisationRule, test: RuleTest, operator: Operator, asked: FleetRule, context: Context) -> Trial:
    member = Member(test.file, operator, operator.operator, operator.role.value)
    found = [item.problem for item in asked.check(Fleet((member,), whole=True), context)]
    # A rule of the settings names a severity only where it could not be asked.
    unanswered = next((problem for problem in found if problem.severity is not None), None)
    if unanswered is not None:
        raise UnusableError(unanswered.message)
    if bool(found) is (test.expect is Expectation.FAIL):
        return Trial(rule.id, test, Outcome.PASSED)
    if found:
        return Trial(rule.id, test, Outcome.FAILED, msg("expected to pass, but the rule finds something"))
    return Trial(rule.id, test, Outcome.FAILED, msg("expected to fail, but the rule finds nothing"))


def _operator(path: str, files: Files, decoder: Decoder[Operator]) -> Operator:
    try:
        content = files.read(path)
    except OpsmailError as error:
        raise UnusableError(error.message) from None
    if content is None:
        raise UnusableError(msg("there is no file `{path}`", path=path))
    if len(content) > MAX_BYTES:
        raise UnusableError(msg("the file is too large for an operator"))
    document, problems = read_document(content)
    if document is None or problems:
        raise UnusableError(msg("line {line}: {problem}", line=problems[0].span.line, problem=problems[0].message))
    operator, faults = decoder.decode(document.data)
    if operator is None or faults:
        line = document.span(faults[0].path).line
        raise UnusableError(msg("line {line}: {problem}", line=line, problem=faults[0].message))
    return operator
