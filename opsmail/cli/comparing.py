"""Options that set findings against what is known: a revision, or a baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from opsmail.check.result import CheckResult
from opsmail.cli.options import Function, bundled
from opsmail.cli.session import Session
from opsmail.errors import UsageError
from opsmail.findings import Finding
from opsmail.messages import msg
from opsmail.source.tree import Tree
from opsmail.values import dataclass

if TYPE_CHECKING:
    from opsmail.check.interface import Context


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
        from opsmail.check.comparison import new_findings

        return tuple(new_findings(findings, self.findings))


@dataclass(frozen=True, slots=True)
class Comparing:
    """What findings are set against; see the options' help.

    Args:
        base: the revision to compare with.
        new_only: whether only findings are told that it does not have.
        trust: the revision whose settings judge.
        baseline: the file of known findings, as it was typed.
        write_baseline: whether it is written.
    """

    base: str | None = None
    new_only: bool = False
    trust: str | None = None
    baseline: str | None = None
    write_baseline: bool = False

    @property
    def judge(self) -> str | None:
        """The revision whose settings judge; None where the change's own do."""
        return self.base if self.trust is None else self.trust

    def known(self, session: Session, context: Context, *, whole: bool, waivers: bool) -> Known:
        """Return what a run is checked with.

        Args:
            session: where the files are.
            context: the circumstances by the change's own settings.
            whole: whether all operators are checked.
            waivers: whether they mute findings.

        Raises:
            UsageError: options that do not go together, a revision or file that is not there or not usable.
        """
        if self.new_only and self.base is None:
            raise UsageError(
                msg("--new-only needs a revision to compare with"), hint=msg("add --base, for example --base main")
            )
        known = Known(context)
        if self.judge is not None:
            from opsmail.cli.compared import compared

            known = compared(session, self, self.judge, context, waivers=waivers)
        if self.baseline is not None or self.write_baseline:
            from opsmail.cli.baselined import with_baseline

            known = with_baseline(session, self, known, whole=whole)
        return known


def comparing_options(function: Function) -> Function:
    """Add the options, and pass what they say as `comparing`."""

    @click.option(
        "--base",
        metavar="REV",
        help="Compare with this revision: what the change does to waivers, settings and destinations of credentials is "
        "told too, and operators are judged by the settings, catalogue and waivers of REV, not by the change's own.",
    )
    @click.option("--new-only", is_flag=True, help="Tell only findings that the revision of --base does not have.")
    @click.option(
        "--trust",
        metavar="REV",
        help="Judge by the settings, catalogue and waivers of this revision; they beat those of --base.",
    )
    @click.option(
        "--baseline",
        metavar="FILE",
        help="Leave out the findings that this file has, for adopting opsmail on an old fleet. "
        "With --base or --trust, only what the revision's file has too.",
    )
    @click.option(
        "--write-baseline",
        is_flag=True,
        help="Write the findings of now to the file of --baseline (opsmail-baseline.json without it); from a file that "
        "exists, what is gone is taken out and nothing is added.",
    )
    def wrapper(
        *arguments: Any,
        base: str | None,
        new_only: bool,
        trust: str | None,
        baseline: str | None,
        write_baseline: bool,
        **options: Any,
    ) -> Any:
        return function(*arguments, comparing=Comparing(base, new_only, trust, baseline, write_baseline), **options)

    return bundled(function, wrapper)
