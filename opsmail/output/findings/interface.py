"""What an output of findings gets, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from gettext import NullTranslations
from typing import TYPE_CHECKING, Literal

from opsmail.check.result import Member
from opsmail.expressions import expression
from opsmail.findings import Finding, Severity, Waiver
from opsmail.output.style import Style
from opsmail.values import dataclass

if TYPE_CHECKING:
    from opsmail.check.sources import SourceText

_SITE = "https://opsmail.readthedocs.io/"
#: Where rules are explained.
RULES_URL = f"{_SITE}rules/"
#: Where it is explained what other rules there may be.
_OWN_RULES_URL = f"{_SITE}own-rules/"
_OWN = expression("OM[0-9]{3}")


def rule_url(rule_id: str) -> str:
    """Return where a rule is explained; of one that an organisation adds only `opsmail rule` knows more."""
    return f"{RULES_URL}{rule_id}/" if _OWN.fullmatch(rule_id) else _OWN_RULES_URL


def most_severe_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings for a place that shows only some of them; those of one severity stay in order."""
    return sorted(findings, key=lambda finding: -finding.severity)


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a run.

    Args:
        files: files looked at; each should describe one operator.
        operators: those among them that do, well or badly.
        affected: those among the files whose operator has at least one finding that is not waived.
        errors: findings by severity, waived ones left out; likewise `warnings` and `notes`.
        waived: findings that a waiver mutes.
        fixable: findings with a fix.
        baselined: findings left out because the baseline has them.
        old: findings left out because the revision has them that the run compares with.
    """

    files: int
    operators: int
    affected: int
    errors: int
    warnings: int
    notes: int
    waived: int
    fixable: int
    baselined: int = 0
    old: int = 0

    @classmethod
    def of(cls, findings: Sequence[Finding], members: Sequence[Member], *, baselined: int = 0, old: int = 0) -> Summary:
        """Count the findings of a run over all its files; those that are left out have been counted."""
        active = [finding for finding in findings if finding.waived is None]
        files = {finding.file for finding in active}
        # A finding in waivers.yaml concerns the operator that the waiver names.
        names = {finding.operator for finding in active if finding.operator is not None}
        return cls(
            files=len(members),
            operators=sum(1 for member in members if member.name is not None),
            affected=sum(1 for member in members if member.file in files or member.name in names),
            errors=_count(active, Severity.ERROR),
            warnings=_count(active, Severity.WARNING),
            notes=_count(active, Severity.NOTE),
            waived=len(findings) - len(active),
            fixable=sum(1 for finding in active if finding.fix is not None),
            baselined=baselined,
            old=old,
        )


def _count(findings: Sequence[Finding], severity: Severity) -> int:
    return sum(1 for finding in findings if finding.severity is severity)


def _no_source(path: str) -> SourceText | None:
    return None


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found, as outputs get it.

    Args:
        findings: waived ones included.
        summary: the figures.
        members: every file that was checked.
        source: gives the text of a file by its path, None where there is none.
        environment: the one whose settings were used.
        command: what found them: `check`, or `test`, whose findings are failures of live tests.
    """

    findings: tuple[Finding, ...]
    summary: Summary
    members: tuple[Member, ...] = ()
    source: Callable[[str], SourceText | None] = _no_source
    environment: str = "default"
    command: Literal["check", "test"] = "check"

    @property
    def active(self) -> list[Finding]:
        """The findings that are not waived."""
        return [finding for finding in self.findings if finding.waived is None]

    @property
    def waived(self) -> list[tuple[Finding, Waiver]]:
        """The findings that are, each with its waiver."""
        return [(finding, finding.waived) for finding in self.findings if finding.waived is not None]


#: Renders a report in one language; painted only where the format has any colour.
FindingsFormat = Callable[[Report, NullTranslations, Style], str]
