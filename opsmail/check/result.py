"""What a check results in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opsmail.findings import Finding, Severity
from opsmail.values import dataclass

if TYPE_CHECKING:
    from opsmail.check.facts import Facts
    from opsmail.operator.model import Operator


class Member(NamedTuple):
    """An operator as one of many.

    Args:
        file: where it is written.
        operator: None where the file could not be taken as an operator, or where nobody needs more than its facts.
        name: the id it claims, also where the rest could not be read.
        role: the role it claims, likewise; None where it claims none.
        facts: what rules about the fleet go by; None where there is no operator, or where they have had their say.
    """

    file: str
    operator: Operator | None
    name: str | None
    role: str | None
    facts: Facts | None = None


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
