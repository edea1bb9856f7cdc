"""Generations read whole: what is signed decides, and a store that holds something else is damaged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from opsmail.evidence.invalid import InvalidEvidence
from opsmail.store.generation import Generation, Published, read_envelopes, read_newest, read_published
from opsmail.store.interface import Head, MissingBlobs, Store, StoreDamaged
from opsmail.store.manifest import LARGE, bucket_of, join, split
from tests.unit.fleets import ENVIRONMENT, Changed, Shop, operator

FLEET = [operator(f"o{number}") for number in range(5)]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


class TestManifest:
    @pytest.mark.parametrize(("count", "parts"), [(2000, 256), (LARGE - 1, 256), (LARGE, 1024)])
    def test_what_is_split_comes_together_again(self, count: int, parts: int) -> None:
        manifest = {f"operator-{number}": f"{number:064x}" for number in range(count)}
        buckets = split(manifest)
        assert len(buckets) == parts
        assert join(reversed(buckets.items())) == manifest
        assert list(join(buckets.items())) == sorted(manifest)

    def test_a_bucket_follows_from_the_name_and_their_number_alone(self) -> None:
        assert bucket_of("agendador", []) == hashlib.sha256(b"agendador").hexdigest()[:2]
        before, after = split({"a": 1, "b": 2}), split({"a": 1, "b": 3})
        assert before[bucket_of("a", before)] == after[bucket_of("a", after)]

    def test_a_name_of_three_digits_is_ten_bits(self) -> None:
        many = split({f"operator-{number}": number for number in range(LARGE)})
        ten_bits = int(hashlib.sha256(b"operator-7").hexdigest()[:3], 16) >> 2
        assert bucket_of("operator-7", many) == f"{ten_bits:03x}"
        assert json.loads(many[f"{ten_bits:03x}"])["operator-7"] == 7

    def test_a_name_of_another_length_holds_nobody(self) -> None:
        assert bucket_of("agendador", ["0000"]) == ""

    def test_buckets_of_two_lengths_are_no_manifest(self) -> None:
        few = {"a": 1}
        three_digits = bucket_of("b", ["000"])
        with pytest.raises(ValueError, match=f"bucket {three_digits} is none"):
            join([*split(few).items(), (three_digits, b'{"b":1}')])

    def test_an_empty_manifest_has_no_bucket(self) -> None:
        assert split({}) == {}
        assert join([]) == {}

    @pytest.mark.parametrize("content", [b"", b"[]", b"7", b"nul", b'{"a":1}'])
    def test_what_is_no_bucket_is_refused(self, content: bytes) -> None:
        with pytest.raises(ValueError, match=r"Expecting value|bucket 00 is none, or holds what belongs elsewhere"):
            join([("00", content)])


class TestReading:
    def test_before_the_first_publish_there_is_nothing(self, shop: Shop) -> None:
        with shop.store() as store:
            head = store.head(ENVIRONMENT)
            assert read_published(store, ENVIRONMENT, shop.verify) == Published(head, None, None, {})
            assert read_published(store, ENVIRONMENT, shop.verify, 1) == Published(head, None, None, {})

    def test_the_newest_and_the_earlier_ones(self, shop: Shop) -> None:
        generations = [shop.publish(*FLEET[: count + 1]) for count in range(3)]
        with shop.store() as store:
            for number in (1, 2, 3):
                found = read_published(store, ENVIRONMENT, shop.verify, number)
                assert found.generation == generations[number - 1]
                assert list(found.manifest) == [f"o{index}" for index in range(number)]
                assert found.head.number == 3
            assert read_published(store, ENVIRONMENT, shop.verify).generation == generations[2]
            assert read_published(store, ENVIRONMENT, shop.verify, 4).generation is None

    def test_another_key_s_signature_is_refused(self, shop: Shop) -> None:
        shop.publish(*FLEET)
        stranger = Shop(shop.folder)
        with shop.store() as store, pytest.raises(InvalidEvidence, match="a key that the settings do not name"):
            read_published(store, ENVIRONMENT, stranger.verify)


class Swapped:
    """Blobs of a store in which some are exchanged, as by somebody who can write the database and its digests."""

    def __init__(self, blobs: Any, changed: dict[str, bytes]) -> None:
        self._blobs = blobs
        self._changed = changed
        self.location = "here"

    def read(self, digests: Collection[str]) -> dict[str, bytes]:
        rest = [digest for digest in digests if digest not in self._changed]
        found: dict[str, bytes] = self._blobs.read(rest)
        return found | {digest: self._changed[digest] for digest in digests if digest in self._changed}


class TestTampering:
    def test_signed_for_another_place(self, shop: Shop) -> None:
        """A generation is moved: to another environment's name, store, number or epoch."""
        generation = shop.publish(*FLEET)
        with shop.store() as store:
            head = store.head(ENVIRONMENT)
            for moved in (
                replace(head, environment="staging"),
                replace(head, identity=replace(head.identity, store="f" * 32)),
                replace(head, identity=replace(head.identity, epoch=2)),
                replace(head, number=2),
            ):
                with pytest.raises(StoreDamaged, match="is not what was signed"):
                    read_newest(store, moved, lambda _: generation)

    def test_an_earlier_one_in_the_place_of_another(self, shop: Shop) -> None:
        shop.publish(*FLEET[:1])
        shop.publish(*FLEET)
        shop.publish(*FLEET[:2])

        class Exchanged:
            def __init__(self, store: Any) -> None:
                self._store = store

            def __getattr__(self, name: str) -> Any:
                return getattr(self._store, name)

            def generation(self, environment: str, number: int) -> str | None:
                found: str | None = self._store.generation(environment, 3 - number)
                return found

        with shop.store() as store, pytest.raises(StoreDamaged, match="generation 1 in"):
            read_published(Exchanged(store), ENVIRONMENT, shop.verify, 1)

    def test_an_earlier_epoch_is_history_and_a_later_one_is_not(self, shop: Shop) -> None:
        first = shop.publish(*FLEET[:1])
        shop.publish(*FLEET)
        with shop.store() as store:
            head = store.head(ENVIRONMENT)
            adopted = replace(head, identity=replace(head.identity, epoch=2))

            class Adopted:
                location = "here"

                def __getattr__(self, name: str) -> Any:
                    return getattr(store, name)

                def head(self, environment: str) -> Head:
                    return adopted

            assert read_published(Adopted(), ENVIRONMENT, shop.verify, 1).generation == first
            with pytest.raises(StoreDamaged):
                read_published(Adopted(), ENVIRONMENT, shop.verify)

    @pytest.mark.parametrize(
        "bucket",
        [
            b"no json",
            b"[]",
            b"{}",
            rfc8785.dumps({"elsewhere": "0" * 64}),
            rfc8785.dumps({"o0": "0" * 63}),
            rfc8785.dumps({"o0": 7}),
        ],
    )
    def test_a_manifest_that_does_not_fit(self, shop: Shop, bucket: bytes) -> None:
        """Signed digests make this impossible but for a signer's defect; it is found all the same."""
        generation = shop.publish(FLEET[0])
        with shop.store() as store:
            swapped = Swapped(store, {generation.buckets[bucket_of("o0", generation.buckets)]: bucket})
            with pytest.raises(StoreDamaged, match="generation 1 in here is not what was signed"):
                read_newest(swapped, store.head(ENVIRONMENT), shop.verify)

    def test_a_bucket_that_is_lost(self, shop: Shop) -> None:
        generation = shop.publish(FLEET[0])
        with shop.store() as store:
            wrong = replace(generation, buckets={"00": "f" * 64})
            with pytest.raises(MissingBlobs):
                read_newest(store, store.head(ENVIRONMENT), lambda _: wrong)


