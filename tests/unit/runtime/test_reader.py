"""The reader: verified before it is believed, never older, and never without settings when it had some."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from opsmail.errors import UsageError
from opsmail.evidence.keys import InvalidKey
from opsmail.providers import load_providers
from opsmail.publish.collection import Collector, Retention
from opsmail.runtime import (
    EndingKind,
    NoMasterError,
    NothingPublishedError,
    OperatorNotPublishedError,
    Operators,
    State,
    StoreReplacedError,
)
from opsmail.runtime.loaded import require_forward
from opsmail.store import tables
from opsmail.store.backends import open_store
from opsmail.store.interface import Head, Identity, StoreDamaged
from tests.unit.fleets import CIRCUMSTANCES, ENVIRONMENT, Shop, documents, operator
from tests.unit.runtime.reading import MASTER, RH, Clock, Source, Watched, opened, reader


class TestReading:
    def test_published_operators_by_id(self, shop: Shop) -> None:
        shop.publish(MASTER, operator("rh", name="Recursos Humanos"))
        with opened(shop) as operators:
            assert sorted(operators) == ["chefe", "rh"]
            assert len(operators) == 2
            assert "rh" in operators
            assert "other" not in operators
            assert operators["rh"].settings == operator("rh", name="Recursos Humanos")
            assert operators["rh"].generation == 1
            assert not operators["rh"].is_master
            assert operators.master.settings == MASTER
            assert operators.master.is_master

    def test_an_operator_that_is_not_published(self, shop: Shop) -> None:
        shop.publish(MASTER)
        with opened(shop) as operators:
            with pytest.raises(OperatorNotPublishedError, match="`rh` is not published"):
                operators["rh"]
            assert operators.get("rh") is None

    def test_without_a_master(self, shop: Shop) -> None:
        # The text stands in a label, and is not taken for the role.
        shop.publish(operator("rh", labels={"note": '"role":"master"'}))
        with opened(shop) as operators:
            assert operators.health().master is None
            with pytest.raises(NoMasterError):
                operators.master  # noqa: B018 - asking is the test

    def test_nothing_is_published(self, shop: Shop) -> None:
        with (
            shop.store(),
            pytest.raises(NothingPublishedError, match="nothing is published for environment production"),
        ):
            opened(shop)

    def test_there_is_no_store(self, shop: Shop) -> None:
        with pytest.raises(NothingPublishedError, match="no settings to work with: there is no store") as caught:
            opened(shop)
        assert caught.value.hint is not None

    def test_settings_of_a_newer_version_say_so(self, shop: Shop) -> None:
        content = json.loads(documents([RH])["rh"])
        content["operator"]["later"] = 1
        shop.publish_documents({"rh": json.dumps(content, sort_keys=True, separators=(",", ":")).encode()})
        with (
            opened(shop) as operators,
            pytest.raises(StoreDamaged, match=r"of `rh` cannot be read: .*`later`") as caught,
        ):
            operators["rh"]
        assert "a newer opsmail" in str(caught.value.hint)

    def test_no_key_would_verify_nothing(self, shop: Shop) -> None:
        with pytest.raises(UsageError, match="no public key is given"):
            Operators.open(shop.url, keys=[])

    def test_one_key_need_not_be_a_list(self, shop: Shop) -> None:
        shop.publish(MASTER)
        with Operators.open(shop.url, environment=ENVIRONMENT, keys=str(shop.public_key)) as operators:
            assert len(operators) == 1

    def test_keys_that_are_none(self, shop: Shop, tmp_path: Path) -> None:
        path = tmp_path / "key.pem"
        with pytest.raises(UsageError, match="No such file"):
            Operators.open(shop.url, keys=[path])
        path.write_bytes(b"\xff")
        with pytest.raises(UsageError, match="not a PEM file"):
            Operators.open(shop.url, keys=[path])
        path.write_text("x")
        with pytest.raises(InvalidKey, match=r"key\.pem: "):
            Operators.open(shop.url, keys=[path])

    def test_a_password_is_given_by_reference(self, shop: Shop) -> None:
        with pytest.raises(UsageError, match="not given as a reference") as caught:
            Operators.open(shop.url, keys=[shop.public_key], password="hunter2-secret")
        assert "hunter2" not in f"{caught.value!r} {caught.value.hint}"

    def test_a_ca_that_cannot_be_read(self, shop: Shop, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"the store's CA certificate .* cannot be read: No such file"):
            Operators.open(shop.url, keys=[shop.public_key], ca=tmp_path / "no.pem")

    def test_a_password_that_does_not_resolve_is_an_outage(self, shop: Shop) -> None:
        with pytest.raises(NothingPublishedError, match="OPSMAIL_NOT_SET"):
            Operators.open(shop.url, keys=[shop.public_key], password="env://OPSMAIL_NOT_SET")

    def test_a_wrong_url_is_no_outage(self, shop: Shop, snapshot: Path) -> None:
        shop.publish(MASTER)
        opened(shop, snapshot=snapshot).close()
        with pytest.raises(UsageError):
            Operators.open("sqlite//x", environment=ENVIRONMENT, keys=[shop.public_key], snapshot=snapshot)


class TestVerification:
    def test_another_signer_is_refused(self, shop: Shop, tmp_path: Path) -> None:
        Shop(shop.folder).publish(MASTER)
        with pytest.raises(NothingPublishedError, match="a key that the settings do not name"):
            opened(shop)

    def test_another_environment_s_generation_is_refused(self, shop: Shop) -> None:
        """Somebody who can write the database moves staging's head to production."""
        Shop(shop.folder, "staging", shop.key).publish(MASTER)
        with closing(sqlite3.connect(shop.path)) as database, database:
            for table in (tables.heads, tables.generations, tables.events):
                database.execute(f"UPDATE {table.name} SET environment = 'production'")  # noqa: S608 - a table's name
        with pytest.raises(NothingPublishedError, match="does not count for environment staging"):
            opened(shop)

    def test_changed_documents_are_refused(self, shop: Shop) -> None:
        """Somebody who can write the database points an operator elsewhere: its digest no longer fits."""
        shop.publish(MASTER, RH)
        with closing(sqlite3.connect(shop.path)) as database, database:
            for digest, content in database.execute(f"SELECT digest, content FROM {tables.blobs.name}").fetchall():  # noqa: S608 - our own name
                moved = content.replace(b"mail.empresa.test", b"mail.atacante.xx")
                database.execute(f"UPDATE {tables.blobs.name} SET content = ? WHERE digest = ?", (moved, digest))  # noqa: S608 - our own name
        with pytest.raises(NothingPublishedError, match="has another content"):
            opened(shop)

    def test_in_use_nothing_that_does_not_verify_takes_its_place(self, shop: Shop) -> None:
        shop.publish(MASTER)
        with opened(shop) as operators:
            envelope = b"not signed at all"
            digest = hashlib.sha256(envelope).hexdigest()
            with shop.store() as store:
                store.write_missing({digest: envelope})
                store.swap_head(store.head(ENVIRONMENT), number=2, digest=digest, events=[b"{}"])
            assert operators.refresh() is False
            assert list(operators) == ["chefe"]
            health = operators.health()
            assert (health.state, health.generation) == (State.STALE, 1)
            assert "not JSON" in str(health.problem)


