"""`opsmail store adopt`: a store that went back is followed by readers once somebody says, signed, that it is meant."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from opsmail.evidence.envelope import sign, statement_in
from opsmail.evidence.keys import SigningKey
from opsmail.evidence.statement import Statement
from opsmail.runtime import Operators
from opsmail.store.backends import open_store
from opsmail.store.sql import SqlStore
from tests.unit.cli.checkout import Checkout
from tests.unit.cli.test_publish import events, generations, head


def published_again(checkout: Checkout) -> None:
    checkout.edit("operators/a.yaml", "sender:", "name: Novo\nsender:")
    checkout.commit()
    checkout.run("publish", "--yes")


def read(checkout: Checkout) -> tuple[int, str | None, str]:
    """What an application has, which keeps a snapshot."""
    keys, snapshot = [checkout.root / "keys/ci.pub.pem"], checkout.root / "out/snapshot"
    with closing(
        Operators.open(f"sqlite:///{checkout.root / 'opsmail.db'}", keys=keys, snapshot=snapshot)
    ) as operators:
        return operators["a"].generation, operators["a"].settings.name, operators.health().state


@pytest.fixture
def restored(published: Checkout) -> Checkout:
    """A store that is back at generation 1, after readers have seen generation 2."""
    backup = published.root / "out/backup.db"
    shutil.copy(published.root / "opsmail.db", backup)
    published_again(published)
    assert read(published)[:2] == (2, "Novo")
    for path in published.root.glob("opsmail.db*"):
        path.unlink()
    shutil.copy(backup, published.root / "opsmail.db")
    return published


def epoch(folder: Path) -> int:
    with closing(open_store(f"sqlite:///{folder / 'opsmail.db'}", read_only=True)) as store:
        return store.identity().epoch


def test_readers_follow_once_it_is_adopted(restored: Checkout) -> None:
    assert read(restored)[:2] == (2, "Novo")
    assert read(restored)[2] == "stale"
    said = restored.run("store", "adopt", "--reason", "backup", "--yes")
    assert said.err == "published generation 2 for default: what generation 1 had, in epoch 2\n"
    assert read(restored)[:2] == (2, None)
    newest = generations(restored)[0]
    assert (newest["act"], newest["epoch"], newest["reason"]) == ("adopt", 2, "backup")
    assert events(restored)[-1]["event"] == "adopt"
    assert restored.run("history", "--verify").out.startswith("the history is whole up to generation 2")
    restored.run("publish", "--yes")
    assert read(restored)[:2] == (3, "Novo")
    assert restored.run("diff", "1").out != ""


def test_holds_and_what_was_trusted_stay(published: Checkout) -> None:
    published.run("hold", "a", "--reason", "x")
    before = generations(published)[0]
    published.run("store", "adopt", "--yes")
    after = generations(published)[0]
    assert (after["marks"], after["trust"], after["commit"]) == (before["marks"], before["trust"], before["commit"])


def test_killed_halfway_the_next_one_ends_it(published: Checkout) -> None:
    with published.monkeypatch.context() as patch:
        patch.setattr(SqlStore, "swap_head", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        published.run("store", "adopt", "--yes", code=130)
    assert epoch(published.root) == 2
    published.run("publish", "--yes", code=4)
    assert "is published" not in published.run("store", "adopt", "--yes").err.splitlines()[0]
    assert (epoch(published.root), head(published)) == (2, 2)
    published.run("publish", "--yes")


def test_a_head_whose_key_was_revoked_is_adopted_by_its_digest_only(published: Checkout) -> None:
    new = SigningKey.generate()
    published.write("keys/new.pub.pem", new.public.pem())
    text = published.read("opsmail.toml").replace('"keys/ci.pub.pem"\n', '"keys/ci.pub.pem"\nrevoked = true\n')
    published.write("opsmail.toml", f'{text}\n[[gate.keys]]\nfile = "keys/new.pub.pem"\nkinds = ["generation"]\n')
    published.commit()
    published.monkeypatch.setenv("OPSMAIL_SIGNING_KEY", new.pem())
    assert "which was revoked" in published.run("publish", "--yes", code=3).err
    said = published.run("store", "adopt", "--yes", code=3).err
    assert "generation 1 is not to be trusted: it is signed by the key keys/ci.pub.pem, which was revoked" in said
    assert epoch(published.root) == 1
    digest = said.split("--accept-head ")[1].split("`")[0]
    published.run("store", "adopt", "--yes", "--accept-head", digest)
    # What it says was trusted counts no more.
    assert "does not tell what its settings trusted" in published.run("publish", "--yes", code=3).err


def test_without_a_key_nothing_changes(published: Checkout) -> None:
    published.monkeypatch.delenv("OPSMAIL_SIGNING_KEY")
    published.run("store", "adopt", "--yes", code=4)
    assert epoch(published.root) == 1


def test_a_person_is_asked_first(published: Checkout) -> None:
    assert "hint: pass --yes" in published.run("store", "adopt", code=3).err
    assert epoch(published.root) == 1


def test_before_the_first_publish(checkout: Checkout) -> None:
    checkout.fleet(None)
    checkout.run("store", "adopt", "--yes", code=4)
    checkout.run("publish", "--yes", code=3)
    assert "nothing is published" in checkout.run("store", "adopt", "--yes", code=2).err


def test_the_group_by_itself_shows_its_help(published: Checkout) -> None:
    assert "adopt" in published.run("store", code=2).err


class TestCollect:
    @pytest.fixture
    def old(self, published: Checkout) -> Checkout:
        """Three generations, of which the settings keep one."""
        published.edit("opsmail.toml", "[gate]", "[store]\nkeep_generations = 1\nkeep_days = 0\n\n[gate]")
        published_again(published)
        published.edit("operators/a.yaml", "name: Novo", "name: Outro")
        published.commit()
        published.run("publish", "--yes")
        return published

    def test_what_is_not_kept_goes(self, old: Checkout) -> None:
        foretold = old.run("store", "collect", "--dry-run").out.splitlines()
        assert foretold[:2] == ["nothing was changed; this would be done:", "2 generations of default let go"]
        assert [generation["number"] for generation in generations(old)] == [3, 2, 1]
        before = old.run("show", "a").out
        assert old.run("store", "collect").out.splitlines() == foretold[1:]
        assert old.run("show", "a").out == before
        assert [generation["number"] for generation in generations(old)] == [3]
        assert events(old)[-1]["event"] == "collect"
        assert old.run("store", "collect", "--format", "json").json() == {
            "schema": "opsmail/collection/v1",
            "environment": "default",
            "dry_run": False,
            "oldest": 3,
            "let_go": 0,
            "swept": 0,
            "left": int(foretold[-1].split()[-4]),
        }

    def test_commands_tell_what_is_not_kept(self, old: Checkout) -> None:
        assert "or earlier" not in old.run("why", "a").out
        old.run("store", "collect")
        assert old.run("history", "--verify").out.splitlines() == [
            "the history is whole up to generation 3 and event 4",
            "generations before 3 were let go by a collection; what they held cannot be known any more",
        ]
        assert old.run("history", "--verify", "--format", "json").json()["oldest"] == 3
        for words in (["show", "a@2"], ["diff", "1"], ["rollback", "2", "--yes"]):
            assert " of environment default is not kept" in old.run(*words, code=2).err
        assert "or earlier" in old.run("why", "a").out
        assert old.run("why", "a", "--format", "json").json()["maybe_earlier"] is True
        assert old.run("drift").out.startswith("environment default, generation 3")
        published_more = old.run("hold", "a").err
        assert "published generation 4" in published_more
        assert "1 generation " in old.run("store", "collect").out
        old.run("history", "--verify")

    def test_what_is_not_committed_does_not_count(self, published: Checkout) -> None:
        published_again(published)
        published.edit("opsmail.toml", "[gate]", "[store]\nkeep_generations = 1\nkeep_days = 0\n\n[gate]")
        assert "uncommitted changes: opsmail.toml" in published.run("store", "collect", code=3).err
        assert "0 generations" in published.run("store", "collect", "--commit", "HEAD").out

    def test_without_a_store_or_before_the_first_publish(self, checkout: Checkout) -> None:
        checkout.fleet(None)
        assert "there is no store at" in checkout.run("store", "collect", code=4).err
        checkout.run("publish", "--yes", code=3)
        assert "nothing is published" in checkout.run("store", "collect").out

    def test_a_generation_of_a_newer_opsmail(self, published: Checkout) -> None:
        """What it leads to besides is not known here, so nothing may be taken away."""
        published.edit("opsmail.toml", "[gate]", "[store]\nkeep_generations = 1\nkeep_days = 0\n\n[gate]")
        published.commit()
        add_field(published)
        said = published.run("store", "collect", code=3).err
        assert [entry["number"] for entry in generations(published)] == [2, 1]
        assert "generation 2 was published by a newer opsmail than this one" in said
        assert "upgrade opsmail here" in said

    def test_a_bucket_that_is_no_bucket(self, published: Checkout) -> None:
        """Whatever may be wrong with what is of use: nothing is taken away."""
        with closing(open_store(f"sqlite:///{published.root / 'opsmail.db'}")) as store:
            before = store.blobs()
            head = store.head("default")
            store.append_events(head, [b'{"event":"collect","oldest":1}'])
        assert "cannot be read" in published.run("store", "collect", code=4).err
        with closing(open_store(f"sqlite:///{published.root / 'opsmail.db'}")) as store:
            assert store.blobs() == before


def add_field(checkout: Checkout) -> None:
    """Publish what is published once more, with a field that this opsmail does not know."""
    with closing(open_store(f"sqlite:///{checkout.root / 'opsmail.db'}")) as store:
        now = store.head("default")
        first = statement_in(store.read([str(now.digest)])[str(now.digest)])
        facts = {**first.predicate, "number": 2, "parent": now.digest, "last_event": now.last_hash, "waivers": "x"}
        envelope = sign(Statement.generation(first.context, facts), checkout.key)
        digest = hashlib.sha256(envelope).hexdigest()
        store.write_missing({digest: envelope})
        store.swap_head(now, number=2, digest=digest, events=[b"{}"])
