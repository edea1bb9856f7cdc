# ruff: noqa: S608 - the names of the tables are ours
"""`opsmail drift` and `opsmail history --verify`: what is to come, what something else did, and a fitting exit code."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from opsmail.evidence.keys import SigningKey
from opsmail.store import tables
from opsmail.store.backends import open_store
from opsmail.store.interface import next_hash
from tests.unit.cli.checkout import Checkout
from tests.unit.cli.test_publish import generations
from tests.unit.fleets import CIRCUMSTANCES, Shop, operator


def drift(checkout: Checkout, *arguments: str) -> Any:
    """The report; its exit code is 1 exactly when it lists something."""
    assert checkout.capsys is not None
    clean = checkout.run("drift", *arguments, "--format", "json", "--format", "text:out/drift.txt", code=None)
    report = clean.json()
    checkout.run("drift", *arguments, code=1 if report["items"] else 0)
    assert (report["state"] == "clean") == (not report["items"])
    return report


def told(checkout: Checkout, *arguments: str) -> list[tuple[str, str | None, str]]:
    return [(item["kind"], item["operator"], item["message"]) for item in drift(checkout, *arguments)["items"]]


def execute(checkout: Checkout, statement: str, *values: Any) -> None:
    """Do to the database what somebody does who can write it."""
    with closing(sqlite3.connect(checkout.root / "opsmail.db")) as database, database:
        database.execute(statement, values)


def document(checkout: Checkout, name: str) -> str:
    shown = checkout.run("show", name, "--format", "json").json()
    return hashlib.sha256(
        json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


class TestDrift:
    def test_clean(self, published: Checkout) -> None:
        assert drift(published)["state"] == "clean"
        commit = published.git("rev-parse", "HEAD")
        assert published.run("drift").out == f"environment default, generation 1, commit {commit[:12]}: clean\n"

    def test_pending(self, published: Checkout) -> None:
        published.edit("operators/a.yaml", "role: standard", "role: standard\nname: Novo")
        (published.root / "operators/b.yaml").unlink()
        published.operator("c")
        published.commit()
        report = drift(published)
        assert (report["state"], report["generation"]) == ("pending", 1)
        assert told(published) == [
            ("pending", "a", "a publish would change name"),
            ("pending", "b", "a publish would delete it"),
            ("pending", "c", "a publish would create it"),
        ]
        assert "pending  a: a publish would change name\n" in published.run("drift", code=1).out

    def test_a_document_that_was_changed(self, published: Checkout) -> None:
        digest = document(published, "a")
        execute(published, f"UPDATE {tables.blobs.name} SET content = x'7b7d' WHERE digest = ?", digest)
        ((kind, name, message),) = told(published)
        assert (kind, name) == ("drift", "a")
        assert f"blob {digest} has another content" in message
        published.operator("c")
        published.commit()
        assert drift(published)["state"] == "both"

    def test_rows_for_sql_that_were_changed(self, published: Checkout) -> None:
        table = tables.operators.name
        execute(published, f"UPDATE {table} SET server_port = 2525, name = 'X' WHERE operator = 'a'")
        execute(published, f"DELETE FROM {table} WHERE operator = 'b'")
        execute(published, f"UPDATE {table} SET operator = 'z' WHERE operator = 'chefe'")
        assert drift(published)["state"] == "drift"
        assert told(published) == [
            ("drift", "a", "the table opsmail_operators has other values: name, server_port"),
            ("drift", "b", "it is published, and the table opsmail_operators lacks it"),
            ("drift", "chefe", "it is published, and the table opsmail_operators lacks it"),
            ("drift", "z", "the table opsmail_operators has it, and it is not published"),
        ]

    def test_a_head_that_a_stranger_signed(self, published: Checkout) -> None:
        stranger = Shop(published.root, "default", SigningKey.generate())
        shop = Shop(published.root, "default", published.key)
        generation = shop.published().generation
        assert generation is not None
        forged = stranger.sign(replace(generation, number=2))
        with shop.store() as store:
            head = store.head("default")
            digest = hashlib.sha256(forged).hexdigest()
            store.write_missing({digest: forged})
            store.swap_head(head, number=2, digest=digest, events=[b"{}"])
        ((kind, name, message),) = told(published)
        assert (kind, name, message) == ("drift", None, "it is signed by a key that the settings do not name")

    def test_an_event_log_that_tells_otherwise(self, published: Checkout) -> None:
        other = json.dumps({"digest": "0" * 64, "event": "publish", "generation": 1}, separators=(",", ":")).encode()
        chain = next_hash("0" * 64, other)
        execute(published, f"UPDATE {tables.events.name} SET payload = ?, hash = ?", other, chain)
        execute(published, f"UPDATE {tables.heads.name} SET last_hash = ?", chain)
        assert told(published) == [("drift", None, "the event about generation 1 tells of another one")]
        said = published.run("history", "--verify", code=1)
        assert said.out == "the event about generation 1 tells of another one\n"

    def test_an_event_log_that_tells_of_nothing(self, published: Checkout) -> None:
        chain = next_hash("0" * 64, b"{}")
        execute(published, f"UPDATE {tables.events.name} SET payload = ?, hash = ?", b"{}", chain)
        execute(published, f"UPDATE {tables.heads.name} SET last_hash = ?", chain)
        assert told(published) == [("drift", None, "no event tells of generation 1")]
        assert "no event tells of generation 1" in published.run("history", "--verify", code=1).out

    def test_events_that_were_put_in_before(self, published: Checkout) -> None:
        """A longer log, whose chain holds: the generation was signed on another one."""
        with closing(open_store("sqlite:///opsmail.db", read_only=True)) as store:
            (event,) = store.events("default")
        first = next_hash("0" * 64, b"{}")
        second = next_hash(first, event.payload)
        execute(published, f"UPDATE {tables.events.name} SET payload = ?, hash = ?", b"{}", first)
        insert = f"INSERT INTO {tables.events.name} (environment, sequence, payload, hash) VALUES ('default', 2, ?, ?)"
        execute(published, insert, event.payload, second)
        execute(published, f"UPDATE {tables.heads.name} SET last_hash = ?, events = 2", second)
        message = "the events before generation 1 are not those that it was signed on"
        assert told(published) == [("drift", None, message)]
        assert published.run("history", "--verify", code=1).out == f"{message}\n"

    @pytest.mark.parametrize("payload", [b"[]", b"{", b"\xff", b"[" * 5000])
    def test_events_that_say_nothing_that_can_be_read(self, published: Checkout, payload: bytes) -> None:
        chain = next_hash("0" * 64, payload)
        execute(published, f"UPDATE {tables.events.name} SET payload = ?, hash = ?", payload, chain)
        execute(published, f"UPDATE {tables.heads.name} SET last_hash = ?", chain)
        assert told(published) == [("drift", None, "no event tells of generation 1")]
        assert "no event tells of generation 1" in published.run("history", "--verify", code=1).out

    def test_a_chain_that_does_not_hold(self, published: Checkout) -> None:
        execute(published, f"UPDATE {tables.events.name} SET payload = ?", b"{}")
        ((kind, _, message),) = told(published)
        assert kind == "drift"
        assert "event 1 does not follow from the one before" in message
        said = published.run("history", "--verify", "--format", "json", code=1).json()
        assert "event 1 does not follow from the one before" in said["breaks"][0]

    def test_a_publish_from_another_branch(self, published: Checkout) -> None:
        published.git("checkout", "--quiet", "-b", "outro")
        published.operator("c")
        commit = published.commit()
        published.run("publish", "--yes")
        published.git("checkout", "--quiet", "main")
        report = drift(published)
        assert report["state"] == "both"
        assert report["items"][0]["message"] == (
            f"generation 2 was published from commit {commit[:12]}, which does not come before this one"
        )

    def test_a_clone_that_does_not_tell(self, published: Checkout) -> None:
        published.monkeypatch.setattr("opsmail.source.git.GitRepository.descends", lambda *_: None)
        said = published.run("drift")
        assert "the history that is here does not tell where commit" in said.err

    def test_what_the_settings_do_not_allow_any_more(self, published: Checkout) -> None:
        published.edit("opsmail.toml", '"587/starttls"', '"465/implicit-tls"')
        published.commit()
        said = published.run("drift", "--format", "json", code=1)
        assert "the commit has 3 errors: `opsmail check` shows them" in said.err
        items = [item for item in said.json()["items"] if item["operator"] == "a"]
        assert [item["kind"] for item in items] == ["revoked"]
        assert "port 587 with `starttls` is not approved" in items[0]["message"]
        assert (
            "revoked: `a` is published, and the settings do not allow it any more" in published.run("plan", code=1).err
        )

    def test_a_held_one_that_is_not_allowed_any_more_stays_visible(self, published: Checkout) -> None:
        published.run("hold", "a")
        published.edit("opsmail.toml", '"587/starttls"', '"465/implicit-tls"')
        for name in ("a", "b", "chefe"):
            published.edit(f"operators/{name}.yaml", "port: 587", "port: 465")
            published.edit(f"operators/{name}.yaml", "encryption: starttls", "encryption: implicit-tls")
        published.commit()
        assert [(item["operator"], item["kind"]) for item in drift(published)["items"] if item["operator"] == "a"] == [
            ("a", "held"),
            ("a", "revoked"),
        ]
        plan = published.run(
            "plan", "--format", "json", "--format", "text:out/plan.txt", "--format", "markdown:out/plan.md"
        )
        assert {item["operator"] for item in plan.json()["revoked"]} == {"a", "b", "chefe"}
        assert "revoked: `a` is published" in published.read("out/plan.txt")
        assert "**revoked" in published.read("out/plan.md")

    def test_a_file_that_cannot_be_read_is_not_taken_for_deleted(self, published: Checkout) -> None:
        published.edit("operators/a.yaml", "port: 587", "port: x")
        published.commit()
        assert "error" in published.run("drift").err

    def test_settings_that_are_still_to_be_recorded(self, published: Checkout) -> None:
        published.edit("opsmail.toml", "require = []", 'require = []\nmax_age = "1d"')
        published.commit()
        assert told(published) == [("pending", None, "a publish would record what the settings trust now")]
        assert "a publish would record what the settings trust now" in published.run("plan").err
        published.run("publish", "--yes")
        assert drift(published)["state"] == "clean"

    def test_before_the_first_publish(self, checkout: Checkout) -> None:
        checkout.fleet(None, "a")
        assert told(checkout) == [
            ("pending", "a", "a publish would create it"),
            ("pending", "chefe", "a publish would create it"),
        ]
        assert list(checkout.root.glob("*.db*")) == []
        checkout.run("publish", "--yes", code=3)
        assert drift(checkout)["state"] == "pending"

    def test_a_store_that_is_none_is_no_drift(self, published: Checkout) -> None:
        published.write("opsmail.db", "no database at all, for sure; it has to be longer than a header")
        published.run("drift", code=4)


class TestVerify:
    def test_the_whole_history(self, published: Checkout) -> None:
        published.operator("c")
        published.commit()
        published.run("publish", "--yes")
        published.run("hold", "c")
        assert published.run("history", "--verify").out == "the history is whole up to generation 3 and event 3\n"
        said = published.run("history", "--verify", "--format", "json").json()
        assert said == {
            "schema": "opsmail/history-verification/v1",
            "generations": 3,
            "oldest": 1,
            "events": 3,
            "breaks": [],
        }

    def test_nothing_yet(self, checkout: Checkout) -> None:
        checkout.fleet(None, require="[]")
        with closing(open_store("sqlite:///opsmail.db", create=True)):
            pass
        assert checkout.run("history", "--verify").out.startswith("the history is whole up to generation 0")

    def test_an_earlier_generation_that_was_exchanged(self, published: Checkout) -> None:
        """Whoever can write the database puts another signed generation in the place of the first."""
        published.operator("c")
        published.commit()
        published.run("publish", "--yes")
        shop = Shop(published.root, "default", published.key)
        other = Shop(published.root / "out", "default", published.key)
        other.publish(operator("x"), circumstances=replace(CIRCUMSTANCES, actor="outra"))
        with other.store() as source, shop.store() as store:
            digest = str(source.generation("default", 1))
            store.write_missing(source.read([digest]))
        execute(published, f"UPDATE {tables.generations.name} SET digest = ? WHERE number = 1", digest)
        said = published.run("history", "--verify", code=1)
        assert said.out.splitlines() == [
            "generation 1 was signed for another place",
            "the event about generation 1 tells of another one",
            "generation 2 does not follow generation 1",
        ]
        assert "is not the one that generation 2 follows" in published.run("diff", "1", code=4).err

    def test_a_head_whose_key_is_trusted_no_longer(self, published: Checkout) -> None:
        published.edit("opsmail.toml", 'environments = ["default"', 'revoked = true\nenvironments = ["default"')
        said = published.run("history", "--verify", code=1)
        assert (
            "generation 1 is not to be trusted: it is signed by the key keys/ci.pub.pem, which was revoked" in said.out
        )

    def test_a_store_that_lost_something(self, published: Checkout) -> None:
        with closing(sqlite3.connect(published.root / "opsmail.db")) as database, database:
            database.execute("PRAGMA foreign_keys=OFF")
            database.execute(f"DELETE FROM {tables.generations.name}")
        said = published.run("history", "--verify", code=1)
        assert "is not its newest generation and event" in said.out

    def test_marks_that_cannot_be_read_hide_no_history(self, published: Checkout) -> None:
        published.run("hold", "a")
        (digest,) = generations(published)[0]["marks"].values()
        execute(published, f"UPDATE {tables.blobs.name} SET content = x'00' WHERE digest = ?", digest)
        assert published.run("history").out.splitlines()[0].startswith("    2")
        assert "has another content" in published.run("drift", code=1).out


@pytest.mark.parametrize("format_", ["yaml", "markdown"])
def test_wrong_formats(published: Checkout, format_: str) -> None:
    assert "there is no format" in published.run("drift", "--format", format_, code=2).err
