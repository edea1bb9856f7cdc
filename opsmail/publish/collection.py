"""Taking away what a store does not need any more: old generations, and content that nothing leads to.

First the generations go that retention does not keep, in one change of the head that an event tells of. Then, whatever
nothing leads to any more is swept away, that of publishers who died before their swap included. Whoever is publishing
meanwhile is found by the store: see `Store.sweep` and `opsmail.publish.writing`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opsmail.evidence.facts import format_time
from opsmail.publish.ancestry import ancestors, kept_up_to
from opsmail.publish.carried import last_carried
from opsmail.publish.events import written
from opsmail.publish.reachable import Kept, all_blobs, reachable
from opsmail.publish.writing import settle
from opsmail.store.generation import Generation, Published, Verify, oldest_kept, read_published
from opsmail.store.interface import Head, HeadMoved, Store
from opsmail.store.manifest import join, split

#: So often somebody may publish while it is looked what is of use.
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Retention:
    """Which generations are kept: those of either number. The published one always is.

    Args:
        generations: so many of the newest.
        days: all that were published at any time of so many days.
    """

    generations: int
    days: int


@dataclass(frozen=True, slots=True)
class Collection:
    """What a collection did, or would do.

    Args:
        environment: whose generations.
        oldest: the first generation that is kept; 0 where nothing is published.
        let_go: how many generations went.
        swept: how many blobs went, of whatever environment.
        left: how many blobs are left.
    """

    environment: str
    oldest: int
    let_go: int
    swept: int
    left: int


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found to be of use.

    Args:
        head: of the environment that is collected.
        oldest: the first of its generations that is kept.
        carried: buckets of evidence to be carried on, by name; None where no generation goes.
        others: the heads of the other environments.
        of_use: all of it, by digest.
    """

    head: Head
    oldest: int
    carried: Mapping[str, bytes] | None
    others: tuple[Head, ...]
    of_use: frozenset[str]


@dataclass(frozen=True, slots=True)
class Collector:
    """Who collects a store.

    Args:
        store: what is collected.
        verify: judges the signature of the published generation, which vouches for those before it.
        retention: which generations are kept.
        actor: who does it.
        now: the time, in UTC.
    """

    store: Store
    verify: Verify
    retention: Retention
    actor: str
    now: datetime

    def look(self, environment: str) -> Collection:
        """Return what a collection would do now; nothing is changed."""
        found = self._found(environment)
        first = oldest_kept(self.store, environment)
        useless = all_blobs(self.store) - found.of_use
        return Collection(environment, found.oldest, found.oldest - first, len(useless), len(found.of_use))

    def collect(self, environment: str) -> Collection:
        """Let generations of an environment go, and sweep the store.

        Raises:
            HeadMoved: others publish faster than it can be looked what is of use; what is done by then stays done.
            RefusedError: a newer opsmail has published there; nothing was taken away.
            StoreDamaged: what is of use is not there; nothing was taken away.
        """
        first, swept, useless = oldest_kept(self.store, environment), 0, set[str]()
        tries = 0
        while True:
            tries += 1
            # What is of use is known before anything goes.
            found = self._found(environment)
            try:
                heads = [self._let_go(found), *found.others]
                present = all_blobs(self.store)
                # Of a sweep that was interrupted, too.
                swept += len(useless - present)
                useless = present - found.of_use
                swept += self.store.sweep(heads, useless)
                return Collection(environment, found.oldest, found.oldest - first, swept, len(found.of_use))
            except HeadMoved:
                if tries == _TRIES:
                    raise

    def _found(self, environment: str) -> _Found:
        """Look what is of use; of other environments than the one that is collected everything is."""
        published = read_published(self.store, environment, self.verify)
        oldest, carried = self._oldest(published), None
        if oldest > oldest_kept(self.store, environment):
            carried = split(_carry(self.store, published, oldest))
        others = [self.store.head(name) for name in self.store.environments() if name != environment]
        kept = [Kept(head, oldest_kept(self.store, head.environment)) for head in others]
        of_use = reachable(self.store, [Kept(published.head, oldest, carried), *kept])
        return _Found(published.head, oldest, carried, tuple(others), frozenset(of_use))

    def _oldest(self, published: Published) -> int:
        """Return the number of the first generation that is kept; 0 where nothing is published."""
        generation = published.generation
        if generation is None:
            return 0
        newest, since = generation.number, self.now - timedelta(days=self.retention.days)
        for _, before in ancestors(self.store, published):
            # It was the published one until the next one followed.
            if newest - before.number >= self.retention.generations and generation.moment() <= since:
                break
            generation = before
        return generation.number

    def _let_go(self, found: _Found) -> Head:
        """Let the generations go that are not kept, where there are any, and return the head after it."""
        if found.carried is None:
            return found.head
        facts = {
            "oldest": found.oldest,
            "evidence": {name: _digest(content) for name, content in found.carried.items()},
            "actor": self.actor,
            "time": format_time(self.now),
        }
        event = written("collect", facts)
        return settle(
            self.store,
            found.head,
            {_digest(content): content for content in found.carried.values()},
            lambda head: self.store.let_go(head, oldest=found.oldest, events=[event]),
        )


def _carry(store: Store, published: Published, oldest: int) -> dict[str, Any]:
    """Return the statements that prove each operator of a generation, by digest, whichever brought its document.

    Args:
        store: where they are.
        published: the head.
        oldest: the generation.
    """
    entries: dict[str, Any] = last_carried(store, published.head).all_evidence(store)
    before: Generation | None = None
    for _, generation in kept_up_to(store, published.head):
        if generation.number > oldest:
            break
        if before is not None:
            for operator in _changed(store, before, generation):
                entries.pop(operator, None)
        entries |= _joined(store, generation.evidence)
        before = generation
    return entries


def _changed(store: Store, before: Generation, after: Generation) -> Iterator[str]:
    """Yield each operator whose document is another one, or gone; only buckets that differ are read."""
    old, new = before.buckets.items(), after.buckets.items()
    had, has = (_joined(store, dict(items)) for items in (old - new, new - old))
    return (operator for operator in had if had[operator] != has.get(operator))


def _joined(store: Store, buckets: Mapping[str, str]) -> dict[str, Any]:
    contents = store.read(set(buckets.values()))
    return join((name, contents[digest]) for name, digest in buckets.items())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
