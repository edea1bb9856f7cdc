"""What a backend has read, judged before anybody relies on it: the same for every backend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from opsmail.messages import Message, msg
from opsmail.store import bounds
from opsmail.store.interface import NO_EVENT, Event, Head, HeadMoved, Identity, StoreDamaged, StoreNewer, next_hash

#: The form of what a store holds. A change of it raises this and brings the way from the version before.
VERSION = 1


def damaged(location: str, detail: Message) -> StoreDamaged:
    """Return the error for a store that contradicts itself."""
    return StoreDamaged(
        msg("the store {location} is damaged: {detail}", location=location, detail=detail),
        hint=msg("keep a copy for examination and restore the store from a backup; it is never repaired by itself"),
    )


def checked_identity(location: str, version: object, store: object, epoch: object) -> Identity:
    """Return the identity.

    Raises:
        StoreNewer: the version is a later one.
        StoreDamaged: it is none.
    """
    if not bounds.is_number(version):
        raise damaged(location, msg("it does not tell its version"))
    if version > VERSION:
        raise StoreNewer(
            msg(
                "the store {location} has version {version}, this opsmail knows {known}",
                location=location,
                version=version,
                known=VERSION,
            ),
            hint=msg("upgrade opsmail here; nothing was read or changed"),
        )
    if not bounds.is_store_id(store) or not bounds.is_number(epoch):
        raise damaged(location, msg("it does not tell its identity"))
    return Identity(store, epoch)


def checked_sweeps(location: str, sweeps: object) -> int:
    """Return how often blobs were taken away.

    Raises:
        StoreDamaged: it is no such number.
    """
    if not bounds.is_number(sweeps, least=0):
        raise damaged(location, msg("it does not tell how often it was collected"))
    return sweeps


def checked_head(location: str, head: Head, newest: tuple[Any, Any], last: tuple[Any, Any]) -> Head:
    """Return the head that was read, of an environment that has one.

    Args:
        location: the store.
        head: as it stands there, whatever it is.
        newest: number and digest of the generation with the highest number; None for each where there is none.
        last: sequence and hash of the event with the highest sequence; likewise.

    Raises:
        StoreDamaged: the head is not what is newest, or no head at all.
    """
    if (
        (newest[0] or 0, newest[1]) != (head.number, head.digest)
        or last != (head.events, head.last_hash)
        or not bounds.is_number(head.number, least=0)
        or not (bounds.is_digest(head.digest) if head.number else head.digest is None)
        or not bounds.is_number(head.events)
        or not bounds.is_digest(head.last_hash)
    ):
        raise damaged(
            location,
            msg(
                "the head of environment {environment} is not its newest generation and event",
                environment=head.environment,
            ),
        )
    return head


def checked_events(location: str, rows: Sequence[tuple[Any, Any, Any]], after: int) -> tuple[Event, ...]:
    """Return the events that follow `after`, each compared with the one before.

    Args:
        location: the store.
        rows: sequence, payload and hash; where `after` is an event, that one comes first, for its hash.
        after: the sequence number that they follow.

    Raises:
        StoreDamaged: one does not follow from the one before, or is missing.
    """
    previous = NO_EVENT
    if after and rows:
        (sequence, _, previous), *rows = rows
        if sequence != after or not bounds.is_digest(previous):
            raise damaged(location, msg("event {sequence} is missing or has no hash", sequence=after))
    return tuple(_chained(location, rows, after, previous))


def _chained(location: str, rows: Iterable[tuple[Any, Any, Any]], after: int, previous: str) -> Iterator[Event]:
    for expected, (sequence, payload, hashed) in enumerate(rows, after + 1):
        if sequence != expected or not isinstance(payload, bytes) or hashed != next_hash(previous, payload):
            raise damaged(location, msg("event {sequence} does not follow from the one before", sequence=expected))
        previous = hashed
        yield Event(sequence, payload, hashed)


def require_standing(expected: Mapping[str, Head], found: Mapping[str, Head]) -> None:
    """Return when every environment stands where it is expected, and no other one was ever used.

    Args:
        expected: environment to head.
        found: likewise, of all of these and all that have one.

    Raises:
        HeadMoved: of the first that does not.
    """
    for environment, there in sorted(found.items()):
        nothing = Head(there.identity, environment, sweeps=there.sweeps)
        if there != expected.get(environment, nothing):
            raise HeadMoved(expected.get(environment, nothing), there)


def swept_once(heads: Mapping[str, Head]) -> dict[str, Head]:
    """Return the heads after one more sweep."""
    return {name: replace(head, sweeps=head.sweeps + 1) for name, head in heads.items()}


def following(expected: Head, payloads: Sequence[bytes]) -> list[Event]:
    """Return the events that a change from `expected` appends."""
    events = []
    last = expected.last_hash
    for sequence, payload in enumerate(payloads, expected.events + 1):
        last = next_hash(last, payload)
        events.append(Event(sequence, payload, last))
    return events
