"""What the entries of the event log say: read from a log that anybody may have written who can write the store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from opsmail.canonical import canonical_json
from opsmail.store.interface import NO_EVENT, PAGE, Event, Head, Store


def written(kind: str, facts: Mapping[str, object]) -> bytes:
    """Return the payload of an event of this kind; `facts` are plain JSON values."""
    return canonical_json({"event": kind, **facts})


def facts_of(event: Event) -> Mapping[str, Any]:
    """Return what an event tells; nothing where that cannot be read."""
    try:
        told = json.loads(event.payload)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def newest_first(store: Store, head: Head) -> Iterator[tuple[str, Event]]:
    """Yield each event with the hash of the one before, from the end of the log on.

    Raises:
        StoreDamaged: one does not follow from the one before.
    """
    last = head.events
    while last > 0:
        first = max(0, last - PAGE)
        # One more, for its hash.
        page = store.events(head.environment, after=max(0, first - 1), limit=last - max(0, first - 1))
        hashes: Mapping[int, str] = {0: NO_EVENT} | {event.sequence: event.hash for event in page}
        for event in reversed(page):
            if event.sequence > first:
                yield hashes[event.sequence - 1], event
        last = first
