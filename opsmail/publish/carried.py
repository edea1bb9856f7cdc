"""What proved operators whose generation was let go: a collection carries it on, in the event that tells of itself.

The event names buckets of evidence, split as a generation's are. The statements in them are signed; that the event is
the one that was written is vouched for by the next generation, as for every other event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from opsmail.messages import msg
from opsmail.publish.events import facts_of, newest_first
from opsmail.store.bounds import is_digest, is_number
from opsmail.store.consistency import damaged
from opsmail.store.interface import Event, Head, Store
from opsmail.store.manifest import bucket_of, join
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class Carried:
    """What a collection left of the generations that it let go.

    Args:
        oldest: the first generation that it kept; 1 where there was no collection.
        buckets: bucket to the SHA-256 of its content, which lists for each operator of that generation the SHA-256 of
            the statements that prove it, whenever they came.
    """

    oldest: int = 1
    buckets: Mapping[str, str] = field(default_factory=dict)

    def evidence(self, store: Store, operator: str) -> tuple[str, ...]:
        """Return the statements about an operator, by digest."""
        name = bucket_of(operator, self.buckets)
        digest = self.buckets.get(name)
        return () if digest is None else tuple(_entries(store, {digest: name}).get(operator, ()))

    def all_evidence(self, store: Store) -> dict[str, list[str]]:
        """Return the statements about every operator, by digest."""
        return _entries(store, {digest: name for name, digest in self.buckets.items()})


def last_carried(store: Store, head: Head) -> Carried:
    """Return what the newest collection of an environment left.

    Raises:
        StoreDamaged: the event about it cannot be read.
    """
    for _, event in newest_first(store, head):
        found = carried_in(store, event)
        if found is not None:
            return found
    return Carried()


def carried_in(store: Store, event: Event) -> Carried | None:
    """Return what the collection left that an event tells of; None where it tells of something else.

    Raises:
        StoreDamaged: it tells of a collection, and not of what that left.
    """
    match facts_of(event):
        case {"event": "collect", "oldest": oldest, "evidence": dict(buckets)} if is_number(oldest) and all(
            map(is_digest, buckets.values())
        ):
            return Carried(oldest, buckets)
        case {"event": "collect"}:
            raise damaged(store.location, msg("event {sequence} cannot be read", sequence=event.sequence))
        case _:
            return None


def _entries(store: Store, names: Mapping[str, str]) -> dict[str, Any]:
    """Return what buckets hold together, given by digest with their names."""
    contents = store.read(names)
    unreadable = damaged(store.location, msg("the evidence that a collection carried on cannot be read"))
    try:
        entries = join((name, contents[digest]) for digest, name in names.items())
    except (ValueError, RecursionError):
        raise unreadable from None
    if not all(isinstance(digests, list) and all(map(is_digest, digests)) for digests in entries.values()):
        raise unreadable
    return entries
