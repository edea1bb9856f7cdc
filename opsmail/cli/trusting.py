"""Whether the settings of a commit may be followed: what they allow that those recorded with the head do not."""

from __future__ import annotations

from collections.abc import Iterator

from opsmail.check.rules.change import severity_of
from opsmail.cli.authors import wrote_settings
from opsmail.cli.proofs import now, trusted_keys
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.evidence.envelope import VerifiedStatement
from opsmail.evidence.facts import Approval
from opsmail.evidence.files import FOLDER, list_envelopes, verify_files
from opsmail.evidence.judge import Evidence, Missing, Wanted
from opsmail.evidence.keys import TrustedKey
from opsmail.evidence.statement import Kind
from opsmail.messages import Message, msg
from opsmail.settings.load import Settings
from opsmail.settings.loosening import loosenings
from opsmail.settings.trust import recorded, trust_part
from opsmail.store.generation import Published
from opsmail.store.interface import Store
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class TrustChange:
    """How far the settings of a commit go beyond those that are recorded with the head.

    Args:
        digest: of the commit's settings, `sha256:` and hex.
        loosened: what they allow and the recorded ones do not; empty where they are alike or stricter.
        former: the recorded ones; None before the first publish, and where they cannot be read.
    """

    digest: str
    loosened: tuple[Message, ...]
    former: Settings | None


def trust_change(store: Store | None, published: Published, settings: Settings) -> TrustChange:
    """Compare the settings of a commit with those that are recorded with the head.

    Args:
        store: where the record is; None where there is no store yet.
        published: the head.
        settings: of the commit.
    """
    generation = published.generation
    if store is None or generation is None:
        return TrustChange(settings.digest, (), None)
    unknown = msg("generation {number} does not tell what its settings trusted", number=generation.number)
    if generation.trust is None:
        alike = generation.settings_digest == settings.digest
        return TrustChange(settings.digest, () if alike else (unknown,), None)
    try:
        former = recorded(store.read([generation.trust])[generation.trust], settings.environment)
    except ValueError:
        return TrustChange(settings.digest, (unknown,), None)
    loosened = tuple(found.message for found in loosenings(former, trust_part(settings), severity_of()))
    return TrustChange(settings.digest, loosened, former)


def find_approval(
    session: Session, revision: Revision, change: TrustChange, published: str | None
) -> VerifiedStatement | None:
    """Return the statement that approves the settings of a commit; None where there is none, or none is needed.

    It is signed by a key that was trusted for it before, and the approver wrote nothing of the change.

    Args:
        session: where evidence is.
        revision: the commit.
        change: what has to be approved.
        published: the published commit.
    """
    if change.former is None or not change.loosened:
        return None
    settings = revision.settings
    evidence = Evidence(verify_files(list_envelopes(session.root / FOLDER), list(_approvers(change.former, settings))))
    wanted = Wanted(
        kind=Kind.APPROVAL,
        subject=f"settings:{settings.environment}",
        digest=change.digest,
        repository=revision.origin.repository,
        environment=settings.environment,
        settings_digest=change.digest,
        max_age=change.former.file.gate.max_age.length,
    )
    answer = evidence.find(wanted, now())
    if isinstance(answer, Missing) or not isinstance(answer.verified.statement.facts, Approval):
        return None
    approver = answer.verified.statement.facts.approver
    if wrote_settings(revision, approver, published):
        session.console.say(
            msg("the approval of the settings by {approver} does not count: the change is their own", approver=approver)
        )
        return None
    return answer.verified


def _approvers(former: Settings, settings: Settings) -> Iterator[TrustedKey]:
    """Return the keys that were trusted; what the commit revokes is believed no longer, whatever it signed before."""
    revoked = {key.public for key in trusted_keys(settings) if key.revoked}
    return (key for key in trusted_keys(former) if key.public not in revoked)
