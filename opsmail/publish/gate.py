"""The gate: what has to be proven before anything goes live. It only ever refuses; nothing here makes a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsmail.evidence.envelope import VerifiedStatement
from opsmail.evidence.judge import Evidence, Missing, Wanted
from opsmail.evidence.statement import Kind
from opsmail.findings import Finding
from opsmail.messages import Message, msg
from opsmail.publish.plan import Action, Change, Plan
from opsmail.settings.model import Gate


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why a plan does not go live.

    Args:
        message: what is missing or wrong.
        operator: whose; None where it concerns all.
        hint: what to do.
    """

    message: Message
    operator: str | None = None
    hint: Message | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says.

    Args:
        refusals: empty when the plan may go live.
        proofs: operator to the statements that prove it.
    """

    refusals: tuple[Refusal, ...]
    proofs: Mapping[str, tuple[VerifiedStatement, ...]]


def judge(
    plan: Plan, gate: Gate, evidence: Evidence, now: datetime, *, errors: Sequence[Finding], descends: bool
) -> Verdict:
    """Judge a plan.

    Args:
        plan: what would change.
        gate: what is required.
        evidence: all that is at hand, verified.
        now: the time, with its zone.
        errors: of the check that has just run on the plan's commit.
        descends: whether that commit comes after the published one.
    """
    refusals = [_check_error(finding) for finding in errors]
    if not descends:
        refusals.append(
            Refusal(
                msg("commit {commit} does not come after the published one", commit=plan.commit[:12]),
                hint=msg("publish the newest commit; an old pipeline run cannot bring old settings back"),
            )
        )
    proofs: dict[str, tuple[VerifiedStatement, ...]] = {}
    for change in proven_changes(plan):
        found = []
        for kind in gate.require:
            answer = evidence.find(_wanted(plan, change, Kind(kind.value), gate), now)
            if isinstance(answer, Missing):
                refusals.append(Refusal(answer.message, change.operator, answer.hint))
            else:
                found.append(answer.verified)
        proofs[change.operator] = tuple(found)
    return Verdict(tuple(refusals), proofs)


def proven_changes(plan: Plan) -> Iterator[Change]:
    """Yield the changes that need proof: what is new or different. What is deleted or as before needs none."""
    return (change for change in plan.changes if change.action in (Action.CREATE, Action.UPDATE))


def _wanted(plan: Plan, change: Change, kind: Kind, gate: Gate) -> Wanted:
    return Wanted(
        kind=kind,
        subject=f"operator:{change.operator}",
        digest=change.after or "",
        repository=plan.repository,
        environment=plan.environment,
        settings_digest=plan.settings_digest,
        max_age=gate.max_age.length,
    )


def _check_error(finding: Finding) -> Refusal:
    message = msg(
        "{rule} at {file}:{line}: {message}",
        rule=finding.rule.id,
        file=finding.file,
        line=finding.span.line,
        message=finding.message,
    )
    return Refusal(message, finding.operator, finding.help)
