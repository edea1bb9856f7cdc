"""Whether a commit may be published: everything that stands in the way, in one list."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from opsmail.check.result import CheckResult
from opsmail.cli.authors import own_approvals
from opsmail.cli.planning import Prepared
from opsmail.cli.proofs import evidence_at_hand, now
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.cli.trusting import find_approval
from opsmail.evidence.envelope import VerifiedStatement
from opsmail.messages import msg
from opsmail.publish.gate import (
    Refusal,
    Verdict,
    check_refusals,
    descent_refusals,
    glass_refusals,
    hold_refusals,
    judge,
    trust_refusals,
)
from opsmail.publish.kept import keep, masters, mixed_fleet_refusals
from opsmail.publish.limits import Allowances, violations
from opsmail.publish.marks import MarkKind, marked
from opsmail.publish.plan import make_plan
from opsmail.publish.publisher import Proofs
from opsmail.publish.saved import SavedPlan, StalePlanError, require_same
from opsmail.store.generation import Published

_NOTHING = Proofs((), {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the person who publishes asks for.

    Args:
        saved: the plan that was approved; None without one.
        allowed: which limits may be passed.
        accepted: the digest of the settings that are accepted; None where none are.
        skip_unproven: publish what is proven, and leave the rest as it is published.
        glass: operators that may go live unproven.
    """

    saved: SavedPlan | None
    allowed: Allowances
    accepted: str | None
    skip_unproven: bool
    glass: frozenset[str]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What comes of it.

    Args:
        refusals: empty when the plan may go live.
        prepared: what is published then: less than was asked for, where something is left out.
        proofs: what is published with it.
        left: why operators were left out.
        broken: operators that go live unproven.
    """

    refusals: tuple[Refusal, ...]
    prepared: Prepared
    proofs: Proofs = _NOTHING
    left: tuple[Refusal, ...] = ()
    broken: tuple[str, ...] = ()


def judge_publish(
    session: Session, revision: Revision, checked: CheckResult, prepared: Prepared, request: Request
) -> Judgement:
    """Judge a publish: first what makes the plan meaningless, then, where nothing does, limits and proofs.

    Args:
        session: where evidence is looked for.
        revision: the commit.
        checked: the check that has just run on it.
        prepared: what a publish would do now.
        request: what is asked for.
    """
    groundless = (
        *check_refusals(checked.errors()),
        *descent(revision, prepared.published),
        *_staleness(request.saved, prepared),
        *hold_refusals(prepared.plan, marked(prepared.marks, MarkKind.HELD)),
        *glass_refusals(prepared.plan, request.glass),
    )
    if groundless:
        return Judgement(groundless, prepared)
    published = published_commit(prepared.published)
    approval = find_approval(session, revision, prepared.trust, published)
    trust = prepared.trust
    untrusted = () if approval else trust_refusals(trust.loosened, trust.digest, request.accepted)
    evidence = evidence_at_hand(session.root, revision.settings)
    verdict = judge(prepared.plan, revision.settings.file.gate, evidence, now(), request.glass)
    unproven = (*verdict.refusals, *own_approvals(revision, checked, verdict.proofs, published))
    left: tuple[Refusal, ...] = ()
    if request.skip_unproven and not _of_masters(unproven, prepared):
        left, unproven = unproven, ()
        prepared = _without(prepared, {str(refusal.operator) for refusal in left}, revision)
    over = (
        Refusal(violation.message, hint=msg("`{option}` allows it", option=violation.option))
        for violation in violations(prepared.plan, revision.settings.file.store, request.allowed)
    )
    mixed = mixed_fleet_refusals(prepared.wanted) if left or prepared.plan.held else ()
    refusals = (*untrusted, *over, *mixed, *unproven)
    if refusals:
        return Judgement(refusals, prepared, left=left)
    broken = tuple(name for name in verdict.broken if name in prepared.plan.changing)
    return Judgement((), prepared, _proofs(verdict, prepared, approval), left, broken)


def published_commit(published: Published) -> str | None:
    """Return the commit of a generation; None before the first publish."""
    return None if published.generation is None else published.generation.commit


def descent(revision: Revision, published: Published) -> Iterator[Refusal]:
    """Yield a refusal unless the commit comes after the published one."""
    before = published_commit(published)
    if before is not None:
        commit = revision.origin.commit
        descends = revision.repository.descends(commit, before)
        yield from descent_refusals(commit, before, descends=descends)


def _staleness(saved: SavedPlan | None, prepared: Prepared) -> Sequence[Refusal]:
    try:
        if saved is not None:
            require_same(saved, prepared.plan)
    except StalePlanError as error:
        return [Refusal(error.message, hint=error.hint)]
    return []


def _of_masters(refusals: Sequence[Refusal], prepared: Prepared) -> bool:
    """Whether one of these is the master, or is to be: without a proven one the scheduler sends nothing."""
    names = {refusal.operator for refusal in refusals}
    before = {
        name: prepared.documents[digest]
        for name, digest in prepared.published.manifest.items()
        if name in names and digest in prepared.documents
    }
    after = {name: document for name, document in prepared.wanted.items() if name in names}
    return bool(masters(before) or masters(after))


def _without(prepared: Prepared, operators: Collection[str], revision: Revision) -> Prepared:
    """Return what is published when these operators stay as they are published."""
    wanted, _ = keep(prepared.wanted, operators, prepared.published, prepared.documents)
    plan = make_plan(prepared.published, prepared.documents, wanted, revision.origin)
    plan = replace(plan, held=prepared.plan.held, revoked=prepared.plan.revoked)
    return replace(prepared, wanted=wanted, plan=plan)


def _proofs(verdict: Verdict, prepared: Prepared, approval: VerifiedStatement | None) -> Proofs:
    found: dict[str, Sequence[VerifiedStatement]] = {
        name: items for name, items in verdict.proofs.items() if items and name in prepared.plan.changing
    }
    if approval is not None:
        found[approval.statement.subject] = (approval,)
    statements = {item.digest: item for items in found.values() for item in items}
    by_subject: Mapping[str, list[str]] = {name: [item.digest for item in items] for name, items in found.items()}
    return Proofs([item.envelope for item in statements.values()], by_subject)
