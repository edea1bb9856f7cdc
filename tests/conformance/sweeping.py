"""What every store does when something is taken away: generations that are let go, and blobs that are of no use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from opsmail.publish.writing import settle
from opsmail.store.audit import audit
from opsmail.store.interface import (
    Head,
    HeadMoved,
    Identity,
    InvalidValue,
    Store,
    StoreUnavailable,
)
from tests.conformance.publishing import (
    ENVIRONMENT,
    Place,
    event,
    generation,
    name,
    publish,
    read_generation,
    read_whole,
)

FORGOTTEN = b'{"kind":"collect"}'


def everything(store: Store, limit: int = 500) -> list[str]:
    """Every digest, page by page."""
    found: list[str] = []
    page = store.blobs(limit=limit)
    while page:
        found += page
        page = store.blobs(after=page[-1], limit=limit)
    return found


def heads(store: Store) -> list[Head]:
    return [store.head(environment) for environment in store.environments()]


def swap(store: Store, head: Head, digest: str) -> Head:
    return store.swap_head(head, number=head.number + 1, digest=digest, events=[event(head, digest)])


class SweepingConformance:
    # What is there

    def test_environments_are_those_with_a_head(self, store: Store) -> None:
        assert store.environments() == ()
        publish(store, "a")
        store.append_events(store.head("staging"), [b"{}"])
        store.head("never-used")
        assert sorted(store.environments()) == [ENVIRONMENT, "staging"]

    def test_blobs_are_listed_page_by_page(self, store: Store) -> None:
        assert store.blobs() == ()
        blobs = {name(content): content for content in (b"%d" % number for number in range(250))}
        store.write_missing(blobs)
        assert everything(store) == sorted(blobs)
        assert everything(store, limit=70) == sorted(blobs)
        assert store.blobs(limit=3) == tuple(sorted(blobs)[:3])

    # Letting go

    def test_old_generations_are_let_go(self, store: Store) -> None:
        for _ in range(4):
            publish(store, "a")
        before = store.head(ENVIRONMENT)
        blobs = everything(store)
        after = store.let_go(before, oldest=3, events=[FORGOTTEN])
        assert after == store.head(ENVIRONMENT)
        assert (after.number, after.digest, after.events) == (4, before.digest, 5)
        assert list(store.generations(ENVIRONMENT)) == [3, 4]
        assert store.generation(ENVIRONMENT, 2) is None
        assert everything(store) == blobs
        found = audit(store, ENVIRONMENT)
        assert (found.oldest, found.generations, found.events) == (3, 2, 5)
        assert publish(store, "b").number == 5

    def test_of_other_environments_nothing_goes(self, store: Store) -> None:
        for environment in ("prod", "production", "production-2"):
            for _ in range(2):
                head = store.head(environment)
                digest, blobs = generation(head, environment)
                store.write_missing(blobs)
                swap(store, head, digest)
        store.let_go(store.head("production"), oldest=2, events=[FORGOTTEN])
        kept = {environment: list(store.generations(environment)) for environment in store.environments()}
        assert kept == {"prod": [1, 2], "production": [2], "production-2": [1, 2]}

    def test_what_is_published_stays(self, store: Store) -> None:
        head = publish(store, "a")
        for oldest in (0, 2, -1, None):
            values: Any = oldest
            with pytest.raises(InvalidValue):
                store.let_go(head, oldest=values, events=[FORGOTTEN])
        with pytest.raises(InvalidValue):
            store.let_go(head, oldest=1, events=[])
        assert store.head(ENVIRONMENT) == head

    def test_a_stale_letting_go_is_refused(self, store: Store) -> None:
        publish(store, "a")
        stale = publish(store, "a")
        publish(store, "b")
        with pytest.raises(HeadMoved):
            store.let_go(stale, oldest=2, events=[FORGOTTEN])
        assert list(store.generations(ENVIRONMENT)) == [1, 2, 3]

    def test_a_publish_from_before_it_is_refused(self, store: Store) -> None:
        """It may rely on what the generation has that went, as a rollback does."""
        publish(store, "a")
        planned = publish(store, "a")
        digest, blobs = generation(planned, "b")
        store.write_missing(blobs)
        store.let_go(planned, oldest=2, events=[FORGOTTEN])
        with pytest.raises(HeadMoved) as caught:
            swap(store, planned, digest)
        assert not caught.value.is_only_swept

    # Sweeping

    def test_what_is_of_no_use_goes(self, store: Store) -> None:
        head = publish(store, "a")
        of_use = everything(store)
        useless = {name(content): content for content in (b"%d" % number for number in range(230))}
        store.write_missing(useless)
        assert store.sweep(heads(store), [*useless, name(b"never there")]) == len(useless)
        assert everything(store) == of_use
        swept = store.head(ENVIRONMENT)
        assert swept == replace(head, sweeps=swept.sweeps)
        assert swept.sweeps > head.sweeps
        assert read_whole(store) == 1
        assert store.sweep(heads(store), []) == 0
        assert store.head(ENVIRONMENT) == swept

    def test_a_publisher_who_relied_on_it_writes_it_anew(self, store: Store) -> None:
        """The heart of the matter: it found its content there, which went before its swap."""
        head = publish(store, "a")
        digest, blobs = generation(head, "b")
        store.write_missing(blobs)
        assert store.write_missing(blobs) == 0
        assert store.sweep(heads(store), blobs) == len(blobs)
        with pytest.raises(HeadMoved, match="was collected") as caught:
            swap(store, head, digest)
        assert caught.value.is_only_swept
        assert settle(store, head, blobs, lambda now: swap(store, now, digest)).number == 2
        assert read_whole(store) == 2

    def test_so_does_one_of_an_environment_that_is_not_there_yet(self, store: Store) -> None:
        publish(store, "a")
        empty = store.head("staging")
        digest, blobs = generation(empty, "b")
        store.write_missing(blobs)
        store.sweep(heads(store), blobs)
        with pytest.raises(HeadMoved) as caught:
            swap(store, empty, digest)
        assert caught.value.is_only_swept
        assert store.environments() == (ENVIRONMENT,)
        settle(store, empty, blobs, lambda now: swap(store, now, digest))
        read_generation(store, 1, digest)

    def test_events_too_may_tell_of_what_went(self, store: Store) -> None:
        head = publish(store, "a")
        store.write_missing({name(b"statement"): b"statement"})
        store.sweep(heads(store), [name(b"statement")])
        with pytest.raises(HeadMoved):
            store.append_events(head, [b"{}"])

    def test_what_somebody_published_meanwhile_is_not_swept(self, store: Store) -> None:
        stale = [publish(store, "a")]
        digest, blobs = generation(stale[0], "b")
        store.write_missing(blobs)
        swap(store, stale[0], digest)
        with pytest.raises(HeadMoved):
            store.sweep(stale, blobs)
        assert read_whole(store) == 2

    def test_nor_what_is_published_in_an_environment_that_was_not_there(self, store: Store) -> None:
        known = [publish(store, "a")]
        empty = store.head("staging")
        digest, blobs = generation(empty, "b")
        store.write_missing(blobs)
        swap(store, empty, digest)
        with pytest.raises(HeadMoved):
            store.sweep(known, blobs)
        assert store.read(blobs) == blobs

    def test_of_two_who_sweep_the_second_looks_again(self, store: Store) -> None:
        publish(store, "a")
        store.write_missing({name(b"1"): b"1", name(b"2"): b"2"})
        found = heads(store)
        assert store.sweep(found, [name(b"1")]) == 1
        with pytest.raises(HeadMoved):
            store.sweep(found, [name(b"2")])
        assert store.sweep(heads(store), [name(b"2")]) == 1

    def test_a_sweep_of_another_store_is_refused(self, store: Store) -> None:
        head = publish(store, "a")
        for identity in (Identity("0" * 32, 1), replace(head.identity, epoch=2)):
            with pytest.raises(HeadMoved):
                store.sweep([replace(head, identity=identity)], [str(head.digest)])
        assert read_whole(store) == 1

    def test_reading_only_takes_nothing_away(self, place: Place, store: Store) -> None:
        publish(store, "a")
        head = publish(store, "a")
        with closing(place.open(read_only=True)) as reader:
            assert reader.environments() == (ENVIRONMENT,)
            assert everything(reader) == everything(store)
            with pytest.raises(StoreUnavailable, match="reading only"):
                reader.sweep([head], [name(b"x")])
            with pytest.raises(StoreUnavailable, match="reading only"):
                reader.let_go(head, oldest=2, events=[FORGOTTEN])

    def test_values_that_are_none(self, store: Store) -> None:
        head = publish(store, "a")
        values: list[Any] = ["x", "A" * 64, 7, b"0" * 64]
        for value in values:
            with pytest.raises(InvalidValue):
                store.blobs(after=value)
            with pytest.raises(InvalidValue):
                store.sweep([head], [value])
        for limit in (0, -1, 10**9):
            with pytest.raises(InvalidValue):
                store.blobs(limit=limit)
        for wrong in ([], [replace(head, sweeps=-1)], [replace(head, environment="")]):
            with pytest.raises(InvalidValue):
                store.sweep(wrong, [name(b"x")])

    # At the same time

    def test_publishers_beside_a_sweeper_lose_nothing(self, place: Place, store: Store) -> None:
        """Two publishers who reuse what the third takes for useless as soon as no head leads to it."""
        publish(store, "first")
        rounds, wrong, ended = 6, list[BaseException](), threading.Event()

        def guarded(work: Callable[[Store], None]) -> None:
            try:
                with closing(place.open()) as mine:
                    work(mine)
            except BaseException as error:  # the test tells it
                wrong.append(error)
                raise

        def publisher(environment: str, other: Store) -> None:
            for _ in range(rounds):
                head = other.head(environment)
                digest, blobs = generation(head, environment)
                settle(other, head, blobs, partial(swap, other, digest=digest))
                read_generation(other, head.number + 1, digest)

        def sweeper(other: Store) -> None:
            while not ended.is_set():
                found = heads(other)
                of_use = {item for head in found for item in used(other, head)}
                try:
                    other.sweep(found, set(everything(other)) - of_use)
                except HeadMoved:
                    continue
                finally:
                    ended.wait(0.02)

        publishing = [
            threading.Thread(target=guarded, args=(lambda mine, name=environment: publisher(name, mine),))
            for environment in (ENVIRONMENT, "staging")
        ]
        sweeping = threading.Thread(target=guarded, args=(sweeper,))
        for thread in (sweeping, *publishing):
            thread.start()
        for thread in publishing:
            thread.join(60)
        ended.set()
        sweeping.join(60)
        assert wrong == []
        assert [head.number for head in heads(store)] == [rounds + 1, rounds]
        for head in heads(store):
            assert used(store, head)


def used(store: Store, head: Head) -> set[str]:
    """Everything that the generations of an environment lead to; all of it has to be there."""
    found: set[str] = set()
    for number, digest in store.generations(head.environment).items():
        if number <= head.number:
            found |= {digest, *read_generation(store, number, digest)["documents"]}
    return found
