"""The publisher: one swap, in proportion to the change, read back; and what it says when the store fails around it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsmail.evidence.invalid import InvalidEvidence
from opsmail.evidence.keys import SigningKey
from opsmail.messages import msg
from opsmail.publish.publisher import NotConfirmedError, Proofs, record_refusal
from opsmail.store.generation import read_published
from opsmail.store.interface import (
    Head,
    HeadMoved,
    MissingBlobs,
    OutcomeUnknown,
    Store,
    StoreDamaged,
    StoreUnavailable,
)
from opsmail.store.manifest import bucket_of, join
from opsmail.store.sql import SqlStore
from tests.unit.fleets import CIRCUMSTANCES, ENVIRONMENT, Shop, documents, operator, planned

MASTER = operator("chefe", role="master")
AWAY = StoreUnavailable(msg("the store is away"))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def fleet(count: int, **sections: Any) -> list[Any]:
    return [operator(f"o{number:03}", **sections) for number in range(count)]


class Between:
    """A store with something between it and the publisher: each act may be replaced; what was written is counted."""

    def __init__(self, store: Store, **acts: Callable[..., Any]) -> None:
        self._store = store
        self._acts = acts
        self.written: list[bytes] = []
        self.swaps = 0

    @property
    def location(self) -> str:
        return self._store.location

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def head(self, environment: str) -> Any:
        return self._do("head", environment)

    def read(self, digests: Collection[str]) -> Any:
        return self._do("read", digests)

    def generation(self, environment: str, number: int) -> Any:
        return self._do("generation", environment, number)

    def write_missing(self, blobs: Mapping[str, bytes]) -> Any:
        self.written += blobs.values()
        return self._do("write_missing", blobs)

    def swap_head(self, expected: Head, **swap: Any) -> Any:
        self.swaps += 1
        return self._do("swap_head", expected, **swap)

    def _do(self, name: str, *arguments: Any, **options: Any) -> Any:
        act = self._acts.get(name)
        return act(self._store, *arguments, **options) if act else getattr(self._store, name)(*arguments, **options)


def attempt(shop: Shop, operators: Sequence[Any], **acts: Callable[..., Any]) -> Between:
    """Publish through a `Between`, and return it; what went wrong is raised."""
    wanted = documents(operators)
    with shop.store() as store:
        published = read_published(store, ENVIRONMENT, shop.verify)
        between = Between(store, **acts)
        plan = planned(store, published, wanted)
        shop.publish_plan(between, published, plan, wanted)
    return between


def away(*_: Any, **__: Any) -> Any:
    raise AWAY


def events(shop: Shop) -> list[dict[str, Any]]:
    with shop.store() as store:
        return [json.loads(event.payload) for event in store.events(ENVIRONMENT)]


class TestPublishing:
    def test_the_table_for_sql_follows(self, shop: Shop) -> None:
        def rows() -> dict[str, tuple[str, int]]:
            with shop.store() as store:
                assert isinstance(store, SqlStore)
                return {
                    name: (row["server_host"], row["generation"]) for name, row in store.operators(ENVIRONMENT).items()
                }

        shop.publish(MASTER, operator("a"), operator("b"))
        host = MASTER.server.host
        assert rows() == {"a": (host, 1), "b": (host, 1), "chefe": (host, 1)}
        shop.publish(MASTER, operator("a", name="other"), operator("c"))
        assert rows() == {"a": (host, 2), "c": (host, 2), "chefe": (host, 1)}

    def test_a_generation_says_everything(self, shop: Shop) -> None:
        first = shop.publish(MASTER)
        second = shop.publish(MASTER, operator("a"), circumstances=replace(CIRCUMSTANCES, reason="chamado 4711"))
        now = shop.published()
        assert now.generation == second
        assert (second.number, second.parent, second.operators) == (2, second.parent, 2)
        assert (second.environment, second.actor, second.time) == (ENVIRONMENT, "ana", "2026-03-10T12:00:00Z")
        assert (second.reason, second.required, second.ruleset) == ("chamado 4711", ("test-send",), "1")
        assert first.parent is None
        with shop.store() as store:
            assert second.parent == store.generation(ENVIRONMENT, 1)
            assert second.last_event == store.events(ENVIRONMENT)[0].hash
        assert dict(now.manifest) == {
            name: hashlib.sha256(content).hexdigest() for name, content in documents([MASTER, operator("a")]).items()
        }

    def test_every_publish_is_an_event(self, shop: Shop) -> None:
        shop.publish(MASTER)
        generation = shop.publish(MASTER, operator("a"))
        last = events(shop)[-1]
        assert (last["event"], last["generation"], last["plan"]) == ("publish", 2, generation.plan)
        assert last["digest"] == shop.published().digest
        assert events(shop)[0]["publish"] != last["publish"]

    def test_writing_is_in_proportion_to_the_change(self, shop: Shop) -> None:
        before = fleet(200)
        shop.publish(*before)
        between = attempt(shop, [operator("o000", name="X"), *before[1:], operator("new")])
        documents_and_buckets = 2 + len({bucket_of(name, ["00"]) for name in ("o000", "new")})
        assert len(between.written) == documents_and_buckets + 1  # and the generation

    def test_deleting_writes_no_document(self, shop: Shop) -> None:
        shop.publish(*fleet(3))
        (envelope,) = attempt(shop, fleet(2)).written
        assert b"payload" in envelope
        assert list(shop.published().manifest) == ["o000", "o001"]

    def test_evidence_is_kept_with_the_generation(self, shop: Shop) -> None:
        statement = b"a signed statement"
        digest = hashlib.sha256(statement).hexdigest()
        generation = shop.publish(MASTER, operator("a"), proofs=Proofs([statement], {"a": [digest]}))
        with shop.store() as store:
            buckets = store.read(generation.evidence.values())
            assert join((name, buckets[bucket]) for name, bucket in generation.evidence.items()) == {"a": [digest]}
            assert store.read([digest]) == {digest: statement}

    def test_an_empty_fleet_can_be_published(self, shop: Shop) -> None:
        shop.publish(MASTER)
        assert shop.publish().operators == 0
        assert dict(shop.published().manifest) == {}


class TestRefusals:
    def test_what_a_reader_would_refuse_is_not_published(self, shop: Shop) -> None:
        stranger = Shop(shop.folder, key=SigningKey.generate())
        with pytest.raises(InvalidEvidence):
            shop.publish(MASTER, sign=stranger.sign)
        assert shop.published().generation is None
        with shop.store() as store:
            assert store.head(ENVIRONMENT).events == 0

    def test_a_refused_publish_is_an_event(self, shop: Shop) -> None:
        shop.publish(MASTER)
        plan = shop.plan(documents([operator("a")]))
        nasty = "nul \0, a name like \udcff.yaml, " + "x" * 1000
        with shop.store() as store:
            record_refusal(store, store.head(ENVIRONMENT), plan, CIRCUMSTANCES, ["first", nasty, *["more"] * 200])
        last = events(shop)[-1]
        assert (last["event"], last["plan"], last["commit"], last["actor"]) == (
            "refused-publish",
            plan.id,
            plan.commit,
            "ana",
        )
        assert last["reasons"][0] == "first"
        assert last["reasons"][1].startswith("nul \\x00, a name like \\udcff.yaml, xxx")
        assert (len(last["reasons"][1]), len(last["reasons"])) == (500, 100)
        assert shop.published().head.number == 1

    def test_who_comes_second_is_refused(self, shop: Shop) -> None:
        def another_first(store: Store, expected: Head, **swap: Any) -> Head:
            shop.publish(MASTER)
            return store.swap_head(expected, **swap)

        with pytest.raises(HeadMoved):
            attempt(shop, [operator("a")], swap_head=another_first)
        assert list(shop.published().manifest) == ["chefe"]


class TestFailingStores:
    def test_before_the_swap_nothing_is_published(self, shop: Shop) -> None:
        shop.publish(MASTER)
        with pytest.raises(StoreUnavailable, match="away"):
            attempt(shop, [operator("a")], write_missing=away)
        assert shop.published().head.number == 1

    def test_a_lost_acknowledgement_of_a_swap_that_happened(self, shop: Shop) -> None:
        def lose(store: Store, expected: Head, **swap: Any) -> Head:
            store.swap_head(expected, **swap)
            raise OutcomeUnknown(msg("the line went dead"))

        between = attempt(shop, [MASTER], swap_head=lose)
        assert between.swaps == 1
        assert shop.published().head.number == 1

    def test_a_lost_acknowledgement_of_a_swap_that_did_not_happen(self, shop: Shop) -> None:
        def lose(store: Store, expected: Head, **swap: Any) -> Head:
            raise OutcomeUnknown(msg("the line went dead"))

        with pytest.raises(OutcomeUnknown, match="went dead"):
            attempt(shop, [MASTER], swap_head=lose)
        assert shop.published().generation is None

    def test_a_lost_acknowledgement_and_then_a_store_that_says_nothing(self, shop: Shop) -> None:
        def lose(store: Store, expected: Head, **swap: Any) -> Head:
            store.swap_head(expected, **swap)
            raise OutcomeUnknown(msg("the line went dead"))

        with pytest.raises(OutcomeUnknown, match="went dead"):
            attempt(shop, [MASTER], swap_head=lose, generation=away)

    def test_a_lost_acknowledgement_while_somebody_else_published(self, shop: Shop) -> None:
        def lose(store: Store, expected: Head, **swap: Any) -> Head:
            shop.publish(MASTER)
            raise OutcomeUnknown(msg("the line went dead"))

        with pytest.raises(HeadMoved) as caught:
            attempt(shop, [operator("a")], swap_head=lose)
        assert caught.value.found.number == 1

    @pytest.mark.parametrize("act", ["head", "read"])
    def test_published_but_not_read_back(self, shop: Shop, act: str) -> None:
        with pytest.raises(
            NotConfirmedError, match="generation 1 is published, but was not read back: the store is away"
        ):
            attempt(shop, [MASTER], **{act: away})
        assert shop.published().head.number == 1

    def test_published_and_lost(self, shop: Shop) -> None:
        def swallow(store: Store, blobs: Mapping[str, bytes]) -> int:
            document = hashlib.sha256(documents([MASTER])["chefe"]).hexdigest()
            return store.write_missing({digest: blob for digest, blob in blobs.items() if digest != document})

        with pytest.raises(MissingBlobs):
            attempt(shop, [MASTER], write_missing=swallow)

    @pytest.mark.parametrize(("found", "told"), [(True, "is not what was signed"), (False, "reads back differently")])
    def test_published_and_read_back_differently(self, shop: Shop, found: bool, told: str) -> None:
        """A store that answers with an earlier generation where the new one should be, or with none."""
        shop.publish(MASTER)
        earlier = shop.published()

        with pytest.raises(StoreDamaged, match=told):
            attempt(
                shop,
                [operator("a")],
                head=lambda *_: earlier.head,
                generation=lambda *_: earlier.digest if found else None,
            )

    def test_published_and_published_on_top_of_meanwhile(self, shop: Shop) -> None:
        def overtaken(store: Store, expected: Head, **swap: Any) -> Head:
            head = store.swap_head(expected, **swap)
            shop.publish(MASTER, operator("b"))
            return head

        attempt(shop, [MASTER, operator("a")], swap_head=overtaken)
        assert list(shop.published().manifest) == ["b", "chefe"]
