"""The engine of `check`: files in, findings and operators out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from opsmail.check.interface import Context, Fleet, FleetProblem
from opsmail.check.organisation import rules_of
from opsmail.check.result import CheckResult, Member
from opsmail.check.ruleset import RuleSet
from opsmail.check.single import BATCH, CheckedFile, FileChecker
from opsmail.findings import Finding, RuleMeta
from opsmail.source.tree import SourceFile

if TYPE_CHECKING:
    from opsmail.check.placing import FilePlacer

#: Gives a file that was checked again, as it was then: where several files are concerned, places in them are told.
Sources = Callable[[str], SourceFile]


def check(
    files: Iterable[SourceFile],
    context: Context,
    *,
    whole: bool = True,
    waivers: bool = True,
    rules: RuleSet | None = None,
) -> CheckResult:
    """Check operator files by themselves and together, and keep the operators.

    Args:
        files: from a tree; consumed once.
        context: settings, providers, day and secret schemes.
        whole: `files` are all operator files there are, so that what is missing is missing.
        waivers: whether `waivers.yaml` mutes findings.
        rules: which rules; None for opsmail's own and those of the settings.

    Raises:
        SettingsError: a rule or schema of the settings is wrong.
        UsageError: what it needs is not installed.
    """
    checker = FileChecker(context, rules_of(context.settings) if rules is None else rules)
    sources: dict[str, SourceFile] = {}

    def checked() -> Iterator[CheckedFile]:
        waiting = iter(files)
        while batch := list(islice(waiting, BATCH)):
            sources.update((file.path, file) for file in batch)
            yield from checker.check(batch)

    return conclude(checked(), sources.__getitem__, checker, whole=whole, waivers=waivers)


def conclude(
    checked: Iterable[CheckedFile], sources: Sources, checker: FileChecker, *, whole: bool, waivers: bool
) -> CheckResult:
    """Return what a run found, from what its files gave by themselves.

    Args:
        checked: in the order of the files; consumed once.
        sources: gives the files that findings about several of them stand in.
        checker: what checked them.
        whole: these are all operator files there are, so that what is missing is missing.
        waivers: whether `waivers.yaml` mutes findings.
    """
    context, judge = checker.context, checker.judge
    members: list[Member] = []
    findings: list[Finding] = []
    for item in checked:
        members.append(item.member)
        findings += item.findings
        whole = whole and item.readable
    fleet = Fleet(tuple(members), whole)
    findings.extend(_fleet_findings(fleet, sources, checker))
    findings.extend(_settings_findings(fleet, checker))
    if context.own.waivers is not None or context.settings.waivers is not None:
        from opsmail.check.waivers import muted, new_waivers

        if waivers:
            findings = muted(findings, context, fleet, judge, checker.rules.metas())
        findings.extend(new_waivers(context, fleet, judge))
    if findings:
        from opsmail.check.rules.once import told_once

        findings = told_once(findings, judge)
    findings.sort(key=lambda finding: (finding.file, finding.span, finding.rule.id, finding.path))
    return CheckResult(tuple(findings), fleet.members)


def _fleet_findings(fleet: Fleet, sources: Sources, checker: FileChecker) -> Iterator[Finding]:
    placers: dict[str, FilePlacer] = {}

    def placer(path: str) -> FilePlacer:
        if path not in placers:
            placers[path] = checker.placer(sources(path))
        return placers[path]

    for meta, fault in _fleet_problems(fleet, checker):
        finding = placer(fault.file).place(meta, fault.problem, checker.judge, elsewhere=placer)
        if finding is not None:
            yield finding


def _settings_findings(fleet: Fleet, checker: FileChecker) -> Iterator[Finding]:
    own = replace(checker.context, settings=checker.context.own)
    for rule in checker.rules.settings:
        problems = list(rule.check(fleet, own))
        if problems:
            from opsmail.check.settings_places import SettingsPlacer

            placer = SettingsPlacer(own.settings, overlaid=rule.overlaid)
            placed = (placer.place(rule.meta, problem, checker.judge) for problem in problems)
            yield from (finding for finding in placed if finding is not None)


def _fleet_problems(fleet: Fleet, checker: FileChecker) -> Iterator[tuple[RuleMeta, FleetProblem]]:
    for rule in checker.rules.fleets:
        for problem in rule.check(fleet, checker.context):
            yield rule.meta, problem
