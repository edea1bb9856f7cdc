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


def check_refusals(errors: Sequence[Finding]) -> Iterator[Refusal]:
    """Yield a refusal for each error of the check that has just run on the commit."""
    for finding in errors:
        message = msg(
            "{rule} at {file}:{line}: {message}",
            rule=finding.rule.id,
            file=finding.file,
            line=finding.span.line,
            message=finding.message,
        )
        yield Refusal(message, finding.operator, finding.help)


def descent_refusals(commit: str, published: str, *, descends: bool | None) -> Iterator[Refusal]:
    """Yield a refusal unless `commit` comes after the published one.

    Args:
        commit: what is to be published.
        published: what is, both full ids.
        descends: what the history says; None where it does not tell.
    """
    if descends is None:
        yield Refusal(
            msg("the published commit {published} is not in the history that is here", published=published[:12]),
            hint=msg("fetch the whole history (`git fetch --unshallow`, in CI `fetch-depth: 0`)"),
        )
    elif not descends:
        yield Refusal(
            msg(
                "commit {commit} does not come after the published one, {published}",
                commit=commit[:12],
                published=published[:12],
            ),
            hint=msg("publish the newest commit; an old pipeline run cannot bring old settings back"),
        )


def trust_refusals(loosened: Sequence[Message], settings_digest: str, accepted: str | None) -> Iterator[Refusal]:
    """Yield a refusal for each thing that the settings allow and those recorded with the head do not.

    Args:
        loosened: what that is.
        settings_digest: of the settings, `sha256:` and hex.
        accepted: the digest of the settings that somebody has accepted by name; None where nobody has.
    """
    if accepted == settings_digest:
        return
    hint = msg(
        "whoever owns the settings approves them with `opsmail approve --settings`, or look at the change and pass "
        "`--accept-settings {digest}`",
        digest=settings_digest,
    )
    for what in loosened:
        yield Refusal(msg("the settings allow more than those of the last publish: {what}", what=what), hint=hint)


def judge(plan: Plan, gate: Gate, evidence: Evidence, now: datetime) -> Verdict:
    """Look for the proof of each change.

    Args:
        plan: what would change.
        gate: what is required.
        evidence: all that is at hand, verified.
        now: the time, with its zone.
    """
    refusals = []
    proofs = {}
    for change in plan.changes:
        if change.action is Action.DELETE:
            continue  # What goes needs no proof that it works.
        found = []
        for kind in gate.require:
            answer = evidence.find(_wanted(plan, change, Kind(kind.value), gate), now)
            if isinstance(answer, Missing):
                refusals.append(Refusal(answer.message, change.operator, answer.hint))
            else:
                found.append(answer.verified)
        proofs[change.operator] = tuple(found)
    return Verdict(tuple(refusals), proofs)


def _wanted(plan: Plan, change: Change, kind: Kind, gate: Gate) -> Wanted:
    return Wanted(
        kind=kind,
        subject=f"operator:{change.operator}",
        digest=str(change.after),
        repository=plan.repository,
        environment=plan.environment,
        settings_digest=plan.settings_digest,
        max_age=gate.max_age.length,
    )
