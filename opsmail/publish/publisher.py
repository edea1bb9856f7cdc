"""The publisher: everything written first, then one swap that readers see, then read back."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import rfc8785

from opsmail.messages import msg
from opsmail.publish.plan import Plan
from opsmail.store.generation import Generation, Published, Verify, read_published
from opsmail.store.interface import Head, OutcomeUnknown, Store, StoreDamaged
from opsmail.store.manifest import split

#: Signs the facts of a generation and returns the envelope.
Sign = Callable[[Generation], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a generation says of its publish besides its content.

    Args:
        actor: who publishes.
        time: when, RFC 3339 in UTC.
        ruleset: the version of the rules.
        required: the kinds of evidence that the gate asked for.
        reason: in words; empty for an ordinary publish.
    """

    actor: str
    time: str
    ruleset: str
    required: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Proofs:
    """The evidence that comes with a publish.

    Args:
        envelopes: the signed statements.
        by_operator: operator to the SHA-256 of the statements that prove it.
    """

    envelopes: Sequence[bytes]
    by_operator: Mapping[str, tuple[str, ...]]


def publish(
    store: Store,
    published: Published,
    plan: Plan,
    wanted: Mapping[str, bytes],
    proofs: Proofs,
    circumstances: Circumstances,
    *,
    sign: Sign,
    verify: Verify,
) -> Generation:
    """Publish what the plan says, all of it or nothing, and return the new generation.

    Args:
        store: where to.
        published: what the plan was made from.
        plan: that passed the gate.
        wanted: operator to canonical document: the whole new fleet.
        proofs: kept with the generation.
        circumstances: who, when, why.
        sign: signs the generation.
        verify: judges what is read back, exactly as a reader will.

    Raises:
        HeadMoved: somebody else published first; nothing was changed.
        StoreUnavailable: the store failed; the old generation is still the published one, or the message says that it is not known.
    """
    manifest = {operator: _digest(content) for operator, content in wanted.items()}
    buckets = split(manifest)
    proven = split({operator: list(digests) for operator, digests in proofs.by_operator.items()})
    head = published.head
    generation = Generation(
        store=head.identity.store,
        epoch=head.identity.epoch,
        environment=head.environment,
        number=head.number + 1,
        parent=head.digest,
        buckets={name: _digest(content) for name, content in buckets.items()},
        operators=len(manifest),
        repository=plan.repository,
        commit=plan.commit,
        settings_digest=plan.settings_digest,
        ruleset=circumstances.ruleset,
        actor=circumstances.actor,
        time=circumstances.time,
        plan=plan.id,
        evidence={name: _digest(content) for name, content in proven.items()},
        reason=circumstances.reason,
        required=circumstances.required,
        last_event=head.last_hash,
    )
    envelope = sign(generation)
    digest = _digest(envelope)
    statements = {_digest(content): content for content in (*proven.values(), *proofs.envelopes, envelope)}
    store.write_missing(_new_blobs(published, wanted, manifest, buckets) | statements)
    _swap(store, head, generation, digest)
    _read_back(store, head.environment, generation, digest, manifest, verify)
    return generation


def record_refusal(store: Store, head: Head, plan: Plan, circumstances: Circumstances, reasons: list[str]) -> None:
    """Put a refused publish into the event log.

    Raises:
        HeadMoved: the log went on meanwhile.
        StoreUnavailable: it cannot be written.
    """
    payload = _event(
        "refused-publish",
        {
            "plan": plan.id,
            "commit": plan.commit,
            "actor": circumstances.actor,
            "time": circumstances.time,
            "reasons": reasons[:100],
        },
    )
    store.append_events(head, [payload])


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _new_blobs(
    published: Published, wanted: Mapping[str, bytes], manifest: Mapping[str, str], buckets: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Return the documents and buckets that differ from what is published: writing is in proportion to the change."""
    old_documents = published.manifest
    old_buckets = {} if published.generation is None else published.generation.buckets
    documents = {
        manifest[operator]: content
        for operator, content in wanted.items()
        if old_documents.get(operator) != manifest[operator]
    }
    changed = {_digest(content): content for name, content in buckets.items() if old_buckets.get(name) != _digest(content)}
    return documents | changed


def _swap(store: Store, head: Head, generation: Generation, digest: str) -> None:
    event = _event(
        "publish",
        {
            "generation": generation.number,
            "digest": digest,
            "plan": generation.plan,
            "commit": generation.commit,
            "actor": generation.actor,
            "time": generation.time,
            "reason": generation.reason,
            # Two attempts at the same plan are two events; the log tells which of them happened.
            "publish": secrets.token_hex(16),
        },
    )
    try:
        store.swap_head(head, number=generation.number, digest=digest, events=[event])
    except OutcomeUnknown:
        if store.generation(head.environment, generation.number) != digest:
            raise


def _event(kind: str, facts: Mapping[str, object]) -> bytes:
    return rfc8785.dumps({"event": kind, **facts})  # type: ignore[dict-item]  # plain JSON values, all of them


def _read_back(
    store: Store, environment: str, generation: Generation, digest: str, manifest: Mapping[str, str], verify: Verify
) -> None:
    """Read what was published as a reader will; somebody may have published on top of it meanwhile."""
    found = read_published(store, environment, verify, generation.number)
    if found.digest != digest or dict(found.manifest) != dict(sorted(manifest.items())):
        raise StoreDamaged(
            msg("generation {number} was published, but reads back differently", number=generation.number),
            hint=msg("do not rely on this store; examine it, then publish again"),
        )
