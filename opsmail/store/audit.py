"""Whether a store is whole, asked through the port alone, so for every backend alike."""

from __future__ import annotations

from dataclasses import dataclass

from opsmail.messages import msg
from opsmail.store.consistency import damaged
from opsmail.store.generation import oldest_kept
from opsmail.store.interface import NO_EVENT, PAGE, Head, Store


@dataclass(frozen=True, slots=True)
class Audit:
    """What was examined and found whole.

    Args:
        head: where the environment stood when the examination began.
        oldest: the first generation that is kept; 0 where there is none.
        generations: how many were read, with their blobs.
        events: how many the log holds.
    """

    head: Head
    oldest: int
    generations: int
    events: int


def audit(store: Store, environment: str) -> Audit:
    """Walk the event log of `environment` from the first event, and the generations that are kept, to the head.

    What is published meanwhile is left for the next time. What the generations say is judged by who can read them.

    Raises:
        StoreDamaged: naming the first thing that does not fit. `MissingBlobs` is one of its kind.
    """
    store.check()
    head = store.head(environment)
    if _end_of_events(store, head) != (head.events, head.last_hash):
        raise damaged(
            store.location,
            msg("the events of environment {environment} do not reach its head", environment=environment),
        )
    oldest = oldest_kept(store, environment)
    if _end_of_generations(store, head, oldest) != (head.number, head.digest):
        raise damaged(
            store.location,
            msg("the generations of environment {environment} do not reach its head", environment=environment),
        )
    return Audit(head, oldest, head.number - oldest + 1 if oldest else 0, head.events)


def _end_of_events(store: Store, head: Head) -> tuple[int, str]:
    """Walk the log, whose links the store compares; return the sequence number and the hash it ends with."""
    end = (0, NO_EVENT)
    while end[0] < head.events:
        page = store.events(head.environment, after=end[0], limit=min(PAGE, head.events - end[0]))
        if not page:
            break
        end = (page[-1].sequence, page[-1].hash)
    return end


def _end_of_generations(store: Store, head: Head, oldest: int) -> tuple[int, str | None]:
    """Walk the generations and read their blobs; return the number and digest where their row ends or breaks."""
    end: tuple[int, str | None] = (max(0, oldest - 1), None)
    while end[0] < head.number:
        page = store.generations(head.environment, after=end[0], limit=min(PAGE, head.number - end[0]))
        if not page or list(page) != list(range(end[0] + 1, end[0] + 1 + len(page))):
            break
        store.read(set(page.values()))
        end = next(reversed(page.items()))
    return end
