"""Rules from Python packages: the entry point `opsmail.rules` of the packages that the settings name.

A package joins with one line in its `pyproject.toml`,

    [project.entry-points."opsmail.rules"]
    acme = "acme_opsmail_rules:RULES"

where `RULES` is a list of rules made with `opsmail.check.interface`: `operator_rule`, `document_rule`, `fleet_rule` or
`settings_rule`. Ids are two to eight capitals, not `OM` or `ORG`, and three digits. A rule's docstring is what
`opsmail rule` shows of it.

A package is trusted when `policy.plugins` in the settings names it: what else is installed is not even looked at, which
is also why this costs nothing without one.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from opsmail.check.interface import (
    Context,
    DocumentRule,
    Fleet,
    FleetProblem,
    FleetRule,
    OperatorRule,
    Problem,
    Rule,
    SettingsRule,
)
from opsmail.check.ruleset import RuleSet
from opsmail.errors import UsageError
from opsmail.findings import RuleMeta, Severity, Span
from opsmail.messages import Message, msg
from opsmail.operator.model import Operator
from opsmail.settings.load import Settings
from opsmail.settings.organisation import ORGANISATION_PREFIX, OWN_PREFIX
from opsmail.source.document import Document

GROUP = "opsmail.rules"
_ID = re.compile(r"(?P<prefix>[A-Z]{2,8})[0-9]{3}")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HINT = msg("correct the package, or take it out of `policy.plugins` in opsmail.toml")


def package_rules(settings: Settings) -> RuleSet:
    """Return the rules of the packages that the settings name.

    Raises:
        UsageError: a package is missing, cannot be loaded, or brings something that is no rule.
    """
    if _folder_is_searched():
        raise UsageError(
            msg("rule packages are not loaded while Python looks for modules in the folder that it runs in"),
            hint=msg("run `opsmail`, or `python -P -m opsmail`: a checkout could bring modules of its own"),
        )
    rules = RuleSet()
    for package in settings.file.policy.plugins:
        for rule in _loaded(package):
            meta = _accepted(package, rule)
            other = rules.packages.get(meta.id)
            if other is not None:
                raise _refused(package, msg("the rule {id} is there already, from `{other}`", id=meta.id, other=other))
            rules += _Guard(package, meta).rules(rule)
    return rules


def _folder_is_searched() -> bool:
    return any(entry == "" or Path(entry) == Path.cwd() for entry in sys.path)


def _loaded(package: str) -> list[Any]:
    """Return what a package offers; anything may go wrong in it, and is told as its fault."""
    try:
        distribution = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        raise UsageError(
            msg("the rule package `{package}` is not installed", package=package),
            hint=msg("install it, or take it out of `policy.plugins` in opsmail.toml"),
        ) from None
    entries = distribution.entry_points.select(group=GROUP)
    if not entries:
        raise _refused(package, msg("it has no entry point `{group}`", group=GROUP))
    rules: list[Any] = []
    for entry in entries:
        try:
            rules += entry.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code: it may raise anything
            reason = msg("`{entry}` cannot be loaded: {error}", entry=entry.value, error=_told(error))
            raise _refused(package, reason) from None
    return rules


def _accepted(package: str, rule: Any) -> RuleMeta:
    """Return the metadata that counts: a rule decides neither that it is unwaivable, nor the ruleset."""
    if not isinstance(rule, Rule):
        raise _refused(package, msg("a {kind} is no rule of opsmail.check.interface", kind=type(rule).__name__))
    meta = rule.meta
    match = _ID.fullmatch(str(meta.id))
    if match is None or match["prefix"] in (OWN_PREFIX, ORGANISATION_PREFIX):
        raise _refused(package, msg("its rules may not be called `{id}`", id=str(meta.id)[:40]))
    if _NAME.fullmatch(str(meta.name)) is None or not isinstance(meta.severity, Severity):
        raise _refused(package, msg("the name or severity of {id} is none", id=meta.id))
    return replace(meta, unwaivable=False, ruleset=1)


@dataclass(frozen=True, slots=True)
class _Guard:
    """Runs a package's rule so that what goes wrong in it is a finding: not judged is not passed."""

    package: str
    meta: RuleMeta

    def rules(self, rule: Any) -> RuleSet:
        """Return the rule under guard, as a set of its own."""
        packages = {self.meta.id: self.package}
        if isinstance(rule, OperatorRule):
            operator_rule = OperatorRule(self.meta, self._operators(rule))
            return RuleSet(operators=(operator_rule,), packages=packages)
        if isinstance(rule, DocumentRule):
            return RuleSet(documents=(DocumentRule(self.meta, self._documents(rule)),), packages=packages)
        if isinstance(rule, FleetRule):
            return RuleSet(fleets=(FleetRule(self.meta, self._fleets(rule)),), packages=packages)
        return RuleSet(settings=(SettingsRule(self.meta, self._settings(rule)),), packages=packages)

    def _operators(self, rule: OperatorRule) -> Callable[[Operator, Context], Iterator[Problem]]:
        def check(operator: Operator, context: Context) -> Iterator[Problem]:
            return self._problems(lambda: rule.check(operator, context))

        check.__doc__ = (rule.check_server or rule.check).__doc__
        return check

    def _documents(self, rule: DocumentRule) -> Callable[[Document], Iterator[Problem]]:
        def check(document: Document) -> Iterator[Problem]:
            return self._problems(lambda: rule.check(document))

        check.__doc__ = rule.check.__doc__
        return check

    def _settings(self, rule: SettingsRule) -> Callable[[Fleet, Context], Iterator[Problem]]:
        def check(fleet: Fleet, context: Context) -> Iterator[Problem]:
            return self._problems(lambda: rule.check(fleet, context), "policy.plugins")

        check.__doc__ = rule.check.__doc__
        return check

    def _fleets(self, rule: FleetRule) -> Callable[[Fleet, Context], Iterator[FleetProblem]]:
        def check(fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
            files = [member.file for member in fleet.members]
            try:
                for found in rule.check(fleet, context):
                    others = {mark.file for mark in found.problem.marks} - {None}
                    if not {found.file, *others} <= {*files}:
                        raise TypeError("a file that is none of the fleet's")  # noqa: TRY301 - told as the rule's
                    yield FleetProblem(found.file, _proper(found.problem))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code: it may raise anything
                if not files:
                    raise _refused(self.package, self._failure(error)) from None
                yield FleetProblem(files[0], self._failed(error))

        check.__doc__ = rule.check.__doc__
        return check

    def _problems(self, ask: Callable[[], Iterable[Problem]], place: str = "") -> Iterator[Problem]:
        try:
            for problem in ask():
                yield _proper(problem)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code: it may raise anything
            yield self._failed(error, place)

    def _failed(self, error: BaseException, place: str = "") -> Problem:
        return Problem(
            place,
            self._failure(error),
            label=msg("not judged"),
            help=msg("have the package `{package}` corrected", package=self.package),
            severity=Severity.ERROR,
        )

    def _failure(self, error: BaseException) -> Message:
        return msg(
            "the rule {id} of `{package}` failed: {error}", id=self.meta.id, package=self.package, error=_told(error)
        )


def _proper(problem: Any) -> Problem:
    """Return what a rule found; raise where it is no problem, or would fail when it is placed or written out."""
    if not isinstance(problem, Problem):
        raise TypeError("no problem")
    values: tuple[tuple[Any, Any], ...] = (
        (problem.path, str),
        (problem.message, Message),
        (problem.label, Message | None),
        (problem.help, Message | None),
        (problem.span, Span | None),
        (problem.severity, Severity | None),
    )
    if not all(isinstance(value, kind) for value, kind in values):
        raise TypeError("no problem")
    for text in (problem.message, problem.label, problem.help):
        str(text)
    return problem


def _refused(package: str, reason: Message) -> UsageError:
    return UsageError(msg("the rule package `{package}`: {reason}", package=package, reason=reason), hint=_HINT)


def _told(error: BaseException) -> str:
    """Return the error's kind and place; its text may repeat a value."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
