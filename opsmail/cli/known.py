"""What a check is made with, and what of its findings is known already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from opsmail.check.comparison import new_findings
from opsmail.check.interface import Context
from opsmail.check.result import CheckResult
from opsmail.findings import Finding
from opsmail.source.tree import Tree


@dataclass(frozen=True, slots=True)
class Known:
    """What a run is checked with, and what of its findings is known already.

    Args:
        context: the circumstances of the check.
        findings: of the revision that it is compared with, where only new ones are told; None where all are.
        baseline: returns what is not in the baseline; None without one.
        judge: the files of the revision whose settings judge; None where the change's own do.
    """

    context: Context
    findings: tuple[Finding, ...] | None = None
    baseline: Callable[[CheckResult], tuple[Finding, ...]] | None = None
    judge: Tree | None = None

    def leave_out(self, result: CheckResult) -> CheckResult:
        """Return a check without what is in the baseline and, where only new findings are told, was known before."""
        unknown = result.findings if self.baseline is None else self.baseline(result)
        baselined = len(result.findings) - len(unknown)
        new = self.new(unknown)
        return replace(result, findings=new, baselined=baselined, old=len(unknown) - len(new))

    def new(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """Return the findings that were not known before; all of them, where all are told."""
        if self.findings is None:
            return findings
        return tuple(new_findings(findings, self.findings))
