"""Failures of live tests as findings: each at the line of the field to change, as `check` shows its own."""

from __future__ import annotations

from collections.abc import Sequence

from opsmail.check.disclosure import Disclosure
from opsmail.check.interface import Problem
from opsmail.check.placing import FilePlacer
from opsmail.check.result import CheckResult
from opsmail.check.severity import Judge
from opsmail.check.sources import CheckedSources
from opsmail.cli.revision import Revision
from opsmail.findings import Finding
from opsmail.live.result import Failure, Outcome, TestResult
from opsmail.messages import Message, msg
from opsmail.operator.model import Operator
from opsmail.output.findings import Report, Summary
from opsmail.secrets import known_schemes
from opsmail.settings.model import Policy
from opsmail.source.commit import CommitTree
from opsmail.source.reader import read_document


class Failures:
    """Makes findings of what was tested in one revision.

    Args:
        revision: whose files were tested.
        checked: its check, which knows who is in which file.
    """

    def __init__(self, revision: Revision, checked: CheckResult) -> None:
        self._tree = CommitTree(revision.repository, revision.origin.commit)
        self._contents = {file.path: file.content for file in revision.files}
        self._members = {member.name: member for member in checked.members}
        self._disclosure = Disclosure.of(Operator, known_schemes())
        # No policy makes a test pass that failed, so none ignores or lowers what says so.
        self._judge = Judge(Policy())

    def finding(self, result: TestResult) -> Finding | None:
        """Return why a test did not pass, None for one that did or was not tried, or is of what is in no file."""
        failure = result.failure
        if failure is None or result.operator not in self._members:
            return None
        path = self._members[result.operator].file
        content = self._contents[path]
        placer = FilePlacer(path, content, read_document(content)[0], self._disclosure)
        problem = Problem(failure.diagnosis.path, _message(failure), help=failure.diagnosis.remedy)
        return placer.place(failure.diagnosis.rule, problem, self._judge, operator=result.operator)

    def report(self, results: Sequence[TestResult], environment: str) -> Report:
        """Return the findings of a run, and those who were tested; who was skipped has not passed and is left out.

        Args:
            results: in any order.
            environment: whose settings were used.
        """
        tested = [result for result in results if result.outcome is not Outcome.SKIPPED]
        known = (self._members[result.operator] for result in tested if result.operator in self._members)
        members = sorted(known, key=lambda member: member.file)
        found = [finding for result in tested if (finding := self.finding(result)) is not None]
        findings = tuple(sorted(found, key=lambda finding: finding.file))
        return Report(
            findings,
            Summary.of(findings, members),
            tuple(members),
            CheckedSources(self._tree, known_schemes()),
            environment,
            "test",
        )


def _message(failure: Failure) -> Message:
    stage, cause = failure.stage.value, _cause(failure)
    if failure.outcome is Outcome.FAILED:
        return msg("the live test failed at {stage}: {cause}", stage=stage, cause=cause)
    return msg("the live test is inconclusive at {stage}: {cause}", stage=stage, cause=cause)


def _cause(failure: Failure) -> Message:
    """Return the cause, with what was seen where the cause does not quote it."""
    cause = failure.diagnosis.cause
    seen = str(failure.detail if failure.reply is None else failure.reply)
    return cause if seen in str(cause) else msg("{cause} ({detail})", cause=cause, detail=failure.detail)
