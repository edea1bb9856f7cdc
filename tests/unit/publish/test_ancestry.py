"""The generations before the head: vouched for by it, as far as they are kept, and nothing else in their place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsmail.publish.ancestry import ancestors, introduction, newest_evidence, parsed, published_at
from opsmail.publish.publisher import Proofs
from opsmail.store.generation import Generation, Published
from opsmail.store.interface import StoreDamaged
from tests.unit.fleets import CIRCUMSTANCES, ENVIRONMENT, Changed, Shop, operator

MASTER = operator("chefe", role="master")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def numbers(found: Iterator[tuple[str, Generation]]) -> list[int]:
    return [generation.number for _, generation in found]


def filled(shop: Shop, count: int) -> Published:
    for number in range(count):
        shop.publish(MASTER, operator("a", name=f"n{number}"), circumstances=replace(CIRCUMSTANCES, reason=str(number)))
    return shop.published()


def test_from_the_newest_to_the_first_also_over_pages(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    published = filled(shop, 5)
    monkeypatch.setattr("opsmail.publish.ancestry._PAGE", 2)
    with shop.store() as store:
        assert numbers(ancestors(store, published)) == [4, 3, 2, 1]
        found = published_at(store, published, 1)
        assert found is not None
        assert found.generation is not None
        assert found.generation.reason == "0"
        assert published_at(store, published, 5) == published
        assert published_at(store, published, 6) is None


def test_before_the_first_there_is_none(shop: Shop) -> None:
    with shop.store() as store:
        assert numbers(ancestors(store, shop.published())) == []
        with pytest.raises(KeyError):
            introduction(store, shop.published(), "a")


def test_what_is_not_kept_any_more_ends_it(shop: Shop) -> None:
    published = filled(shop, 4)
    with shop.store() as store:

        def kept(environment: str, **page: int) -> Mapping[int, str]:
            return {number: digest for number, digest in store.generations(environment, **page).items() if number > 2}

        pruned: Any = Changed(store, generations=kept)
        assert numbers(ancestors(pruned, published)) == [3]
        assert published_at(pruned, published, 2) is None


def test_another_one_in_its_place(shop: Shop) -> None:
    published = filled(shop, 3)
    with shop.store() as store:
        newest = str(published.digest)
        exchanged: Any = Changed(store, generations=lambda *_, **__: {1: newest, 2: newest})
        with pytest.raises(StoreDamaged, match=r"generation 2 in .* is not the one that generation 3 follows"):
            numbers(ancestors(exchanged, published))
        second = store.generation(ENVIRONMENT, 2)
        assert second is not None
        elsewhere: Any = Changed(store, generation=lambda *_: newest)
        with pytest.raises(StoreDamaged, match=r"generation 2 in .* is not the one"):
            published_at(elsewhere, published, 2)


def test_what_says_nothing_that_can_be_read(shop: Shop) -> None:
    published = filled(shop, 1)
    with shop.store() as store:
        with pytest.raises(StoreDamaged):
            parsed(b"{}", store, 1)
        envelope = store.read([str(published.digest)])[str(published.digest)]
        assert parsed(envelope, store, 1) == published.generation
        with pytest.raises(StoreDamaged):
            parsed(envelope, store, 2)


def test_how_an_operator_came_to_be_as_it_is(shop: Shop) -> None:
    statement = b"a signed statement"
    digest = hashlib.sha256(statement).hexdigest()
    shop.publish(MASTER, operator("a"))
    shop.publish(MASTER, operator("a", name="X"), proofs=Proofs([statement], {"a": [digest]}))
    shop.publish(MASTER, operator("a", name="X"), operator("b"))
    published = shop.published()
    with shop.store() as store:
        came = introduction(store, published, "a")
        assert (came.generation.number, came.evidence) == (2, (digest,))
        assert came.before is not None
        assert b'"name"' not in store.read([came.before])[came.before]
        assert introduction(store, published, "b").before is None
        first = introduction(store, published, "chefe")
        assert (first.generation.number, first.before, first.evidence) == (1, None, ())


def test_a_bucket_that_others_changed_brings_nothing(shop: Shop) -> None:
    """Of two operators in one bucket, the one that stayed came with the generation before."""
    together = [f"o{number}" for number in range(600) if hashlib.sha256(f"o{number}".encode()).digest()[0] == 0][:2]
    one, other = together
    shop.publish(operator(one), operator(other))
    shop.publish(operator(one), operator(other, name="X"))
    with shop.store() as store:
        assert introduction(store, shop.published(), one).generation.number == 1
        assert introduction(store, shop.published(), other).generation.number == 2


def test_the_newest_evidence_of_each_operator_that_is_published(shop: Shop) -> None:
    old, new, gone = (hashlib.sha256(text).hexdigest() for text in (b"old", b"new", b"gone"))
    with shop.store() as store:
        assert list(newest_evidence(store, shop.published())) == []
    proofs = Proofs([b"old", b"gone"], {"a": [old], "chefe": [old], "b": [gone]})
    shop.publish(MASTER, operator("a"), operator("b"), proofs=proofs)
    shop.publish(MASTER, operator("a", name="X"), proofs=Proofs([b"new"], {"a": [new]}))
    with shop.store() as store:
        assert sorted(newest_evidence(store, shop.published())) == sorted([new, old])
        assert list(newest_evidence(store, shop.published(), most=1)) == [new]
