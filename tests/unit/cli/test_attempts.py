"""Of a publish whose end nobody heard, the next run says what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opsmail.cli.attempts import Attempts
from opsmail.messages import msg
from opsmail.store.interface import OutcomeUnknown
from opsmail.store.sql import SqlStore
from tests.unit.cli.checkout import Checkout

NOTE = Path(".opsmail/attempt-default.json")


@pytest.fixture
def changed(published: Checkout) -> Checkout:
    published.operator("c")
    published.commit()
    return published


def lose(checkout: Checkout, *, happens: bool) -> None:
    """Publish, and lose the store's answer."""
    swap = SqlStore.swap_head

    def lost(self: SqlStore, *arguments: Any, **options: Any) -> Any:
        if happens:
            swap(self, *arguments, **options)
        raise OutcomeUnknown(msg("the line went dead"))

    def silent(self: SqlStore, *arguments: Any) -> Any:
        raise OutcomeUnknown(msg("the line is dead"))

    with checkout.monkeypatch.context() as patch:
        patch.setattr(SqlStore, "swap_head", lost)
        patch.setattr(SqlStore, "generation", silent)
        assert "the line went dead" in checkout.run("publish", "--yes", code=4).err


def test_it_happened(changed: Checkout) -> None:
    lose(changed, happens=True)
    said = changed.run("publish", "--yes").err.splitlines()
    assert said[0].startswith("generation 2, whose publish was interrupted at ")
    assert said[0].endswith("Z, is published")
    assert said[1] == "nothing to publish: generation 2 has the same settings"
    assert "interrupted" not in changed.run("publish", "--yes").err


def test_it_did_not(changed: Checkout) -> None:
    lose(changed, happens=False)
    said = changed.run("publish", "--yes").err.splitlines()
    assert said[0].endswith("Z, was not published")
    assert said[1].startswith("published generation 2 for default")


def test_it_is_told_to_whoever_comes_next(changed: Checkout) -> None:
    lose(changed, happens=True)
    assert "is published" in changed.run("hold", "a").err


def test_a_publish_that_ended_leaves_no_note(changed: Checkout) -> None:
    changed.run("publish", "--yes")
    assert not NOTE.exists()


def test_a_note_about_another_store_stays(changed: Checkout) -> None:
    lose(changed, happens=True)
    (changed.root / "opsmail.db").unlink()
    said = changed.run("publish", "--yes", "--accept-settings", "x")
    assert "interrupted" not in said.err


@pytest.mark.parametrize(
    "note",
    [
        "{",
        "[]",
        "[" * 5000,
        json.dumps({"store": "x", "number": 0, "digest": "0" * 64, "time": ""}),
        json.dumps({"store": "x", "number": 1, "digest": "0", "time": ""}),
    ],
)
def test_a_note_that_is_none_says_nothing(changed: Checkout, note: str) -> None:
    changed.write(str(NOTE), note)
    assert "interrupted" not in changed.run("publish", "--yes").err


def test_a_note_that_cannot_be_written_stops_nothing(changed: Checkout) -> None:
    changed.write(f"{NOTE}/x", "")
    changed.run("publish", "--yes")
    assert NOTE.is_dir()


def test_a_note_that_cannot_be_taken_away_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / NOTE).mkdir(parents=True)
    Attempts(tmp_path).end("default")
    assert (tmp_path / NOTE).is_dir()


def test_a_link_is_not_followed(changed: Checkout) -> None:
    changed.write("out/elsewhere", "{}")
    (changed.root / ".opsmail").mkdir(exist_ok=True)
    (changed.root / NOTE).symlink_to(changed.root / "out/elsewhere")
    changed.run("publish", "--yes")
    assert changed.read("out/elsewhere") == "{}"
