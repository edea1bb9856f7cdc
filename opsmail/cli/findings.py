"""Findings in commands that are not about them."""

from __future__ import annotations

from collections.abc import Sequence

from opsmail.check.result import CheckResult
from opsmail.cli.session import Session
from opsmail.findings import Finding
from opsmail.output.findings import Report, Summary, text


def show_findings(session: Session, findings: Sequence[Finding], checked: CheckResult) -> None:
    """Show findings as `check` does, but on standard error: they are not what the command results in."""
    report = Report(tuple(findings), Summary.of(findings, checked.members), checked.members)
    session.console.progress(text.render(report, session.console.language, session.console.style).rstrip("\n"))
