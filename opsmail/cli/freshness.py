"""Fresh evidence of what is published already: kept, and noted in the log, without a generation."""

from __future__ import annotations

from opsmail.cli.planning import Prepared
from opsmail.cli.proofs import evidence_at_hand, now
from opsmail.cli.publishing import Publishing
from opsmail.evidence.facts import format_time
from opsmail.messages import msgn
from opsmail.publish.gate import proofs_of
from opsmail.publish.publisher import record_evidence
from opsmail.store.interface import MissingBlobs


def record_fresh(publishing: Publishing, prepared: Prepared) -> None:
    """Keep the evidence at hand that proves what is published and is not in the store yet.

    Raises:
        HeadMoved: somebody else published meanwhile.
        StoreUnavailable: it cannot be written.
    """
    session, settings = publishing.session, publishing.revision.settings
    published = prepared.published
    evidence = evidence_at_hand(session.root, settings)
    proofs = proofs_of(prepared.plan, published.manifest, settings.file.gate, evidence, now())
    statements = {item.digest: item for items in proofs.values() for item in items}
    try:
        publishing.store.read(statements)
    except MissingBlobs as missing:
        new = set(missing.digests)
    else:
        return
    envelopes = {digest: statements[digest].envelope for digest in new}
    told = {name: [item.digest for item in items if item.digest in new] for name, items in proofs.items()}
    told = {name: digests for name, digests in told.items() if digests}
    record_evidence(publishing.store, published.head, envelopes, told, format_time(now()))
    session.console.say(
        msgn("fresh evidence of {count} operator is kept", "fresh evidence of {count} operators is kept", len(told))
    )