class TestRefreshing:
    def test_a_newer_generation_is_taken_over(self, shop: Shop) -> None:
        shop.publish(MASTER)
        with opened(shop) as operators:
            assert operators.refresh() is False
            held = operators["chefe"]
            shop.publish(operator("chefe", role="master", name="X"), RH)
            assert operators.refresh() is True
            assert (sorted(operators), operators.health().generation) == (["chefe", "rh"], 2)
            assert operators["chefe"].settings.name == "X"
            assert (held.settings.name, held.generation) == (None, 1)  # what somebody holds stays what it is

    def test_a_rollback_is_newer(self, shop: Shop) -> None:
        shop.publish(MASTER)
        shop.publish(MASTER, RH)
        with opened(shop) as operators:
            shop.publish(MASTER)
            assert operators.refresh() is True
            assert (list(operators), operators.health().generation) == (["chefe"], 3)

    def test_an_unchanged_poll_is_one_round_trip(self, shop: Shop, snapshot: Path) -> None:
        shop.publish(MASTER, RH)
        source = Source(shop)
        with reader(shop, source, snapshot=snapshot) as operators:
            source.calls.clear()
            operators.refresh()
            assert source.calls == ["stands_at"]

    def test_a_store_that_was_away_is_looked_at_anew(self, shop: Shop) -> None:
        shop.publish(MASTER)
        source = Source(shop)
        with reader(shop, source) as operators:
            source.away = True
            operators.refresh()
            source.away = False
            source.calls.clear()
            operators.refresh()
            assert source.calls == ["open", "head"]

    def test_only_what_is_new_is_read(self, shop: Shop) -> None:
        fleet = [operator(f"o{number}") for number in range(20)]
        shop.publish(MASTER, *fleet)
        read: list[int] = []

        class Counting(Watched):
            def read(self, digests: Any) -> Any:
                read.append(len(digests))
                return self._store.read(digests)

        source = Source(shop)
        with reader(shop, lambda: Counting(open_store(shop.url), source)) as operators:
            shop.publish(MASTER, operator("o0", name="X"), *fleet[1:])
            read.clear()
            operators.refresh()
            assert sum(read) == 3  # the generation, one bucket, one document

    def test_a_fleet_grows_and_shrinks_over_the_number_of_buckets(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("opsmail.store.manifest.LARGE", 10)
        fleet = [operator(f"o{number}") for number in range(20)]
        sizes = (5, 20, 8)
        shop.publish(MASTER)
        with reader(shop) as operators:
            for size in sizes:
                generation = shop.publish(MASTER, *fleet[:size])
                assert {len(name) for name in generation.buckets} == ({3} if size == max(sizes) else {2})
                operators.refresh()
                assert f"o{size - 1}" in operators
                assert len(operators) == size + 1
                assert operators.health().master_proven

    def test_the_store_goes_and_comes_back(self, shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
        shop.publish(MASTER)
        source, clock = Source(shop), Clock()
        with reader(shop, source, clock=clock, max_stale=60) as operators, caplog.at_level(logging.INFO):
            clock.now += 30
            assert operators.health().state is State.CURRENT
            source.away = True
            assert operators.refresh() is False
            assert operators.refresh() is False
            health = operators.health()
            assert (health.state, health.age, health.problem) == (State.STALE, 30, "the store is away")
            assert operators.master.settings == MASTER
            clock.now += 31
            assert operators.health().state is State.EXPIRED
            source.away = False
            assert operators.refresh() is False
            health = operators.health()
            assert (health.state, health.age, health.problem) == (State.CURRENT, 0, None)
        assert [record.getMessage() for record in caplog.records] == ["the store is away", "the store answers again"]
        assert source.opened == source.closed == 2

    def test_nobody_asks_the_store_any_more(self, shop: Shop) -> None:
        """A program that forgot to poll is told, too."""
        shop.publish(MASTER)
        clock = Clock()
        with reader(shop, clock=clock, max_stale=60) as operators:
            clock.now += 61
            assert operators.health().state is State.EXPIRED
        with reader(shop, clock=clock) as operators:
            clock.now += 1e9
            assert operators.health().state is State.CURRENT

    def test_health_tells_everything(self, shop: Shop) -> None:
        shop.publish(MASTER, RH)
        with opened(shop) as operators:
            health = operators.health()
            assert (health.state, health.generation, health.operators, health.master, health.problem) == (
                State.CURRENT,
                1,
                2,
                "chefe",
                None,
            )

    def test_health_has_the_figures_of_monitoring(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        gmail = {"server": {"host": "smtp.office365.com"}, "enabled": True}
        login = {"type": "basic", "username": "u", "password": "env://OPSMAIL_X", "secret_expires": "2026-04-01"}
        fleet = [
            MASTER,
            operator("soon", authentication=login),
            operator("off", authentication=login, enabled=False),
            operator("retired", **gmail),
        ]
        shop.publish(*fleet)
        monkeypatch.setattr(time, "time", lambda: datetime(2026, 3, 11, 12, tzinfo=UTC).timestamp())
        with opened(shop) as operators:
            health = operators.health()
        assert health.published == 24 * 3600
        assert health.master_proven
        assert [(ending.kind, ending.operator) for ending in health.endings] == [
            (EndingKind.SECRET, "soon"),
            (EndingKind.LOGIN, "retired"),
        ]
        assert health.endings[0].days(date(2026, 3, 11)) == 21
        assert health.endings[0].days(date(2026, 4, 3)) == -2
        assert health.endings[1].day == load_providers().of_host("smtp.office365.com").basic_ends  # type: ignore[union-attr]  # a known host

    @pytest.mark.parametrize(
        ("circumstances", "proven"),
        [
            ({}, True),
            ({"required": ()}, False),
            ({"required": ("approval",)}, False),
            ({"marks": {"chefe": [{"kind": "held"}], "rh": [{"kind": "break-glass"}]}}, True),
            ({"marks": {"chefe": [{"kind": "held"}, {"kind": "break-glass"}]}}, False),
            ({"marks": {"chefe": ["of a later form"]}}, False),
        ],
    )
    def test_a_master_that_went_past_the_gate(self, shop: Shop, circumstances: dict[str, Any], proven: bool) -> None:
        shop.publish(MASTER, RH, circumstances=replace(CIRCUMSTANCES, **circumstances))
        with opened(shop) as operators:
            assert operators.health().master_proven is proven

    def test_without_a_master_none_is_proven(self, shop: Shop) -> None:
        shop.publish(RH)
        with opened(shop) as operators:
            assert not operators.health().master_proven

    def test_what_cannot_be_read_ends_nothing(self, shop: Shop) -> None:
        later = json.dumps({"operator": {"enabled": True, "role": "standard"}, "connection": {}}).encode()
        shop.publish_documents({**documents([MASTER]), "x": later})
        with opened(shop) as operators:
            assert operators.health().endings == ()

    def test_a_generation_that_is_collected_while_it_is_read(self, shop: Shop) -> None:
        """It is the newest when the reader asks, and gone when it reads: the one that followed is taken."""
        shop.publish(MASTER)
        source = Source(shop)
        with reader(shop, source) as operators:
            shop.publish(MASTER, RH)

            def collected() -> None:
                shop.publish(MASTER, operator("new"))
                with shop.store() as store:
                    Collector(store, shop.verify, Retention(1, 0), "ana", datetime(2030, 1, 1, tzinfo=UTC)).collect(
                        ENVIRONMENT
                    )

            source.before["read"] = collected
            assert operators.refresh()
            assert (operators.health().generation, sorted(operators)) == (3, ["chefe", "new"])
            assert operators.health().problem is None

    def test_content_that_is_lost_for_good_is_told(self, shop: Shop) -> None:
        shop.publish(MASTER)
        with opened(shop) as operators:
            shop.publish(MASTER, RH)
            lost = hashlib.sha256(documents([RH])["rh"]).hexdigest()
            with closing(sqlite3.connect(shop.path)) as database, database:
                database.execute("DELETE FROM opsmail_blobs WHERE digest = ?", [lost])
            assert not operators.refresh()
            assert lost in str(operators.health().problem)
            assert operators.health().generation == 1

    def test_closed_it_goes_on_with_what_it_has(self, shop: Shop) -> None:
        shop.publish(MASTER)
        operators = opened(shop)
        operators.close()
        operators.close()
        assert operators.master.settings == MASTER
        assert operators.refresh() is False
        operators.close()

    def test_threads(self, shop: Shop, snapshot: Path) -> None:
        """Readers always see one generation whole, while another thread takes over new ones."""
        names = [f"o{number}" for number in range(3)]
        shop.publish(*[operator(name, name="1") for name in names])
        wrong: list[str] = []
        done = threading.Event()

        def read(operators: Operators) -> None:
            while not done.wait(0.001):
                held = [operators[name] for name in names]
                wrong.extend(str(item.settings) for item in held if item.settings.name != str(item.generation))

        def refresh(operators: Operators) -> None:
            while not done.wait(0.001):
                operators.refresh()

        with opened(shop, snapshot=snapshot) as operators:
            threads = [threading.Thread(target=read, args=(operators,)) for _ in range(2)]
            threads += [threading.Thread(target=refresh, args=(operators,))]
            for thread in threads:
                thread.start()
            for generation in range(2, 5):
                shop.publish(*[operator(name, name=str(generation)) for name in names])
                operators.refresh()
            done.set()
            for thread in threads:
                thread.join(10)
            assert operators.health().generation == 4
        assert wrong == []


class TestNeverOlder:
    def test_a_store_that_went_back(self, shop: Shop, tmp_path: Path) -> None:
        shop.publish(MASTER)
        shutil.copy(shop.path, tmp_path / "backup")
        shop.publish(MASTER, RH)
        with opened(shop) as operators:
            shutil.copy(tmp_path / "backup", shop.path)
            assert operators.refresh() is False
            assert "the store went back: it has generation 1" in str(operators.health().problem)
            assert sorted(operators) == ["chefe", "rh"]

    def test_a_store_that_went_back_and_on_in_another_way(self, shop: Shop, tmp_path: Path) -> None:
        shop.publish(MASTER)
        shutil.copy(shop.path, tmp_path / "backup")
        shop.publish(MASTER, RH)
        with opened(shop) as operators:
            shutil.copy(tmp_path / "backup", shop.path)
            shop.publish(MASTER, operator("other"))  # generation 2 again
            assert operators.refresh() is False
            assert operators.health().state is State.STALE
            assert sorted(operators) == ["chefe", "rh"]

    def test_another_store_in_its_place(self, shop: Shop) -> None:
        shop.publish(MASTER)
        with opened(shop) as operators:
            shop.path.unlink()
            for _ in range(3):
                shop.publish(MASTER, RH)
            assert operators.refresh() is False
            assert "this is the store" in str(operators.health().problem)
            assert list(operators) == ["chefe"]

    def test_neither_after_a_restart(self, shop: Shop, snapshot: Path, tmp_path: Path) -> None:
        shop.publish(MASTER)
        shutil.copy(shop.path, tmp_path / "backup")
        shop.publish(MASTER, RH)
        opened(shop, snapshot=snapshot).close()
        shutil.copy(tmp_path / "backup", shop.path)
        with opened(shop, snapshot=snapshot) as operators:
            assert operators.health().state is State.STALE
            assert operators.health().generation == 2

    @pytest.mark.parametrize(
        ("found", "accepted"),
        [
            ({}, True),
            ({"number": 6, "digest": "b" * 64}, True),
            ({"number": 1, "digest": "b" * 64, "identity": Identity("5a" * 16, 3)}, True),
            ({"number": 4, "digest": "b" * 64}, False),
            ({"digest": "b" * 64}, False),
            ({"number": 0, "digest": None}, False),
            ({"number": 9, "digest": "b" * 64, "identity": Identity("5a" * 16, 1)}, False),
            ({"number": 9, "digest": "b" * 64, "identity": Identity("5b" * 16, 2)}, False),
        ],
    )
    def test_what_counts_as_forward(self, found: Mapping[str, Any], accepted: bool) -> None:
        current = Head(Identity("5a" * 16, 2), ENVIRONMENT, 5, "a" * 64)
        head = replace(current, **found)
        if accepted:
            require_forward(current, head)
        else:
            with pytest.raises(StoreReplacedError) as caught:
                require_forward(current, head)
            assert "delete the snapshot" in str(caught.value.hint)
