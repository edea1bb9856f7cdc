"""What the store serves, for pages about the whole fleet."""

from __future__ import annotations

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.session import Session
from opsmail.evidence.envelope import statement_in
from opsmail.evidence.invalid import InvalidEvidence
from opsmail.messages import msg
from opsmail.publish.ancestry import newest_evidence
from opsmail.report.fleet import Served, Step
from opsmail.settings.load import Settings
from opsmail.store.generation import Verify, read_envelopes, read_published
from opsmail.store.interface import StoreDamaged, StoreMissing, StoreUnavailable

#: So many generations are shown.
_STEPS = 20


def what_is_served(session: Session, settings: Settings) -> tuple[Served | None, ExitCode]:
    """Return what the store says; a report without it is better than none, and says so."""
    verify = generation_verifier(settings)
    try:
        with opened_store(session, settings) as store:
            published = read_published(store, settings.environment, verify)
            last = published.head.number
            kept = read_envelopes(store, settings.environment, after=max(0, last - _STEPS), limit=_STEPS)
            proofs = store.read(set(newest_evidence(store, published)))
    except StoreMissing:
        return None, ExitCode.DONE
    except (StoreUnavailable, InvalidEvidence) as error:
        session.console.error(error, msg("warning"))
        return None, ExitCode.UNAVAILABLE
    steps = (_step(number, envelope, verify) for number, (_, envelope) in sorted(kept.items(), reverse=True))
    statements = tuple(statement_in(envelope) for envelope in proofs.values())
    return Served(published.manifest, tuple(steps), statements), ExitCode.DONE


def _step(number: int, envelope: bytes, verify: Verify) -> Step:
    try:
        return Step(number, verify(envelope))
    except (InvalidEvidence, StoreDamaged) as error:
        return Step(number, None, error.message)
