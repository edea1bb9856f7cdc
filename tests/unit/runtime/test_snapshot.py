"""The snapshot: verified like the store, replaced in one step, its owner's alone, and never in the way."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from opsmail.evidence.keys import SigningKey
from opsmail.runtime import NothingPublishedError, State
from tests.unit.fleets import Shop
from tests.unit.runtime.reading import MASTER, RH, Source, opened, reader


def changed(content: bytes, **values: object) -> bytes:
    return json.dumps(json.loads(content) | values).encode()


def with_other_hosts(content: bytes) -> bytes:
    blobs = [base64.b64decode(blob) for blob in json.loads(content)["blobs"]]
    moved = [blob.replace(b"mail.empresa.test", b"mail.atacante.xx") for blob in blobs]
    assert moved != blobs
    return changed(content, blobs=[base64.b64encode(blob).decode() for blob in moved])


class TestSnapshot:
    def test_it_bridges_an_outage_over_a_restart(
        self, shop: Shop, snapshot: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        shop.publish(MASTER, RH)
        source = Source(shop)
        reader(shop, source, snapshot=snapshot).close()
        source.away = True
        with reader(shop, source, snapshot=snapshot) as operators:
            assert sorted(operators) == ["chefe", "rh"]
            assert operators.master.settings == MASTER
            health = operators.health()
            assert (health.state, health.generation, health.problem) == (State.STALE, 1, "the store is away")
            assert "working with the snapshot of generation 1: the store is away" in caplog.messages
            source.away = False
            shop.publish(MASTER)
            assert operators.refresh() is True
            assert operators.health().state is State.CURRENT

    def test_its_age_counts_over_a_restart(self, shop: Shop, snapshot: Path) -> None:
        shop.publish(MASTER)
        source = Source(shop)
        reader(shop, source, snapshot=snapshot).close()
        hour_ago = snapshot.stat().st_mtime - 3600
        os.utime(snapshot, (hour_ago, hour_ago))
        source.away = True
        with reader(shop, source, snapshot=snapshot, max_stale=1800) as operators:
            health = operators.health()
            assert health.state is State.EXPIRED
            assert 3600 <= health.age < 3660
            source.away = False
            operators.refresh()
            assert operators.health().state is State.CURRENT
        assert snapshot.stat().st_mtime > hour_ago + 3500  # noted on the snapshot, for the next restart

    def test_only_its_owner_may_read_it(self, shop: Shop, snapshot: Path) -> None:
        shop.publish(MASTER)
        snapshot.parent.mkdir()
        snapshot.write_text("from before")
        snapshot.chmod(0o666)
        opened(shop, snapshot=snapshot).close()
        assert snapshot.stat().st_mode & 0o777 == 0o600
        assert [path.name for path in snapshot.parent.iterdir()] == ["snapshot.json"]

    def test_a_folder_that_it_makes_is_its_owner_s_too(self, shop: Shop, snapshot: Path) -> None:
        shop.publish(MASTER)
        opened(shop, snapshot=snapshot).close()
        assert snapshot.parent.stat().st_mode & 0o777 == 0o700

    def test_each_generation_replaces_it_in_one_step(self, shop: Shop, snapshot: Path) -> None:
        shop.publish(MASTER)
        with opened(shop, snapshot=snapshot) as operators:
            before, inode = snapshot.read_bytes(), snapshot.stat().st_ino
            operators.refresh()
            assert snapshot.stat().st_ino == inode
            with snapshot.open("rb") as held:
                shop.publish(MASTER, RH)
                operators.refresh()
                assert held.read() == before
            assert json.loads(snapshot.read_bytes())["number"] == 2

    @pytest.mark.parametrize(
        "damage",
        [
            lambda _: b"",
            lambda content: content[:-10],
            lambda content: b"\xff" + content,
            lambda _: b"[" * 100_000,
            lambda _: b"null",
            lambda _: b'{"format":"opsmail/snapshot/v2"}',
            lambda content: changed(content, environment="staging"),
            lambda content: changed(content, number=2),
            lambda content: changed(content, number="x"),
            lambda content: changed(content, epoch=2),
            lambda content: changed(content, store="f" * 32),
            lambda content: changed(content, digest="f" * 64),
            lambda content: changed(content, blobs=[]),
            lambda content: changed(content, blobs=7),
            lambda content: changed(content, blobs=["not base64!"]),
            with_other_hosts,
        ],
    )
    def test_damaged_it_is_not_used_and_keeps_nobody_from_starting(
        self, shop: Shop, snapshot: Path, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
    ) -> None:
        shop.publish(MASTER)
        opened(shop, snapshot=snapshot).close()
        good = snapshot.read_bytes()
        snapshot.write_bytes(damage(good))
        with opened(shop, snapshot=snapshot) as operators:
            health = operators.health()
            assert (health.state, health.problem) == (State.CURRENT, None)
        assert any(message.startswith("the snapshot is not used: ") for message in caplog.messages)
        assert json.loads(snapshot.read_bytes()) == json.loads(good)

    def test_damaged_with_the_store_away_there_is_nothing(self, shop: Shop, snapshot: Path) -> None:
        shop.publish(MASTER)
        source = Source(shop)
        reader(shop, source, snapshot=snapshot).close()
        snapshot.write_bytes(b"damaged")
        source.away = True
        with pytest.raises(NothingPublishedError, match="the store is away"):
            reader(shop, source, snapshot=snapshot)

    def test_of_a_key_that_is_trusted_no_longer_it_is_not_used(self, shop: Shop, snapshot: Path) -> None:
        shop.publish(MASTER)
        opened(shop, snapshot=snapshot).close()
        shop.path.unlink()
        shop.key = SigningKey.generate()
        shop.publish(MASTER, RH)
        with opened(shop, snapshot=snapshot) as operators:
            assert operators.health().state is State.CURRENT

    def test_something_else_in_its_place(self, shop: Shop, snapshot: Path) -> None:
        shop.publish(MASTER)
        snapshot.parent.mkdir()
        os.mkfifo(snapshot)
        with opened(shop, snapshot=snapshot) as operators:  # replaced like a damaged one
            assert operators.health().problem is None
        snapshot.unlink()
        snapshot.mkdir()
        with opened(shop, snapshot=snapshot) as operators:
            health = operators.health()
            assert health.state is State.CURRENT
            assert "cannot be written: Is a directory" in str(health.problem)
            assert [path.name for path in snapshot.parent.iterdir()] == ["snapshot.json"]

    def test_a_disk_that_does_not_take_it(
        self, shop: Shop, snapshot: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The settings are current all the same; it is told, and tried again with every poll."""
        shop.publish(MASTER)
        snapshot.parent.write_text("a file where the folder should be")
        with opened(shop, snapshot=snapshot) as operators:
            for _ in range(3):
                health = operators.health()
                assert health.state is State.CURRENT
                assert "cannot be written: File exists" in str(health.problem)
                operators.refresh()
            snapshot.parent.unlink()
            operators.refresh()
            assert operators.health().problem is None
        assert snapshot.is_file()

    def test_lost_it_is_written_again(self, shop: Shop, snapshot: Path) -> None:
        shop.publish(MASTER)
        with opened(shop, snapshot=snapshot) as operators:
            snapshot.unlink()
            operators.refresh()
            assert snapshot.is_file()

    def test_what_becomes_wrong_with_it_is_logged_once(
        self, shop: Shop, snapshot: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        shop.publish(MASTER)
        with opened(shop, snapshot=snapshot) as operators:
            shutil.rmtree(snapshot.parent)
            snapshot.parent.write_text("x")
            for _ in range(3):
                operators.refresh()
        assert len(caplog.messages) == 1
