"""The publisher: everything written first, then one swap that readers see, then read back."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from opsmail.errors import UnavailableError
from opsmail.messages import msg
from opsmail.publish.events import written
from opsmail.publish.plan import Action, Plan
from opsmail.publish.writing import settle
from opsmail.store.generation import Generation, Published, Verify, read_published
from opsmail.store.interface import Head, HeadMoved, OutcomeUnknown, Store, StoreDamaged, StoreUnavailable
from opsmail.store.manifest import split

#: Signs the facts of a generation and returns the envelope.
Sign = Callable[[Generation], bytes]
#: Reasons, or names, that one event repeats, and characters of each: an event is one small value.
_REASONS, _LONGEST_REASON = 100, 500
#: Operators of whose evidence one event tells.
_OPERATORS = 1000


class Act(StrEnum):
    """What makes a generation."""

    PUBLISH = "publish"
    ROLLBACK = "rollback"
    HOLD = "hold"
    RELEASE = "release"
    ADOPT = "adopt"


class NotConfirmedError(UnavailableError):
    """A generation is published, and could not be read back to be certain of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a generation says of its publish besides its content.

    Args:
        actor: who publishes.
        time: when, RFC 3339 in UTC.
        ruleset: the version of the rules.
        required: the kinds of evidence that the gate asked for.
        reason: in words; empty for an ordinary publish.
        act: what it is.
        trust: the record of what the settings trust; empty to keep none.
        marks: operator to plain data that says what is to be known of it; see `opsmail.publish.marks`.
        operators: whom it is about; empty where it is about the fleet.
        also: what the log tells besides: the kind of each further event, and its facts.
    """

    actor: str
    time: str
    ruleset: str
    required: tuple[str, ...]
    reason: str = ""
    act: Act = Act.PUBLISH
    trust: bytes = b""
    marks: Mapping[str, Any] = field(default_factory=dict)
    operators: tuple[str, ...] = ()
    also: tuple[tuple[str, Mapping[str, object]], ...] = ()


@dataclass(frozen=True, slots=True)
class Proofs:
    """The evidence that comes with a publish.

    Args:
        envelopes: the signed statements.
        by_operator: operator to the SHA-256 of the statements that prove it, `settings:<environment>` to those that
            approve the settings.
    """

    envelopes: Sequence[bytes]
    by_operator: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A generation with everything that has to be in the store before the head moves to it.

    Args:
        generation: its facts.
        digest: the SHA-256 of its signed envelope.
        manifest: operator to the SHA-256 of its document.
        blobs: what differs from the generation before, by digest, the envelope included.
        operators: operator to document of those that come or change; None for those that go.
    """

    generation: Generation
    digest: str
    manifest: Mapping[str, str]
    blobs: Mapping[str, bytes]
    operators: Mapping[str, bytes | None]


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
        NotConfirmedError: it is published, and the store failed while it was read back.
        OutcomeUnknown: the store failed at the decisive moment and does not tell whether it is published.
        StoreUnavailable: the store failed; nothing was published.
    """
    parcel = _pack(published, plan, wanted, proofs, circumstances, sign)
    # Before anybody can see it: a reader would refuse what does not verify here.
    verify(parcel.blobs[parcel.digest])
    settle(store, published.head, parcel.blobs, lambda head: _swap(store, head, parcel, circumstances))
    _read_back(store, published.head.environment, parcel, verify)
    return parcel.generation


def record_evidence(
    store: Store, head: Head, envelopes: Mapping[str, bytes], statements: Mapping[str, Sequence[str]], time: str
) -> None:
    """Keep fresh evidence of what is published already, and put it into the event log.

    Args:
        store: where to.
        head: the published generation.
        envelopes: the signed statements, by their SHA-256.
        statements: operator to the SHA-256 of the statements that prove it.
        time: when, RFC 3339 in UTC.

    Raises:
        HeadMoved: the log went on meanwhile.
        StoreUnavailable: it cannot be written.
    """
    names = sorted(statements)
    parts = [names[first : first + _OPERATORS] for first in range(0, len(names), _OPERATORS)]
    events = [
        written("evidence", {"of": head.number, "time": time, "statements": {name: statements[name] for name in part}})
        for part in parts
    ]
    settle(store, head, envelopes, lambda now: store.append_events(now, events))


def record_refusal(store: Store, head: Head, plan: Plan, circumstances: Circumstances, reasons: Sequence[str]) -> None:
    """Put a refused publish into the event log.

    Raises:
        HeadMoved: the log went on meanwhile.
        StoreUnavailable: it cannot be written.
    """
    facts = {
        "plan": plan.id,
        "commit": plan.commit,
        "actor": circumstances.actor,
        "time": circumstances.time,
        "reasons": [_storable(reason)[:_LONGEST_REASON] for reason in reasons[:_REASONS]],
    }
    event = written("refused-publish", facts)
    settle(store, head, {}, lambda now: store.append_events(now, [event]))


def _pack(
    published: Published,
    plan: Plan,
    wanted: Mapping[str, bytes],
    proofs: Proofs,
    circumstances: Circumstances,
    sign: Sign,
) -> _Parcel:
    """Make the generation, and choose what of it has to be written: that is in proportion to the change."""
    head = published.head
    before = published.generation
    kept = frozenset() if before is None else {*before.buckets.values(), *before.marks.values(), before.trust}
    manifest = {operator: _digest(content) for operator, content in wanted.items()}
    buckets = split(manifest)
    evidence = split({operator: list(digests) for operator, digests in proofs.by_operator.items()})
    marks = split(circumstances.marks)
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
        evidence={name: _digest(content) for name, content in evidence.items()},
        reason=circumstances.reason,
        required=circumstances.required,
        act=circumstances.act.value,
        trust=_digest(circumstances.trust) if circumstances.trust else None,
        marks={name: _digest(content) for name, content in marks.items()},
        last_event=head.last_hash,
    )
    envelope = sign(generation)
    operators = {
        change.operator: None if change.action is Action.DELETE else wanted[change.operator] for change in plan.changes
    }
    contents = [document for document in operators.values() if document is not None]
    contents += [*buckets.values(), *marks.values(), *([circumstances.trust] if circumstances.trust else [])]
    contents += [*evidence.values(), *proofs.envelopes, envelope]
    blobs = {_digest(content): content for content in contents}
    new = {digest: content for digest, content in blobs.items() if digest not in kept}
    return _Parcel(generation, _digest(envelope), manifest, new, operators)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _swap(store: Store, head: Head, parcel: _Parcel, circumstances: Circumstances) -> Head:
    generation = parcel.generation
    facts: dict[str, object] = {
        "generation": generation.number,
        "digest": parcel.digest,
        "plan": generation.plan,
        "commit": generation.commit,
        "actor": generation.actor,
        "time": generation.time,
        "reason": generation.reason,
        # Two attempts at the same plan are two events; the log tells which of them happened.
        "publish": secrets.token_hex(16),
    }
    if circumstances.operators:
        facts["operators"] = list(circumstances.operators[:_REASONS])
    try:
        events = [written(kind, told) for kind, told in ((circumstances.act.value, facts), *circumstances.also)]
        return store.swap_head(
            head, number=generation.number, digest=parcel.digest, events=events, operators=parcel.operators
        )
    except OutcomeUnknown as unknown:
        return _look(store, head, parcel, unknown)


def _look(store: Store, head: Head, parcel: _Parcel, unknown: OutcomeUnknown) -> Head:
    """Return when the swap did happen. Where nothing is there yet it still may: a server may go on without us."""
    try:
        found = store.generation(head.environment, parcel.generation.number)
        present = store.head(head.environment)
        if found not in (None, parcel.digest):
            raise HeadMoved(head, present)
    except StoreUnavailable as error:
        raise unknown from error
    if found is None:
        raise unknown
    return present


def _storable(text: str) -> str:
    """Return `text` without what a store does not take: NUL, and what is no Unicode, as in the name of a file."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def _read_back(store: Store, environment: str, parcel: _Parcel, verify: Verify) -> None:
    """Read what was published as a reader will; somebody may have published on top of it meanwhile."""
    number = parcel.generation.number
    try:
        found = read_published(store, environment, verify, number)
        store.read(parcel.blobs)
    except StoreDamaged:
        raise
    except StoreUnavailable as error:
        raise NotConfirmedError(
            msg("generation {number} is published, but was not read back: {reason}", number=number, reason=error),
            hint=msg("look at `opsmail history` when the store answers again; publishing once more is harmless"),
        ) from error
    if found.digest != parcel.digest or dict(found.manifest) != parcel.manifest:
        raise StoreDamaged(
            msg("generation {number} was published, but reads back differently", number=number),
            hint=msg("do not rely on this store; examine it, then publish again"),
        )
