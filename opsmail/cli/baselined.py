"""`check --baseline` and `--write-baseline`: the file of known findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from opsmail.check.baseline import MAX_BYTES, Baseline, IsUnwaivable
from opsmail.check.judging import EVERYTHING
from opsmail.check.result import CheckResult
from opsmail.check.rules import all_rules
from opsmail.check.severity import Judge
from opsmail.cli.comparing import Comparing
from opsmail.cli.known import Known
from opsmail.cli.outputs import Output
from opsmail.cli.session import Session
from opsmail.errors import UsageError
from opsmail.findings import Finding
from opsmail.messages import msg, msgn
from opsmail.settings.model import Policy
from opsmail.source.tree import SourceError, Tree

DEFAULT_NAME = "opsmail-baseline.json"


def with_baseline(session: Session, options: Comparing, known: Known, *, whole: bool) -> Known:
    """Return what a run is checked with, and its baseline.

    Args:
        session: where the file is.
        options: which file, and whether it is written.
        known: what the run is checked with otherwise.
        whole: whether all operators are checked; of a part of them it is not known what is gone.

    Raises:
        BaselineError: the file is no baseline.
        UsageError: it is not there or cannot be read, or options do not go together.
    """
    file = session.relative(options.baseline or DEFAULT_NAME)
    policy = known.context.settings.file.policy
    # Of a part of the rules it is not known what is gone, either.
    whole = whole and known.context.judging == EVERYTHING
    own = _read(session.worktree, file)
    if options.write_baseline:
        if not whole or known.judge is not None:
            raise UsageError(
                msg("--write-baseline is for all operators and rules, judged by their own settings"),
                hint=msg("leave out the paths, --base, --trust, --select, --ignore and --profile"),
            )
        return replace(known, baseline=_Writing(session, file, policy, own))
    if own is None:
        raise UsageError(
            msg("there is no baseline {file}", file=file),
            hint=msg("write it: `opsmail check --baseline {file} --write-baseline`", file=file),
        )
    if known.judge is not None and not file.startswith("../"):
        trusted = _trusted(known.judge, file, str(options.judge))
        added = len(own.without(trusted))
        if added:
            session.console.say(
                msgn(
                    "{count} finding of {file} is not in that of {revision}, so it counts",
                    "{count} findings of {file} are not in that of {revision}, so they count",
                    added,
                    file=file,
                    revision=options.judge,
                )
            )
        own = own.within(trusted)
    return replace(known, baseline=_Reading(session, file, policy, own, whole))


def _trusted(tree: Tree, file: str, revision: str) -> Baseline:
    try:
        return _read(tree, file) or Baseline({})
    except UsageError as error:
        raise UsageError(
            msg("in {revision}, {reason}", revision=revision, reason=error.message),
            hint=msg("correct it in a change that is checked without --base and --trust"),
        ) from error


def _read(tree: Tree, file: str) -> Baseline | None:
    try:
        content = tree.read(file, MAX_BYTES)
    except SourceError as error:
        raise UsageError(error.message, hint=error.hint) from error
    return None if content is None else Baseline.parse(content, file)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Leaves out the findings that a baseline has, and says what in it is of no use."""

    session: Session
    file: str
    policy: Policy
    baseline: Baseline
    whole: bool

    def __call__(self, result: CheckResult) -> tuple[Finding, ...]:
        is_unwaivable = _is_unwaivable(self.policy, result.findings)
        refused = self.baseline.unwaivable(is_unwaivable)
        if refused.counts:
            rules = sorted({identity.rule for identity in refused.counts})
            self.session.console.say(
                msg("{file} cannot mute {rules}: what they find counts", file=self.file, rules=", ".join(rules))
            )
        gone = len(self.baseline.without(refused).without(Baseline.of(result.findings, is_unwaivable)))
        if gone and self.whole:
            self.session.console.say(
                msgn(
                    "{count} finding of {file} is gone; take it out: "
                    "`opsmail check --baseline {file} --write-baseline`",
                    "{count} findings of {file} are gone; take them out: "
                    "`opsmail check --baseline {file} --write-baseline`",
                    gone,
                    file=self.file,
                )
            )
        return tuple(self.baseline.unknown(result.findings, is_unwaivable))


@dataclass(frozen=True, slots=True)
class _Writing:
    """Writes the baseline, and leaves out the findings that are in it then; `own` is what was in it before."""

    session: Session
    file: str
    policy: Policy
    own: Baseline | None

    def __call__(self, result: CheckResult) -> tuple[Finding, ...]:
        is_unwaivable = _is_unwaivable(self.policy, result.findings)
        found = Baseline.of(result.findings, is_unwaivable)
        kept = found if self.own is None else self.own.within(found)
        if self.own is None or self.own.without(kept).counts:
            kept.require_bounds(self.file)
            Output("json", Path(self.session.root, self.file)).write(self.session.console, kept.render())
        self._tell(kept, found)
        return tuple(kept.unknown(result.findings, is_unwaivable))

    def _tell(self, kept: Baseline, found: Baseline) -> None:
        say = self.session.console.say
        if self.own is None:
            say(
                msgn(
                    "{count} finding written to {file}", "{count} findings written to {file}", len(kept), file=self.file
                )
            )
            return
        gone, new = len(self.own.without(kept)), len(found.without(kept))
        say(msg("{gone} taken out of {file}, {count} left", gone=gone, file=self.file, count=len(kept)))
        if new:
            say(
                msgn(
                    "{count} finding is not in {file} and was not added; to start over, delete the file",
                    "{count} findings are not in {file} and were not added; to start over, delete the file",
                    new,
                    file=self.file,
                )
            )


def _is_unwaivable(policy: Policy, findings: Sequence[Finding]) -> IsUnwaivable:
    judge = Judge(policy)
    # An organisation's own rules are known by what they found.
    metas = {finding.rule.id: finding.rule for finding in findings} | all_rules()
    unwaivable = {rule for rule, meta in metas.items() if judge.is_unwaivable(meta)}
    return unwaivable.__contains__
