"""`opsmail publish`: what it demands, what it refuses in which words, and what it leaves behind."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from opsmail.cli.publish import command
from opsmail.evidence.keys import SigningKey
from opsmail.store import tables
from opsmail.store.backends import open_store
from tests.unit.cli.checkout import Checkout
from tests.unit.servers import Server


def events(checkout: Checkout) -> list[dict[str, Any]]:
    with closing(open_store("sqlite:///opsmail.db", read_only=True)) as store:
        return [json.loads(event.payload) for event in store.events("default")]


def generations(checkout: Checkout) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = checkout.run("history", "--format", "json").json()["generations"]
    return found


def head(checkout: Checkout) -> int:
    """The number of the published generation."""
    with closing(open_store("sqlite:///opsmail.db", read_only=True)) as store:
        return store.head("default").number


class TestPublishing:
    def test_proven_it_goes_live(self, checkout: Checkout, relay: Server) -> None:
        commit = checkout.fleet(relay, "a")
        checkout.run("test")
        said = checkout.run("publish", "--yes", "--reason", "chamado 4711")
        assert said.err == "published generation 1 for default: 2 to create, 0 to update, 0 to delete, 0 unchanged\n"
        (generation,) = generations(checkout)
        assert (generation["commit"], generation["reason"], generation["required"]) == (
            commit,
            "chamado 4711",
            ["test-send"],
        )
        assert len(generation["evidence"]) in (1, 2)  # buckets
        assert [event["event"] for event in events(checkout)] == ["publish"]

    def test_its_evidence_is_kept_in_the_store(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay)
        checkout.run("test")
        (file,) = checkout.evidence()
        checkout.run("publish", "--yes")
        with closing(open_store("sqlite:///opsmail.db", read_only=True)) as store:
            digest = file.name.removesuffix(".dsse.json")
            assert store.read([digest])[digest] == file.read_bytes()

    def test_nothing_to_change_is_no_generation(self, published: Checkout) -> None:
        said = published.run("publish", "--yes")
        assert said.err == "nothing to publish: generation 1 has the same settings\n"
        assert len(generations(published)) == 1

    def test_where_nothing_has_to_be_proven_it_is_told(self, checkout: Checkout) -> None:
        checkout.fleet(None, require="[]")
        assert "no evidence was required: `gate.require` is empty" in checkout.run("publish", "--yes").err
        assert "published without any evidence required" in checkout.run("history").out

    def test_a_saved_plan_is_applied_once(self, checkout: Checkout) -> None:
        checkout.fleet(None, require="[]")
        checkout.run("plan", "--out", "out/plan.json")
        checkout.run("publish", "out/plan.json")
        said = checkout.run("publish", "out/plan.json", code=3)
        assert "refused: the saved plan is stale: it was made for another store" in said.err

    @pytest.mark.case("C-24")
    def test_a_plan_holds_no_secret_that_could_change_meanwhile(
        self, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It holds where the secret is: one that was changed is neither published nor a reason to refuse."""
        checkout.fleet(None, require="[]")
        checkout.run("plan", "--out", "out/plan.json")
        monkeypatch.setenv("OPSMAIL_SECRET_CHEFE", "s3nh4-de-depois")
        checkout.run("publish", "out/plan.json")
        assert "env://OPSMAIL_SECRET_CHEFE" in checkout.run("show", "chefe").out
        assert "s3nh4" not in checkout.read("out/plan.json")
        store = b"".join(path.read_bytes() for path in checkout.root.glob("*.db*"))
        assert b"env://OPSMAIL_SECRET_CHEFE" in store
        assert b"s3nh4" not in store

    def test_a_saved_plan_s_deletes_need_no_prune(self, published: Checkout) -> None:
        (published.root / "operators/b.yaml").unlink()
        published.commit()
        published.run("plan", "--out", "out/plan.json")
        assert "1 to delete" in published.run("publish", "out/plan.json").err

    def test_a_saved_plan_allows_nothing_else(self, published: Checkout) -> None:
        (published.root / "operators/chefe.yaml").unlink()
        published.operator("outro", role="master")
        published.commit()
        published.run("plan", "--out", "out/plan.json")
        said = published.run("publish", "out/plan.json", code=3)
        assert "hint: `--allow-master-change` allows it" in said.err
        published.run("publish", "out/plan.json", "--allow-master-change")

    def test_in_a_pipeline_the_actor_is_who_started_it(self, checkout: Checkout) -> None:
        checkout.fleet(None, require="[]")
        checkout.run("publish", "--yes", environment={"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "bia"})
        assert generations(checkout)[0]["actor"] == "bia"


class TestAsking:
    def test_nobody_is_there_to_be_asked(self, checkout: Checkout) -> None:
        checkout.fleet(None, require="[]")
        said = checkout.run("publish", code=3)
        assert "nobody is there to be asked" in said.err
        assert "hint: pass --yes, or publish a plan saved" in said.err
        assert events(checkout) == []

    @pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 3), ("\n", 3), ("\x04", 130)])
    def test_a_person_sees_the_plan_and_decides(
        self, checkout: Checkout, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
    ) -> None:
        checkout.fleet(None, require="[]")
        with terminal(answer) as stream:
            monkeypatch.setattr(sys, "stdin", stream)
            monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
            said = checkout.run("publish", "--color", "never", code=code)
        assert "+ chefe  chefe@empresa.test at" in said.err
        assert "Publish to default? [y/N]" in said.err + said.out
        assert head(checkout) == (1 if code == 0 else 0)

    def test_what_cannot_be_signed_is_not_worth_a_question(self, checkout: Checkout) -> None:
        checkout.fleet(None, require="[]")
        checkout.monkeypatch.delenv("OPSMAIL_SIGNING_KEY")
        assert "`OPSMAIL_SIGNING_KEY` is not set" in checkout.run("publish", "--yes", code=4).err

    def test_neither_is_what_nobody_would_believe(self, checkout: Checkout) -> None:
        checkout.fleet(None, require="[]")
        checkout.monkeypatch.setenv("OPSMAIL_SIGNING_KEY", SigningKey.generate().pem())
        said = checkout.run("publish", "--yes", code=3)
        assert "the signing key is not trusted to sign `generation` for environment default" in said.err
        checkout.edit("opsmail.toml", 'environments = ["default"', 'revoked = true\nenvironments = ["default"')
        checkout.commit()
        checkout.monkeypatch.setenv("OPSMAIL_SIGNING_KEY", checkout.key.pem())
        assert "is not trusted" in checkout.run("publish", "--yes", code=3).err

    def test_a_public_key_that_is_none(self, checkout: Checkout) -> None:
        checkout.fleet(None)
        checkout.write("keys/ci.pub.pem", checkout.key.pem())
        checkout.commit()
        said = checkout.run("publish", "--yes", code=2)
        assert "keys/ci.pub.pem: this is a private key where the public one belongs" in said.err


