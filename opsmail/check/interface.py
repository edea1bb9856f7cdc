"""What a rule is: a small function with its metadata, from typed values to problems.

A rule names fields and never lines: the engine turns fields into places, judges severities, and makes findings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from opsmail.check.judging import EVERYTHING, JudgingOptions
from opsmail.check.result import Member
from opsmail.findings import FileChange, FixSafety, RuleMeta, Severity, Span
from opsmail.messages import Message
from opsmail.operator.model import Operator, Server
from opsmail.providers import Providers
from opsmail.secrets.interface import NeededSecret, SecretError
from opsmail.settings.load import Settings
from opsmail.source.document import Document
from opsmail.values import dataclass


class ProposedFix(NamedTuple):
    """What would end a problem; it becomes a fix when it is proven."""

    safety: FixSafety
    description: Message
    changes: tuple[FileChange, ...]


class Mark(NamedTuple):
    """A second field that belongs to a problem, in the same file unless `file` names another."""

    path: str
    message: Message
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule found.

    Args:
        path: the field, dotted; empty for the file as a whole.
        message: what is wrong.
        label: a few words shown under the field.
        help: what to do.
        marks: other fields that belong to it.
        fix: a change that would end it.
        severity: when it is not the rule's own.
        at_key: the field's name is the place, not its value.
        span: the place, where it is no field's.
    """

    path: str
    message: Message
    label: Message | None = None
    help: Message | None = None
    marks: tuple[Mark, ...] = ()
    fix: ProposedFix | None = None
    severity: Severity | None = None
    at_key: bool = False
    span: Span | None = None


#: Tries to have each secret, and returns why those that cannot be had cannot; forgets the values.
TrySecrets = Callable[[Collection[NeededSecret]], Mapping[NeededSecret, SecretError]]


@dataclass(frozen=True, slots=True)
class Context:
    """What rules may look at besides the operator.

    Args:
        settings: the effective settings, by which operators are judged.
        providers: what is known of mail providers.
        today: the day that date-bound rules judge by.
        schemes: the secret schemes that resolve here.
        written: the settings that stand beside the files that are checked; None where those are the ones that judge.
        change: what it is compared with; None where nothing is compared.
        judging: which findings this run wants to be told.
        try_secrets: tells which secrets do not resolve here; None where no secret is to be touched.
    """

    settings: Settings
    providers: Providers
    today: date
    schemes: Collection[str]
    written: Settings | None = None
    change: Change | None = None
    judging: JudgingOptions = EVERYTHING
    try_secrets: TrySecrets | None = None

    @property
    def own(self) -> Settings:
        """The settings that stand beside the files that are checked: findings about settings stand in these."""
        return self.settings if self.written is None else self.written

    def with_waivers(self, content: bytes | None) -> Context:
        """Return the circumstances with another `waivers.yaml` beside the files that are checked."""
        own = replace(self.own, waivers=content)
        return replace(self, settings=own) if self.written is None else replace(self, written=own)


class OperatorRule(NamedTuple):
    """A rule that looks at one operator.

    Args:
        meta: what is known of it.
        check: the rule itself.
        check_server: the same for a rule that looks at nothing but the server, so that operators which share one share
            what was found; None for the others.
    """

    meta: RuleMeta
    check: Callable[[Operator, Context], Iterator[Problem]]
    check_server: Callable[[Server, Context], Iterator[Problem]] | None = None


class DocumentRule(NamedTuple):
    """A rule that looks at a file's text, also where that is no operator."""

    meta: RuleMeta
    check: Callable[[Document], Iterator[Problem]]


class Fleet(NamedTuple):
    """All operators of a run.

    Args:
        members: in the order of their files.
        whole: every file of the operators folders was looked at and could be read, so that what is missing is missing.
    """

    members: tuple[Member, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a repository: what there was before it, and the settings that come of it.

    Args:
        fleet: all operators before it.
        before: the settings before it, by environment.
        after: the settings that come of it, by environment.
    """

    fleet: Fleet
    before: Mapping[str, Settings]
    after: Mapping[str, Settings]


class FleetProblem(NamedTuple):
    """What a fleet rule found, in one file."""

    file: str
    problem: Problem


class FleetRule(NamedTuple):
    """A rule that looks at all operators together.

    Args:
        meta: what is known of it.
        check: the rule itself.
        by_facts: where neither a change nor secrets are looked at, it goes by the facts of members alone, so that their
            operators need not be kept.
    """

    meta: RuleMeta
    check: Callable[[Fleet, Context], Iterator[FleetProblem]]
    by_facts: bool = False


class SettingsRule(NamedTuple):
    """A rule that looks at the settings; its problems name fields of `opsmail.toml`.

    Args:
        meta: what is known of it.
        check: the rule itself; the context's settings are those that stand in the file.
        overlaid: its fields are those of the effective settings, whose place may be in an environment's table; False
            where they are told as the file has them.
    """

    meta: RuleMeta
    check: Callable[[Fleet, Context], Iterator[Problem]]
    overlaid: bool = True


Rule = OperatorRule | DocumentRule | FleetRule | SettingsRule


def operator_rule(
    rule_id: str, name: str, severity: Severity, *, unwaivable: bool = False
) -> Callable[[Callable[[Operator, Context], Iterator[Problem]]], OperatorRule]:
    """Make a rule of a function that looks at one operator."""
    meta = RuleMeta(rule_id, name, severity, unwaivable)
    return lambda function: OperatorRule(meta, function)


def server_rule(
    rule_id: str, name: str, severity: Severity, *, unwaivable: bool = False
) -> Callable[[Callable[[Server, Context], Iterator[Problem]]], OperatorRule]:
    """Make a rule of a function that looks at one operator's server and nothing else of it."""
    meta = RuleMeta(rule_id, name, severity, unwaivable)

    def rule(function: Callable[[Server, Context], Iterator[Problem]]) -> OperatorRule:
        return OperatorRule(meta, lambda operator, context: function(operator.server, context), function)

    return rule


def document_rule(
    rule_id: str, name: str, severity: Severity, *, unwaivable: bool = False
) -> Callable[[Callable[[Document], Iterator[Problem]]], DocumentRule]:
    """Make a rule of a function that looks at a file's text."""
    meta = RuleMeta(rule_id, name, severity, unwaivable)
    return lambda function: DocumentRule(meta, function)


def settings_rule(
    rule_id: str, name: str, severity: Severity, *, unwaivable: bool = False, overlaid: bool = True
) -> Callable[[Callable[[Fleet, Context], Iterator[Problem]]], SettingsRule]:
    """Make a rule of a function that looks at the settings, and at the fleet to see which of them matter."""
    meta = RuleMeta(rule_id, name, severity, unwaivable)
    return lambda function: SettingsRule(meta, function, overlaid)


def fleet_rule(
    rule_id: str, name: str, severity: Severity, *, unwaivable: bool = False, by_facts: bool = False
) -> Callable[[Callable[[Fleet, Context], Iterator[FleetProblem]]], FleetRule]:
    """Make a rule of a function that looks at all operators together."""
    meta = RuleMeta(rule_id, name, severity, unwaivable)
    return lambda function: FleetRule(meta, function, by_facts)
