"""The generations before the head.

Each names the digest of the one before it, so the head's signature vouches for all: that the key of an early one
is trusted no longer takes nothing away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from opsmail.evidence.envelope import statement_in
from opsmail.evidence.invalid import InvalidEvidence
from opsmail.messages import msg
from opsmail.publish.carried import last_carried
from opsmail.store.generation import Blobs, Generation, Published, Verify, read_envelopes, read_published
from opsmail.store.interface import Head, Store, StoreDamaged
from opsmail.store.manifest import bucket_of
from opsmail.values import dataclass

#: Generations that are read at a time.
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Introduction:
    """How an operator came to be published as it is.

    Args:
        generation: the one that brought its document; the oldest that is kept, where it may be older than that.
        before: the document before, by its digest; None where there was none.
        evidence: the statements that came with it, by their digests.
        maybe_earlier: whether the document may have come with a generation that is not kept any more.
    """

    generation: Generation
    before: str | None
    evidence: tuple[str, ...]
    maybe_earlier: bool = False


def ancestors(store: Store, published: Published) -> Iterator[tuple[str, Generation]]:
    """Yield digest and facts of each generation before the published one, the newest first, as far as they are kept.

    Raises:
        StoreDamaged: one of them is not the one that the next one names.
    """
    environment = published.head.environment
    after = published.generation
    while after is not None and after.parent is not None:
        first = max(0, after.number - 1 - _PAGE)
        kept = read_envelopes(store, environment, after=first, limit=after.number - 1 - first)
        for number in range(after.number - 1, first, -1):
            if number not in kept:
                return  # Older ones are not kept.
            digest, envelope = kept[number]
            if digest != after.parent:
                raise _broken(store, number, after.number)
            after = parsed(envelope, store, number)
            yield digest, after


def kept_up_to(
    store: Store, head: Head, oldest: int = 1, parse: Callable[[bytes, Blobs, int], Generation] | None = None
) -> Iterator[tuple[str, Generation]]:
    """Yield digest and facts of each generation that is kept up to the head, from `oldest` on.

    Args:
        store: where they are.
        head: of their environment.
        oldest: the number of the first one that is wanted.
        parse: reads one; `parsed` when left out.

    Raises:
        StoreDamaged: one of them does not follow the one before, or the last one is not the head's.
    """
    digest: str | None = None
    after = max(0, oldest - 1)
    while after < head.number:
        page = read_envelopes(store, head.environment, after=after, limit=min(_PAGE, head.number - after))
        for number, (found, envelope) in page.items():
            generation = (parse or parsed)(envelope, store, number)
            if digest is not None and generation.parent != digest:
                raise _broken(store, number - 1, number)
            digest = found
            yield digest, generation
        after = max(page, default=head.number)
    if digest != head.digest:
        raise _broken(store, head.number, head.number + 1)


def parsed(envelope: bytes, blobs: Blobs, number: int) -> Generation:
    """Return what a generation says whose digest is vouched for.

    Raises:
        StoreDamaged: nothing that can be read.
    """
    try:
        generation = Generation.parse(statement_in(envelope).predicate)
    except InvalidEvidence as error:
        raise _broken(blobs, number, number + 1) from error
    if generation.number != number:
        raise _broken(blobs, number, number + 1)
    return generation


def published_at(store: Store, published: Published, number: int) -> Published | None:
    """Return a generation at or before the published one whole; None where it is not kept, or is yet to come."""
    if number == published.head.number:
        return published
    for digest, generation in ancestors(store, published):
        if generation.number == number:
            return read_published(store, published.head.environment, _exactly(digest, generation, store), number)
    return None


def introduction(store: Store, published: Published, operator: str) -> Introduction:
    """Return how a published operator came to be as it is; reads a bucket for each generation that changed it.

    Raises:
        KeyError: the operator is not published.
    """
    generation = published.generation
    if generation is None or operator not in published.manifest:
        raise KeyError(operator)
    digest, present = published.manifest[operator], _bucket(generation.buckets, operator)
    for _, before in ancestors(store, published):
        if _bucket(before.buckets, operator) != present:
            present = _bucket(before.buckets, operator)
            former = _entry(store, present, operator)
            if former != digest:
                return Introduction(generation, former, evidence_in(store, generation, operator))
        generation = before
    if generation.parent is None:
        return Introduction(generation, None, evidence_in(store, generation, operator))
    carried = last_carried(store, published.head).evidence(store, operator)
    return Introduction(generation, None, carried or evidence_in(store, generation, operator), maybe_earlier=True)


def evidence_in(store: Store, generation: Generation, operator: str) -> tuple[str, ...]:
    """Return the statements that came with an operator in a generation, by digest; none where it did not change."""
    bucket = _bucket(generation.evidence, operator)
    return () if bucket is None else tuple(_content(store, bucket).get(operator, ()))


def newest_evidence(store: Store, published: Published, most: int = _PAGE) -> Iterator[str]:
    """Yield the statements that last came with each published operator, by digest.

    Args:
        store: where they are.
        published: the generation from which it goes back.
        most: how many generations are looked at, where some operator has no statement at all.
    """
    left = set(published.manifest)
    oldest = None
    for generation in islice(_back_from(store, published), most):
        for bucket in generation.evidence.values():
            for operator, digests in _content(store, bucket).items():
                if operator in left:
                    left.discard(operator)
                    yield from digests
        if not left:
            return
        oldest = generation
    if oldest is None or oldest.parent is None:
        return
    carried = last_carried(store, published.head)
    if oldest.number == carried.oldest:
        for operator, digests in carried.all_evidence(store).items():
            if operator in left:
                yield from digests


def _back_from(store: Store, published: Published) -> Iterator[Generation]:
    if published.generation is not None:
        yield published.generation
        yield from (generation for _, generation in ancestors(store, published))


def _bucket(buckets: Mapping[str, str], operator: str) -> str | None:
    """Return the digest of the bucket that an operator is in, if it is in any."""
    return buckets.get(bucket_of(operator, buckets))


def _entry(store: Store, bucket: str | None, operator: str) -> str | None:
    return None if bucket is None else _content(store, bucket).get(operator)


def _content(store: Store, digest: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(store.read([digest])[digest])
    return content


def _exactly(digest: str, generation: Generation, store: Store) -> Verify:
    def verify(envelope: bytes) -> Generation:
        if hashlib.sha256(envelope).hexdigest() != digest:
            raise _broken(store, generation.number, generation.number + 1)
        return generation

    return verify


def _broken(blobs: Blobs, number: int, after: int) -> StoreDamaged:
    return StoreDamaged(
        msg(
            "generation {number} in {place} is not the one that generation {after} follows",
            number=number,
            place=blobs.location,
            after=after,
        ),
        hint=msg("`opsmail history --verify` walks the whole history; restore the store from a backup"),
    )