class TestRefusing:
    def test_unproven(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay, "a")
        checkout.run("test", "a")
        said = checkout.run("publish", "--yes", code=3)
        assert "refused: chefe: there is no `test-send` evidence for operator:chefe" in said.err
        assert "hint: run `opsmail test chefe` on this commit" in said.err
        assert said.err.endswith("nothing was published: 1 reason\n")
        assert head(checkout) == 0

    def test_every_refusal_is_an_event(self, checkout: Checkout) -> None:
        checkout.fleet(None, "a")
        checkout.run("publish", "--yes", code=3)
        (event,) = events(checkout)
        assert (event["event"], len(event["reasons"])) == ("refused-publish", 2)
        assert event["reasons"][0].startswith("a: there is no `test-send` evidence")

    def test_a_store_that_does_not_take_the_event_hides_no_refusal(self, published: Checkout) -> None:
        with closing(sqlite3.connect(published.root / "opsmail.db")) as database, database:
            database.execute(
                f"CREATE TRIGGER full BEFORE INSERT ON {tables.events.name} BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
        published.edit("opsmail.toml", "require = []", 'require = ["test-send"]')
        published.operator("c")
        published.commit()
        said = published.run("publish", "--yes", code=3)
        assert "refused: c: there is no `test-send` evidence" in said.err
        assert "nothing was published: 1 reason\nthe refusal was not recorded: " in said.err

    def test_a_commit_with_errors_says_them_and_nothing_that_follows_from_them(self, published: Checkout) -> None:
        published.edit("operators/a.yaml", "port: 587", "port: 465")
        published.write("operators/b.yaml", "version: [\n")
        published.commit()
        said = published.run("publish", "--yes", code=3)
        assert "refused: a: OM201 at operators/a.yaml:8: port 465 expects implicit TLS" in said.err
        assert "refused: OM002 at operators/b.yaml:" in said.err
        assert "would be deleted" not in said.err
        assert "evidence" not in said.err

    def test_a_file_s_name_that_is_no_text_is_refused_like_any_other(self, checkout: Checkout) -> None:
        checkout.fleet(None)
        Path(os.fsdecode(os.fsencode(checkout.root) + b"/operators/\xff.yaml")).write_bytes(b"x")
        checkout.commit()
        said = checkout.run("publish", "--yes", code=3)
        assert "refused: OM008 at operators/\\udcff.yaml:1" in said.err
        assert "operators/\\udcff.yaml" in events(checkout)[0]["reasons"][0]

    @pytest.mark.parametrize(
        ("change", "option"),
        [
            ("delete", "--prune"),
            ("master", "--allow-master-change"),
            ("many", "--allow-many-changes"),
        ],
    )
    def test_over_a_limit_the_option_is_named_and_allows_it(
        self, published: Checkout, change: str, option: str
    ) -> None:
        if change == "delete":
            (published.root / "operators/b.yaml").unlink()
        elif change == "master":
            published.edit("operators/chefe.yaml", "role: master", "role: standard")
            published.edit("operators/a.yaml", "role: standard", "role: master")
        else:
            published.edit("opsmail.toml", "[gate]", "[store]\nmax_changes = 1\n\n[gate]")
            published.operator("c")
            published.operator("d")
        published.commit()
        said = published.run("publish", "--yes", code=3)
        assert f"hint: `{option}" in said.err
        published.run("publish", "--yes", option, *(["b"] if change == "delete" else []))
        assert len(generations(published)) == 2

    def test_an_empty_fleet(self, published: Checkout) -> None:
        for name in ("a", "b", "chefe"):
            (published.root / f"operators/{name}.yaml").unlink()
        published.write("operators/.gitkeep", "")
        published.commit()
        every = ["--allow-master-change", *(f"--prune={name}" for name in ("a", "b", "chefe"))]
        said = published.run("publish", "--yes", *every, code=3)
        assert "refused: no operator would be left\nhint: `--allow-empty` allows it\n" in said.err
        published.run("publish", "--yes", *every, "--allow-empty")
        assert head(published) == 2

    def test_shares_of_a_large_fleet(self, checkout: Checkout) -> None:
        fleet = [f"o{number:02}" for number in range(11)]
        checkout.fleet(None, *fleet, require="[]")
        checkout.run("publish", "--yes")
        for name in fleet[:6]:
            checkout.edit(f"operators/{name}.yaml", "role: standard", "role: standard\nname: X")
        for name in fleet[9:]:
            (checkout.root / f"operators/{name}.yaml").unlink()
        checkout.commit()
        prune = ["--prune", fleet[9], "--prune", fleet[10]]
        said = checkout.run("publish", "--yes", *prune, code=3)
        assert "hint: `--allow-many-updates` allows it" in said.err
        assert "hint: `--allow-many-deletes` allows it" in said.err
        checkout.run("publish", "--yes", *prune, "--allow-many-updates", code=3)
        checkout.run("publish", "--yes", *prune, "--allow-many-updates", "--allow-many-deletes")

    def test_an_old_pipeline_brings_nothing_back(self, published: Checkout) -> None:
        first = published.git("rev-parse", "HEAD")
        published.edit("operators/a.yaml", "role: standard", "role: standard\nname: Novo")
        published.commit()
        published.run("publish", "--yes")
        said = published.run("publish", "--yes", "--commit", first, code=3)
        assert f"refused: commit {first[:12]} does not come after the published one" in said.err

    def test_a_clone_that_does_not_know_the_published_commit(self, published: Checkout, tmp_path: Path) -> None:
        published.operator("c")
        published.commit()
        shallow = tmp_path / "shallow"
        published.git(
            "-c", "protocol.file.allow=always", "clone", "--quiet", "--depth=1", published.root.as_uri(), str(shallow)
        )
        published.monkeypatch.chdir(shallow)
        database = shallow / "opsmail.db"
        database.symlink_to(published.root / "opsmail.db")
        said = published.run("publish", "--yes", code=3)
        assert "is not in the history that is here" in said.err
        assert "fetch-depth: 0" in said.err

    def test_evidence_of_another_clone_s_repository(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay)
        checkout.run("test")
        checkout.git("remote", "add", "origin", "https://github.com/fork/mail")
        said = checkout.run("publish", "--yes", code=3)
        assert "is from repository git:" in said.err

    def test_settings_that_changed_after_the_test(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay)
        checkout.run("test")
        checkout.edit("opsmail.toml", '"basic", "none"', '"basic"')
        checkout.commit()
        assert "was made under other settings" in checkout.run("publish", "--yes", code=3).err

    def test_uncommitted_changes(self, published: Checkout) -> None:
        published.operator("c")
        assert "uncommitted changes: operators/c.yaml" in published.run("publish", "--yes", code=3).err

    def test_a_run_for_anybody_s_code(self, published: Checkout) -> None:
        environment = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request_target"}
        said = published.run("publish", "--yes", code=3, environment=environment)
        assert "live tests and publish do not run here" in said.err


class TestWrongUse:
    @pytest.mark.parametrize("reason", ["x" * 501, "a\nb", "a\x1bb", "\udcff"])
    def test_a_reason_that_is_none(self, checkout: Checkout, reason: str) -> None:
        checkout.fleet(None)
        assert "the reason is longer than 500" in checkout.run("publish", "--yes", "--reason", reason, code=2).err

    def test_a_plan_that_is_none(self, checkout: Checkout) -> None:
        checkout.fleet(None)
        checkout.write("out/plan.json", "{}")
        assert "not a plan that opsmail saved" in checkout.run("publish", "out/plan.json", code=2).err
        assert "cannot be read: No such file" in checkout.run("publish", "out/none.json", code=4).err

    def test_no_option_allows_everything(self) -> None:
        """One option for each limit; whoever adds `--force` reads this."""
        options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
        assert options - {"--config", "--env", "--lang", "--color"} == {
            "--yes",
            "--prune",
            "--allow-many-updates",
            "--allow-many-deletes",
            "--allow-many-changes",
            "--allow-empty",
            "--allow-master-change",
            "--accept-settings",
            "--skip-unproven",
            "--break-glass",
            "--operator",
            "--reason",
            "--commit",
        }
        assert all(
            parameter.envvar in (None, "OPSMAIL_CONFIG", "OPSMAIL_ENVIRONMENT", "OPSMAIL_LANG")
            for parameter in command.params
        )


class TestDamage:
    def test_a_store_that_somebody_else_wrote_to_is_not_published_over(self, published: Checkout) -> None:
        with closing(sqlite3.connect(published.root / "opsmail.db")) as database, database:
            database.execute(f"UPDATE {tables.blobs.name} SET content = x'00'")  # noqa: S608 - a table's name
        published.operator("c")
        published.commit()
        assert "has another content" in published.run("publish", "--yes", code=4).err


@contextmanager
def terminal(typed: str) -> Iterator[Any]:
    """A terminal at which somebody has typed something."""
    keyboard, screen = pty.openpty()
    os.write(keyboard, typed.encode())
    with os.fdopen(screen, "r") as stream:
        yield stream
    os.close(keyboard)
