"""The engine of `check`: files in, findings and operators out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from opsmail.check.disclosure import Disclosure
from opsmail.check.interface import Context, Fleet, FleetProblem, Member
from opsmail.check.organisation import rules_of
from opsmail.check.placing import FilePlacer
from opsmail.check.rules.once import told_once
from opsmail.check.rules.running import OperatorChecks
from opsmail.check.rules.secrets import literal_secret
from opsmail.check.rules.structure import STRUCTURE_RULES
from opsmail.check.ruleset import RuleSet
from opsmail.check.settings_places import SettingsPlacer
from opsmail.check.severity import Judge
from opsmail.check.structure import structure_problems
from opsmail.check.waivers import muted, new_waivers
from opsmail.findings import Finding, RuleMeta, Severity
from opsmail.operator.model import Operator, claimed_id
from opsmail.shape import Decoder
from opsmail.source.reader import read_document
from opsmail.source.tree import SourceFile


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What one file gave by itself.

    Args:
        source: the file, kept so that a fleet rule's finding can be placed in the very bytes that were checked.
        member: the operator as part of the fleet.
        findings: of this file by itself.
        readable: whether it could be read as YAML at all.
    """

    source: SourceFile
    member: Member
    findings: tuple[Finding, ...]
    readable: bool


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a run found.

    Args:
        findings: by file, place and rule; waived ones included.
        members: every file as part of the fleet, in the order of the files.
        baselined: findings that were left out because the baseline has them.
        old: findings that were left out because the revision has them that the run compares with.
    """

    findings: tuple[Finding, ...]
    members: tuple[Member, ...]
    baselined: int = 0
    old: int = 0

    def operators(self) -> dict[str, Operator]:
        """Return the operators by id; complete when there are no errors."""
        return {member.operator.operator: member.operator for member in self.members if member.operator is not None}

    def errors(self, file: str | None = None) -> list[Finding]:
        """Return the errors that are not waived, of one file or of all."""
        return [
            finding
            for finding in self.findings
            if finding.severity is Severity.ERROR and finding.waived is None and file in (None, finding.file)
        ]


def check(
    files: Iterable[SourceFile],
    context: Context,
    *,
    whole: bool = True,
    waivers: bool = True,
    rules: RuleSet | None = None,
) -> CheckResult:
    """Check operator files by themselves and together.

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
    rules = rules_of(context.settings) if rules is None else rules
    checker = FileChecker(context, rules)
    checked = [checker.check(file) for file in files]
    fleet = Fleet(tuple(item.member for item in checked), whole and all(item.readable for item in checked))
    findings = [finding for item in checked for finding in item.findings]
    findings.extend(_fleet_findings(fleet, checked, context, checker))
    findings.extend(_settings_findings(fleet, context, checker))
    if waivers:
        findings = muted(findings, context, fleet, checker.judge, rules.metas())
    findings.extend(new_waivers(context, fleet, checker.judge))
    findings = told_once(findings, checker.judge)
    findings.sort(key=lambda finding: (finding.file, finding.span, finding.rule.id, finding.path))
    return CheckResult(tuple(findings), fleet.members)


class FileChecker:
    """Checks one file after the other; made once, because it prepares what all files share."""

    def __init__(self, context: Context, rules: RuleSet) -> None:
        self.rules = rules
        self.judge = Judge(context.settings.file.policy)
        self.disclosure = Disclosure.of(Operator, context.schemes)
        self._operator_checks = OperatorChecks(rules.operators, context)
        self._decoder = Decoder(Operator)
        # A number in a secret field is of the wrong shape and a literal secret at the same time.
        self._structure_rules = {**STRUCTURE_RULES, literal_secret.meta.id: literal_secret.meta}

    def check(self, file: SourceFile) -> CheckedFile:
        """Return what one file gave; never raises for anything that is in it."""
        checked = self._look_at(file)
        if all(finding.fix is None for finding in checked.findings):
            return checked
        from opsmail.check.fixing.proof import proven  # most files need none

        def look(content: bytes) -> tuple[Finding, ...]:
            return self._look_at(replace(file, content=content)).findings

        return replace(checked, findings=proven(checked.findings, file.content, look))

    def _look_at(self, file: SourceFile) -> CheckedFile:
        """Return what one file gave, with fixes as they are proposed."""
        document, problems = (None, [file.problem]) if file.problem is not None else read_document(file.content)
        placer = FilePlacer(file.path, file.content, document, self.disclosure)
        unread = [placer.place_reading(STRUCTURE_RULES[problem.rule], problem, self.judge) for problem in problems]
        if document is None:
            return CheckedFile(file, Member(file.path, None, None, None), tuple(unread), readable=False)
        operator, faults = self._decoder.decode(document.data)
        found: list[Finding | None] = [*unread]
        for rule_id, problem in structure_problems(faults, document, file.path, operator, self.disclosure):
            found.append(placer.place(self._structure_rules[rule_id], problem, self.judge))
        for rule in self.rules.documents:
            found += [placer.place(rule.meta, fault, self.judge) for fault in rule.check(document)]
        if operator is not None:
            found += [placer.place(meta, fault, self.judge) for meta, fault in self._operator_checks.problems(operator)]
        role = document.data.get("role")
        member = Member(file.path, operator, claimed_id(document.data), role if isinstance(role, str) else None)
        return CheckedFile(file, member, tuple(finding for finding in found if finding is not None), readable=True)


def _fleet_findings(
    fleet: Fleet, checked: list[CheckedFile], context: Context, checker: FileChecker
) -> Iterator[Finding]:
    sources = {item.source.path: item.source for item in checked}
    placers: dict[str, FilePlacer] = {}

    def placer(path: str) -> FilePlacer:
        if path not in placers:
            source = sources[path]
            document, _ = read_document(source.content)
            placers[path] = FilePlacer(path, source.content, document, checker.disclosure)
        return placers[path]

    for meta, fault in _fleet_problems(fleet, context, checker.rules):
        finding = placer(fault.file).place(meta, fault.problem, checker.judge, elsewhere=placer)
        if finding is not None:
            yield finding


def _settings_findings(fleet: Fleet, context: Context, checker: FileChecker) -> Iterator[Finding]:
    own = replace(context, settings=context.own)
    for rule in checker.rules.settings:
        problems = list(rule.check(fleet, own))
        placer = SettingsPlacer(own.settings, overlaid=rule.overlaid) if problems else None
        placed = (placer.place(rule.meta, problem, checker.judge) for problem in problems if placer is not None)
        yield from (finding for finding in placed if finding is not None)


def _fleet_problems(fleet: Fleet, context: Context, rules: RuleSet) -> Iterator[tuple[RuleMeta, FleetProblem]]:
    for rule in rules.fleets:
        for problem in rule.check(fleet, context):
            yield rule.meta, problem
