from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from opsmail.errors import UsageError
from opsmail.store.audit import audit
from opsmail.store.bounds import MAX_VALUE_BYTES
from opsmail.store.etcd_keys import Keys
from opsmail.store.etcd_operations import Done
from opsmail.store.interface import (
    HeadMoved,
    InvalidValue,
    MissingBlobs,
    Store,
    StoreDamaged,
    StoreNewer,
    StoreUnavailable,
)
from tests.conformance.publishing import ENVIRONMENT, Place, generation, invariant, name, publish, read_whole
from tests.conformance.server import ServerConformance
from tests.conformance.sweeping import swap
from tests.servers.databases import DatabaseServer
from tests.servers.etcd import ask, encoded, grant, log_in, new_place


class TestEtcdStore(ServerConformance):
    limits = ("opsmail.store.etcd_gateway.TIMEOUT_SECONDS",)
    commit = b"request_put"

    @pytest.fixture
    def server(self, etcd_server: DatabaseServer) -> DatabaseServer:
        return etcd_server

    @pytest.fixture
    def place(self, etcd_server: DatabaseServer) -> Iterator[Place]:
        with new_place(etcd_server) as place:
            yield place

    def user_with(self, server: DatabaseServer, place: Place, password: str) -> Place:
        user = place.url.rpartition("/")[2]
        ask(server, "/auth/user/changepw", {"name": user, "password": password}, log_in(server))
        return replace(place, password=password)

    def put(self, server: DatabaseServer, place: Place, key: str, value: bytes | str) -> None:
        ask(server, "/kv/put", {"key": encoded(self.key(place, key)), "value": encoded(value)}, log_in(server))

    def delete(self, server: DatabaseServer, place: Place, key: str) -> None:
        ask(server, "/kv/deleterange", {"key": encoded(self.key(place, key))}, log_in(server))

    def key(self, place: Place, key: str) -> str:
        return f"{place.url.rpartition('/')[2]}/{key}"

    # What may be wrong with what it holds

    @pytest.mark.case("D-25")
    def test_a_store_of_a_later_version(self, server: DatabaseServer, place: Place, store: Store) -> None:
        head = publish(store, "a")
        self.put(server, place, "store", f'{{"epoch":1,"store":"{head.identity.store}","version":2}}')
        for options in ({}, {"create": True}, {"read_only": True}):
            assert isinstance(self.refused(place, **options), StoreNewer)
        with pytest.raises(StoreNewer):
            store.append_events(head, [b"{}"])

    @pytest.mark.case("D-27")
    @pytest.mark.parametrize("value", ["", "{}", "[]", "\xff", "[" * 50_000, '{"version":1,"store":"x","epoch":1}'])
    def test_a_store_that_is_somebody_elses(self, server: DatabaseServer, place: Place, value: str) -> None:
        self.put(server, place, "store", value)
        assert isinstance(self.refused(place), StoreDamaged)
        assert isinstance(self.refused(place, create=True), StoreDamaged)

    HEADS = [
        '{"digest":null,"events":1,"last_hash":"x","number":0}',
        '{"digest":"%(digest)s","events":1,"last_hash":"%(last_hash)s","number":2}',
        '{"digest":"%(digest)s","events":2,"last_hash":"%(last_hash)s","number":1}',
        '{"digest":"%(digest)s","events":"1","last_hash":"%(last_hash)s","number":1}',
        '{"digest":"%(digest)s","events":1,"last_hash":"%(last_hash)s","number":true}',
        "",
    ]

    @pytest.mark.case("D-05")
    @pytest.mark.parametrize("value", HEADS)
    def test_a_head_that_fits_nothing(self, server: DatabaseServer, place: Place, store: Store, value: str) -> None:
        head = publish(store, "a")
        self.put(server, place, f"heads/{ENVIRONMENT}", value % {"digest": head.digest, "last_hash": head.last_hash})
        with pytest.raises(StoreDamaged, match="head of environment production"):
            store.head(ENVIRONMENT)
        with pytest.raises(StoreDamaged):
            publish(store, "b")
        with pytest.raises(StoreDamaged):
            store.append_events(head, [b"{}"])

    @pytest.mark.parametrize(
        "key", ["heads/production", f"generations/production/{1:019d}", f"events/production/{1:019d}"]
    )
    def test_a_key_that_is_gone(self, server: DatabaseServer, place: Place, store: Store, key: str) -> None:
        publish(store, "a")
        self.delete(server, place, key)
        with pytest.raises(StoreDamaged):
            store.head(ENVIRONMENT)
        with pytest.raises(StoreDamaged):
            audit(store, ENVIRONMENT)

    @pytest.mark.parametrize(
        "key", ["generations/production/x", f"generations/production/{2:018d}é", f"events/production/{2:019d}0"]
    )
    def test_a_key_that_is_no_number(self, server: DatabaseServer, place: Place, store: Store, key: str) -> None:
        publish(store, "a")
        self.put(server, place, key, "0" * 64)
        with pytest.raises(StoreDamaged):
            audit(store, ENVIRONMENT)

    @pytest.mark.parametrize("value", ["", "0" * 63, "A" * 64, b"\xff" * 64])
    def test_a_generation_without_a_digest(
        self, server: DatabaseServer, place: Place, store: Store, value: bytes | str
    ) -> None:
        publish(store, "a")
        publish(store, "a")
        self.put(server, place, f"generations/production/{1:019d}", value)
        with pytest.raises(StoreDamaged, match="has no digest"):
            store.generations(ENVIRONMENT)

    def test_a_blob_whose_name_is_none(self, server: DatabaseServer, place: Place, store: Store) -> None:
        self.put(server, place, "blobs/x", "content")
        with pytest.raises(StoreDamaged, match="a blob has no digest"):
            store.blobs()

    def test_names_come_in_pages(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        blobs = {name(content): content for content in (b"1", b"2", b"3", b"4", b"5")}
        store.write_missing(blobs)
        for page in (1, 2, 5, 6):
            monkeypatch.setattr("opsmail.store.etcd_keys.PAGE", page)
            assert store.blobs() == tuple(sorted(blobs))

    def test_whoever_publishes_right_before_blobs_go_ends_the_sweep(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After the heads were looked at, and before the transaction that takes blobs away."""
        head = publish(store, "a")
        digest, blobs = generation(head, "b")
        store.write_missing(blobs)
        transaction = Keys.transaction

        def late(keys: Keys, comparisons: Any, writes: Any, otherwise: Any = ()) -> Done:
            if comparisons:
                monkeypatch.undo()
                swap(store, head, digest)
            return transaction(keys, comparisons, writes, otherwise)

        monkeypatch.setattr(Keys, "transaction", late)
        with pytest.raises(HeadMoved):
            store.sweep([head], blobs)
        assert store.read(blobs) == blobs

    @pytest.mark.parametrize("value", ["", "0" * 64, b"\xff" * 64 + b"{}", "0" * 64 + "{}"])
    def test_an_event_that_was_changed(
        self, server: DatabaseServer, place: Place, store: Store, value: bytes | str
    ) -> None:
        publish(store, "a")
        publish(store, "a")
        self.put(server, place, f"events/production/{1:019d}", value)
        with pytest.raises(StoreDamaged, match=r"event [12] "):
            store.events(ENVIRONMENT)
        with pytest.raises(StoreDamaged, match=r"event [12] "):
            store.events(ENVIRONMENT, after=1)

    def test_content_that_was_changed_or_lost(self, server: DatabaseServer, place: Place, store: Store) -> None:
        digest = publish(store, "a").digest
        self.put(server, place, f"blobs/{digest}", "other")
        with pytest.raises(StoreDamaged, match=str(digest)):
            read_whole(store)
        self.delete(server, place, f"blobs/{digest}")
        with pytest.raises(MissingBlobs):
            audit(store, ENVIRONMENT)

    def test_keys_in_the_way_of_a_publish(self, server: DatabaseServer, place: Place, store: Store) -> None:
        head = publish(store, "a")
        self.put(server, place, f"events/production/{2:019d}", "0" * 64 + "{}")
        with pytest.raises(StoreDamaged):
            store.append_events(head, [b"{}"])
        self.delete(server, place, f"events/production/{2:019d}")
        assert store.append_events(head, [b"{}"]).events == 2

    def test_environments_whose_names_begin_alike(self, store: Store) -> None:
        for environment in ("a", "a.b", "a0", "a-b"):
            store.append_events(store.head(environment), [b"{}"])
        assert {len(store.events(environment)) for environment in ("a", "a.b", "a0", "a-b")} == {1}

    def test_more_events_than_a_page_of_etcd(self, store: Store) -> None:
        head = store.head(ENVIRONMENT)
        for _ in range(2):
            head = store.append_events(head, [b"{}"] * 100)
        assert len(store.events(ENVIRONMENT, limit=150)) == 150
        assert [event.sequence for event in store.events(ENVIRONMENT, after=63, limit=66)] == list(range(64, 130))
        assert len(store.events(ENVIRONMENT, after=128)) == 72

    # What etcd takes at once

    @pytest.mark.case("D-18")
    @pytest.mark.parametrize(
        "payloads", [[b"{}"] * 121, [b'{"a":"' + b"x" * 800_000 + b'"}'] * 2], ids=["many", "large"]
    )
    def test_a_change_that_no_transaction_takes(self, store: Store, payloads: list[bytes]) -> None:
        head = store.head(ENVIRONMENT)
        with pytest.raises(InvalidValue, match="at most 120 events"):
            store.append_events(head, payloads)
        assert store.head(ENVIRONMENT) == head

    @pytest.mark.case("D-18")
    @pytest.mark.parametrize(
        "payloads", [[b"{}"] * 120, [b'{"a":"' + b"x" * (MAX_VALUE_BYTES - 8) + b'"}']], ids=["many", "large"]
    )
    def test_the_largest_change_that_one_takes(self, store: Store, payloads: list[bytes]) -> None:
        head = store.head(ENVIRONMENT)
        digest, blobs = generation(head, "a")
        store.write_missing(blobs)
        after = store.swap_head(head, number=1, digest=digest, events=payloads)
        assert [event.payload for event in store.events(ENVIRONMENT)] == payloads
        assert store.head(ENVIRONMENT) == after

    def test_blobs_of_every_size_at_once(self, store: Store) -> None:
        contents = [bytes([i]) * size for i, size in enumerate([MAX_VALUE_BYTES, 700_000, 700_000, 0, 1, 600_000])]
        blobs = {name(content): content for content in contents}
        assert store.write_missing(blobs) == len(contents)
        assert store.read(blobs) == blobs

    # Users, and etcd's own history

    def test_a_token_that_ends(self, server: DatabaseServer, place: Place, store: Store) -> None:
        head = publish(store, "a")
        # A new password ends all tokens, here the same one.
        self.user_with(server, place, str(place.password))
        assert store.head(ENVIRONMENT) == head
        self.user_with(server, place, str(place.password))
        assert publish(store, "b").number == 2

    def test_users_that_change_meanwhile(self, server: DatabaseServer, store: Store) -> None:
        head = publish(store, "a")
        with new_place(server):
            assert store.head(ENVIRONMENT) == head
            assert publish(store, "b").number == 2

    def test_a_user_who_may_only_read(self, server: DatabaseServer, place: Place, store: Store) -> None:
        head = publish(store, "a")
        prefix = place.url.rpartition("/")[2]
        token, reader = log_in(server), f"r{prefix}"
        ask(server, "/auth/role/add", {"name": reader}, token)
        grant(server, token, reader, f"{prefix}/", "READ")
        ask(server, "/auth/user/add", {"name": reader, "password": server.password}, log_in(server))
        ask(server, "/auth/user/grant", {"user": reader, "role": reader}, log_in(server))
        allowed = replace(place, url=place.url.replace(f"//{prefix}@", f"//{reader}@"))
        with closing(allowed.open(read_only=True)) as read_only:
            assert read_whole(read_only) == 1
            assert read_only.head(ENVIRONMENT) == head
        assert "refuses this user" in str(self.refused(allowed, create=True))
        with closing(allowed.open()) as writing, pytest.raises(StoreUnavailable, match="refuses this user"):
            publish(writing, "b")
        elsewhere = replace(place, url=f"{place.url}x")
        assert "refuses this user" in str(self.refused(elsewhere))

    @pytest.mark.case("D-19")
    def test_compaction_takes_nothing_away(self, server: DatabaseServer, store: Store) -> None:
        for _ in range(3):
            publish(store, "a")
        token = log_in(server)
        revision = ask(server, "/kv/range", {"key": encoded("x")}, token)["header"]["revision"]
        ask(server, "/kv/compaction", {"revision": revision, "physical": True}, token)
        invariant(store, acknowledged=3, attempted=3)
        assert publish(store, "b").number == 4

    @pytest.mark.parametrize("url", ["etcd://127.0.0.1", "etcd://127.0.0.1/", "etcd://127.0.0.1//"])
    def test_a_url_without_a_prefix(self, url: str) -> None:
        with pytest.raises(UsageError, match="no prefix"):
            Place(url).open()
