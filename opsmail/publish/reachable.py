"""What of a store is of use: everything that a kept generation, or an event about one, leads to.

A generation names buckets by digest, and a bucket documents or statements; nothing leads further.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from opsmail.errors import RefusedError
from opsmail.evidence.envelope import statement_in
from opsmail.messages import msg
from opsmail.publish.ancestry import kept_up_to, parsed
from opsmail.publish.carried import carried_in
from opsmail.publish.events import facts_of, newest_first
from opsmail.store.bounds import MAX_PAGE, is_digest
from opsmail.store.consistency import damaged
from opsmail.store.generation import Blobs, Generation
from opsmail.store.interface import Event, Head, Store

#: Buckets that are in memory at a time.
_PART = 200
_KNOWN = frozenset(field.name for field in fields(Generation))


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of an environment.

    Args:
        head: where it stands.
        oldest: the first generation that is kept.
        carried: buckets of evidence that a collection is yet to carry on; None where the newest one has told of them.
    """

    head: Head
    oldest: int
    carried: Mapping[str, bytes] | None = None


def all_blobs(store: Store) -> set[str]:
    """Return the digests of everything that is in a store."""
    found: set[str] = set()
    page = store.blobs(limit=MAX_PAGE)
    while page:
        found.update(page)
        page = store.blobs(after=page[-1], limit=MAX_PAGE)
    return found


def reachable(store: Store, kept: Iterable[Kept]) -> set[str]:
    """Return the digests of everything that is of use.

    Args:
        store: where it is.
        kept: of every environment.

    Raises:
        RefusedError: a newer opsmail wrote what this one does not know.
        StoreDamaged: what is of use is not there, or cannot be read.
    """
    whole: set[str] = set()
    buckets: set[str] = set()
    for each in kept:
        for digest, generation in kept_up_to(store, each.head, each.oldest, _known):
            whole |= {digest, *({generation.trust} if generation.trust else ())}
            buckets.update(generation.buckets.values(), generation.evidence.values(), generation.marks.values())
        for statements, carried in _told(store, each):
            whole |= statements
            buckets |= carried
        for content in (each.carried or {}).values():
            whole |= {hashlib.sha256(content).hexdigest(), *digests_in(json.loads(content))}
    for digest, content in _contents(store, sorted(buckets)):
        try:
            whole |= {digest, *digests_in(json.loads(content))}
        except (ValueError, RecursionError):
            raise damaged(store.location, msg("blob {digest} has another content", digest=digest)) from None
    return whole


def digests_in(value: Any) -> Iterator[str]:
    """Yield every SHA-256 in plain data, but for names."""
    left = [value]
    while left:
        item = left.pop()
        if is_digest(item):
            yield item
        elif isinstance(item, dict):
            left += item.values()
        elif isinstance(item, list):
            left += item


def _known(envelope: bytes, blobs: Blobs, number: int) -> Generation:
    """Return a generation whose every field is known: another one might lead to what would be taken away."""
    generation = parsed(envelope, blobs, number)
    if not statement_in(envelope).predicate.keys() <= _KNOWN:
        raise RefusedError(
            msg("generation {number} was published by a newer opsmail than this one", number=number),
            hint=msg("upgrade opsmail here, then collect again; nothing was taken away"),
        )
    return generation


def _told(store: Store, kept: Kept) -> Iterator[tuple[set[str], set[str]]]:
    """Yield the statements that events tell of, and the buckets that the newest collection carried on."""
    collected = kept.carried is not None
    for _, event in newest_first(store, kept.head):
        carried = None if collected else carried_in(store, event)
        if carried is not None:
            collected = True
            yield set(), set(carried.buckets.values())
        yield _fresh(event, kept.oldest), set()
        if facts_of(event).get("generation") == kept.oldest:
            return


def _fresh(event: Event, oldest: int) -> set[str]:
    """Return the evidence that came after a generation that is kept."""
    match facts_of(event):
        case {"event": "evidence", "of": int(number), "statements": statements} if number >= oldest:
            return set(digests_in(statements))
        case _:
            return set()


def _contents(store: Store, digests: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for first in range(0, len(digests), _PART):
        yield from store.read(digests[first : first + _PART]).items()
