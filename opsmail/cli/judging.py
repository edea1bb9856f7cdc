"""Whether a commit may be published: everything that stands in the way, in one list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from opsmail.check.result import CheckResult
from opsmail.cli.authors import own_approvals
from opsmail.cli.planning import Prepared
from opsmail.cli.proofs import evidence_at_hand, now
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.cli.trusting import find_approval
from opsmail.errors import RefusedError
from opsmail.evidence.envelope import VerifiedStatement
from opsmail.evidence.files import read_envelope
from opsmail.messages import msg
from opsmail.publish.gate import Refusal, check_refusals, descent_refusals, judge, trust_refusals
from opsmail.publish.limits import Allowances, violations
from opsmail.publish.publisher import Proofs
from opsmail.publish.saved import SavedPlan, StalePlanError, require_same

_NOTHING = Proofs((), {})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What comes of it.

    Args:
        refusals: empty when the plan may go live.
        proofs: what is published with it then.
    """

    refusals: tuple[Refusal, ...]
    proofs: Proofs


def judge_publish(
    session: Session,
    revision: Revision,
    checked: CheckResult,
    prepared: Prepared,
    saved: SavedPlan | None,
    allowed: Allowances,
    accepted: str | None,
) -> Judgement:
    """Judge a publish: first what makes the plan meaningless, then, where nothing does, limits and proofs.

    Args:
        session: where evidence is looked for.
        revision: the commit.
        checked: the check that has just run on it.
        prepared: what a publish would do now.
        saved: the plan that was approved; None without one.
        allowed: by options.
        accepted: the digest of the settings that somebody accepts; None where nobody does.
    """
    groundless = (*check_refusals(checked.errors()), *_descent(revision, prepared), *_staleness(saved, prepared))
    if groundless:
        return Judgement(groundless, _NOTHING)
    over = (
        Refusal(violation.message, hint=msg("`{option}` allows it", option=violation.option))
        for violation in violations(prepared.plan, revision.settings.file.store, allowed)
    )
    approval = find_approval(session, revision, prepared.trust, _published_commit(prepared))
    trust = prepared.trust
    untrusted = () if approval else trust_refusals(trust.loosened, trust.digest, accepted)
    evidence = evidence_at_hand(session.root, revision.settings)
    verdict = judge(prepared.plan, revision.settings.file.gate, evidence, now())
    found = dict(verdict.proofs)
    proofs = [(name, item) for name, items in found.items() for item in items]
    own = own_approvals(revision, checked, proofs, _published_commit(prepared))
    refusals = (*untrusted, *over, *verdict.refusals, *own)
    if refusals:
        return Judgement(refusals, _NOTHING)
    if approval is not None:
        found[approval.statement.subject] = (approval,)
    statements = {item.digest: item for items in found.values() for item in items}
    by_subject = {name: [item.digest for item in items] for name, items in found.items() if items}
    return Judgement((), Proofs([_envelope(item) for item in statements.values()], by_subject))


def _published_commit(prepared: Prepared) -> str | None:
    published = prepared.published.generation
    return None if published is None else published.commit


def _descent(revision: Revision, prepared: Prepared) -> Iterator[Refusal]:
    published = _published_commit(prepared)
    if published is not None:
        commit = revision.origin.commit
        descends = revision.repository.descends(commit, published)
        yield from descent_refusals(commit, published, descends=descends)


def _staleness(saved: SavedPlan | None, prepared: Prepared) -> Sequence[Refusal]:
    try:
        if saved is not None:
            require_same(saved, prepared.plan)
    except StalePlanError as error:
        return [Refusal(error.message, hint=error.hint)]
    return []


def _envelope(statement: VerifiedStatement) -> bytes:
    """Return the bytes that were verified; the file may have been exchanged since."""
    content = read_envelope(Path(statement.source))
    if hashlib.sha256(content).hexdigest() != statement.digest:
        raise RefusedError(
            msg("{file} was changed while it was being used", file=statement.source), hint=msg("run the command again")
        )
    return content