class TestBesideACollection:
    """Between the question what is there and the reading of it, others may have let it go."""

    def test_what_is_the_newest_now_is_read(self, shop: Shop) -> None:
        shop.publish(FLEET[0])
        with shop.store() as store:
            old = store.head(ENVIRONMENT)
            shop.publish(FLEET[1])
            heads = iter([old, store.head(ENVIRONMENT)])
            gone: Any = Changed(store, head=lambda _: next(heads), read=without(store, str(old.digest)))
            found = read_published(gone, ENVIRONMENT, shop.verify)
            assert found.head.number == 2

    def test_what_is_missing_and_still_the_newest_is_damage(self, shop: Shop) -> None:
        shop.publish(FLEET[0])
        with shop.store() as store:
            digest = str(store.head(ENVIRONMENT).digest)
            broken: Any = Changed(store, read=without(store, digest))
            with pytest.raises(MissingBlobs):
                read_published(broken, ENVIRONMENT, shop.verify)
            with pytest.raises(MissingBlobs):
                read_envelopes(broken, ENVIRONMENT, after=0, limit=10)

    def test_envelopes_are_those_that_are_kept_now(self, shop: Shop) -> None:
        for fleet in FLEET[:2]:
            shop.publish(fleet)
        with shop.store() as store:
            kept = store.generations(ENVIRONMENT)
            answers = iter([kept, {2: kept[2]}])
            gone: Any = Changed(store, generations=lambda *_, **__: next(answers), read=without(store, kept[1]))
            found = read_envelopes(gone, ENVIRONMENT, after=0, limit=10)
            assert {number: digest for number, (digest, _) in found.items()} == {2: kept[2]}


def without(store: Store, lost: str) -> Callable[[Collection[str]], dict[str, bytes]]:
    """Return the reading of a store that has lost a blob."""

    def read(digests: Collection[str]) -> dict[str, bytes]:
        if lost in digests:
            raise MissingBlobs("here", [lost])
        return store.read(digests)

    return read


class TestFacts:
    def test_when_it_was_published(self, shop: Shop) -> None:
        generation = shop.publish(operator("a", role="master"))
        assert generation.moment() == datetime(2026, 3, 10, 12, tzinfo=UTC)
        for time in ("", "yesterday", "2026-03-10T12:00:00+00:00", "2026-13-10T12:00:00Z"):
            with pytest.raises(StoreDamaged, match="generation 1 does not tell when"):
                replace(generation, time=time).moment()

    def test_they_survive_signing(self, shop: Shop) -> None:
        generation = shop.publish(*FLEET)
        assert Generation.parse(json.loads(json.dumps(generation.document()))) == generation

    def test_what_a_newer_version_adds_is_passed_over(self, shop: Shop) -> None:
        generation = shop.publish(*FLEET)
        assert Generation.parse({**generation.document(), "added": {"later": True}}) == generation

    @pytest.mark.parametrize(
        "change",
        [{"number": 0}, {"number": "1"}, {"parent": "x"}, {"buckets": {"00": "x"}}, {"epoch": None}, {"operators": -1}],
    )
    def test_what_cannot_be_read_says_what(self, shop: Shop, change: dict[str, Any]) -> None:
        document = {**shop.publish(*FLEET).document(), "added": 1, **change}
        with pytest.raises(StoreDamaged, match="a signed generation cannot be read") as caught:
            Generation.parse(document)
        assert next(iter(change)) in str(caught.value)

    @pytest.mark.parametrize("data", [None, [], "x", 7])
    def test_what_is_no_mapping(self, data: object) -> None:
        with pytest.raises(StoreDamaged):
            Generation.parse(data)
