"""The gate: what has to be proven before anything goes live. It only ever refuses; nothing here makes a change."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from opsmail.evidence.envelope import VerifiedStatement
from opsmail.evidence.judge import Evidence, Missing, Wanted
from opsmail.evidence.statement import Kind
from opsmail.findings import Finding
from opsmail.messages import Message, msg
from opsmail.publish.marks import Mark
from opsmail.publish.plan import Action, Plan
from opsmail.settings.model import Gate
from opsmail.settings.notation import Duration
from opsmail.values import dataclass

_ANY_AGE = Duration("–", timedelta.max)


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
        broken: operators that lack proof which the breaking of glass makes up for, in the order of names.
    """

    refusals: tuple[Refusal, ...]
    proofs: Mapping[str, tuple[VerifiedStatement, ...]]
    broken: tuple[str, ...] = ()


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


def hold_refusals(plan: Plan, held: Mapping[str, Mark]) -> Iterator[Refusal]:
    """Yield a refusal for each held operator where holds keep back everything that would change.

    Args:
        plan: what would change.
        held: who is held, since when, by whom and why.
    """
    if plan.changes:
        return
    for operator in plan.held:
        mark = held[operator]
        yield Refusal(
            msg(
                "held as it is published since generation {number}, by {actor}: {reason}",
                number=mark.generation,
                actor=mark.actor,
                reason=mark.reason or "–",
            ),
            operator,
            msg("`opsmail release {operator}` ends it", operator=operator),
        )


def glass_refusals(plan: Plan, glass: Collection[str]) -> Iterator[Refusal]:
    """Yield a refusal for each operator for which glass is to be broken and nothing is to be published."""
    published = {change.operator for change in plan.changes if change.action is not Action.DELETE}
    for operator in sorted(set(glass) - published):
        what = msg("it is held as it is published") if operator in plan.held else msg("it does not change")
        yield Refusal(
            msg("no glass is broken for what is not published now: {what}", what=what),
            operator,
            msg("leave `--operator {operator}` out", operator=operator),
        )


def judge(plan: Plan, gate: Gate, evidence: Evidence, now: datetime, glass: Collection[str] = ()) -> Verdict:
    """Look for the proof of each change.

    Args:
        plan: what would change.
        gate: what is required.
        evidence: all that is at hand, verified.
        now: the time, with its zone.
        glass: operators that may go live without a test send, and with proof of any age.
    """
    refusals = []
    proofs = {}
    broken = []
    for change in plan.changes:
        if change.action is Action.DELETE:
            continue  # What goes needs no proof that it works.
        found, missing = _look(plan, change.operator, str(change.after), gate, evidence, now)
        if missing and change.operator in glass:
            any_age = replace(gate, max_age=_ANY_AGE)
            found, missing = _look(plan, change.operator, str(change.after), any_age, evidence, now)
            missing = [item for item in missing if item[0] is not Kind.TEST_SEND]
            broken.append(change.operator)
        refusals += [Refusal(answer.message, change.operator, answer.hint) for _, answer in missing]
        proofs[change.operator] = tuple(found)
    return Verdict(tuple(refusals), proofs, tuple(broken))


def proofs_of(
    plan: Plan, manifest: Mapping[str, str], gate: Gate, evidence: Evidence, now: datetime
) -> dict[str, tuple[VerifiedStatement, ...]]:
    """Return what of the evidence proves operators as they are published, by operator.

    Args:
        plan: says of which repository, environment and settings the proof has to be.
        manifest: operator to the SHA-256 of its document.
        gate: what is required.
        evidence: all that is at hand, verified.
        now: the time, with its zone.
    """
    found = {name: _look(plan, name, digest, gate, evidence, now)[0] for name, digest in manifest.items()}
    return {name: tuple(items) for name, items in found.items() if items}


def _look(
    plan: Plan, operator: str, digest: str, gate: Gate, evidence: Evidence, now: datetime
) -> tuple[list[VerifiedStatement], list[tuple[Kind, Missing]]]:
    """Return what proves an operator with this digest, and which kinds of proof are missing."""
    found, missing = [], []
    for required in gate.require:
        kind = Kind(required.value)
        answer = evidence.find(_wanted(plan, operator, digest, kind, gate), now)
        if isinstance(answer, Missing):
            missing.append((kind, answer))
        else:
            found.append(answer.verified)
    return found, missing


def _wanted(plan: Plan, operator: str, digest: str, kind: Kind, gate: Gate) -> Wanted:
    return Wanted(
        kind=kind,
        subject=f"operator:{operator}",
        digest=digest,
        repository=plan.repository,
        environment=plan.environment,
        settings_digest=plan.settings_digest,
        max_age=gate.max_age.length,
    )
