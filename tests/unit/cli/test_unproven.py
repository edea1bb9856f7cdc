"""What is not proven: left out where that is asked for, or live at night, and visible as that."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from opsmail.evidence.envelope import statement_in
from opsmail.evidence.keys import SigningKey
from opsmail.store.backends import open_store
from tests.unit.cli.checkout import Checkout, wait_for_the_next_second
from tests.unit.cli.test_publish import events, generations, head
from tests.unit.servers import Server

ON_CALL = SigningKey.generate()
MORE = '[[gate.keys]]\nfile = "keys/on-call.pub.pem"\nkinds = ["generation", "break-glass"]\n'


@pytest.fixture
def proven(checkout: Checkout, relay: Server) -> Checkout:
    """A master and two operators, proven and published; and a key for the night."""
    checkout.write("keys/on-call.pub.pem", ON_CALL.public.pem())
    checkout.fleet(relay, "a", "b", more=MORE)
    checkout.run("test")
    checkout.run("publish", "--yes")
    return checkout


def change(checkout: Checkout, *names: str) -> None:
    for name in names:
        checkout.edit(f"operators/{name}.yaml", "sender:", "name: Novo\nsender:")
    checkout.commit()


def manifest(checkout: Checkout, name: str) -> Any:
    return checkout.run("show", name, "--format", "json").json()["operator"].get("name")


def at_night(checkout: Checkout) -> None:
    checkout.monkeypatch.setenv("OPSMAIL_SIGNING_KEY", ON_CALL.pem())


class TestSkipping:
    def test_the_rest_is_published(self, proven: Checkout) -> None:
        change(proven, "a", "b")
        proven.run("test", "a")
        said = proven.run("publish", "--yes", "--skip-unproven", code=1)
        assert "left as published: b: the `test-send` evidence for operator:b of" in said.err
        assert said.err.endswith("1 operator was left as it is published\n")
        assert "published generation 2 for default: 0 to create, 1 to update" in said.err
        assert (manifest(proven, "a"), manifest(proven, "b")) == ("Novo", None)

    def test_all_proven_is_exit_0(self, proven: Checkout) -> None:
        change(proven, "a")
        proven.run("test", "a")
        proven.run("publish", "--yes", "--skip-unproven")

    def test_nothing_proven_is_no_generation(self, proven: Checkout) -> None:
        change(proven, "a")
        said = proven.run("publish", "--yes", "--skip-unproven", code=1)
        assert "nothing to publish: generation 1 has the same settings" in said.err
        assert "left as published: a: " in said.err
        assert head(proven) == 1

    def test_who_is_new_and_unproven_stays_away(self, proven: Checkout) -> None:
        proven.operator("c")
        change(proven, "a")
        proven.run("test", "a")
        proven.run("publish", "--yes", "--skip-unproven", code=1)
        proven.run("show", "c", code=2)

    def test_a_master_without_proof_refuses_all(self, proven: Checkout) -> None:
        change(proven, "a", "chefe")
        proven.run("test", "a")
        said = proven.run("publish", "--yes", "--skip-unproven", code=3)
        assert "refused: chefe: " in said.err
        assert head(proven) == 1

    def test_a_master_to_be_as_well(self, proven: Checkout) -> None:
        proven.edit("operators/chefe.yaml", "role: master", "role: standard")
        proven.edit("operators/a.yaml", "role: standard", "role: master")
        proven.commit()
        proven.run("test", "chefe")
        assert "refused: a: " in proven.run("publish", "--yes", "--skip-unproven", "--allow-master-change", code=3).err

    def test_what_is_left_out_counts_for_no_limit(self, proven: Checkout) -> None:
        change(proven, "a", "b")
        proven.edit("opsmail.toml", "[gate]", "[store]\nmax_changes = 1\n\n[gate]")
        proven.commit()
        proven.run("test", "a")
        proven.run("publish", "--yes", "--skip-unproven", code=1)

    def test_a_saved_plan_is_published_whole(self, proven: Checkout) -> None:
        proven.run("plan", "--out", "out/plan.json")
        assert "leave --skip-unproven out" in proven.run("publish", "out/plan.json", "--skip-unproven", code=2).err


class TestBreakingGlass:
    REASON = "Exchange is down, INC-4711"

    def glass(self, checkout: Checkout, *names: str, code: int = 0) -> str:
        options = [word for name in names for word in ("--operator", name)]
        return checkout.run("publish", "--yes", "--break-glass", self.REASON, *options, code=code).err

    def test_it_goes_live_and_stays_visible(self, proven: Checkout) -> None:
        change(proven, "a")
        at_night(proven)
        said = self.glass(proven, "a")
        assert f"`a` went live unproven: {self.REASON}" in said
        mark = f"`a` went live unproven with generation 2, by {generations(proven)[0]['actor']}: {self.REASON}"
        assert mark in proven.run("history").out
        assert mark in proven.run("drift").out
        (marked,) = generations(proven)[0]["set"]
        assert (marked["operator"], marked["kind"], marked["reason"]) == ("a", "break-glass", self.REASON)
        event = events(proven)[-1]
        assert (event["event"], event["operators"], event["reason"]) == ("break-glass", ["a"], self.REASON)

    def test_a_statement_signed_for_that_is_kept(self, proven: Checkout) -> None:
        change(proven, "a")
        at_night(proven)
        self.glass(proven, "a")
        with closing(open_store("sqlite:///opsmail.db", read_only=True)) as store:
            (bucket,) = generations(proven)[0]["evidence"].values()
            (digest,) = json.loads(store.read([bucket])[bucket])["a"]
            statement = statement_in(store.read([digest])[digest])
        assert (statement.kind, statement.subject) == ("break-glass", "operator:a")
        assert statement.predicate["reason"] == self.REASON

    def test_beside_what_is_proven(self, proven: Checkout) -> None:
        change(proven, "a", "b")
        proven.run("test", "b")
        at_night(proven)
        self.glass(proven, "a")
        (marked,) = generations(proven)[0]["set"]
        assert marked["operator"] == "a"

    def test_until_it_is_superseded(self, proven: Checkout) -> None:
        change(proven, "a")
        at_night(proven)
        self.glass(proven, "a")
        proven.monkeypatch.setenv("OPSMAIL_SIGNING_KEY", proven.key.pem())
        change(proven, "b")
        proven.run("test", "b")
        proven.run("publish", "--yes")
        assert "`a` went live unproven with generation 2" in proven.run("drift").out
        proven.edit("operators/a.yaml", "name: Novo", "name: Provado")
        proven.commit()
        proven.run("test", "a")
        proven.run("publish", "--yes")
        assert "unproven" not in proven.run("drift").out
        assert proven.run("history").out.count("unproven") == 1

    def test_a_rollback_to_it_says_so_too(self, proven: Checkout) -> None:
        change(proven, "a")
        at_night(proven)
        self.glass(proven, "a")
        proven.monkeypatch.setenv("OPSMAIL_SIGNING_KEY", proven.key.pem())
        proven.edit("operators/a.yaml", "name: Novo", "name: Provado")
        proven.commit()
        proven.run("test", "a")
        proven.run("publish", "--yes")
        proven.run("rollback", "2", "--operator", "a", "--yes")
        assert "`a` went live unproven with generation 2" in proven.run("drift", code=1).out

    def test_for_nobody_else(self, proven: Checkout) -> None:
        change(proven, "a", "b")
        at_night(proven)
        said = self.glass(proven, "a", code=3)
        assert "refused: b: " in said
        assert "refused: a: " not in said
        assert head(proven) == 1

    def test_it_opens_no_pin(self, proven: Checkout) -> None:
        proven.edit("operators/a.yaml", "port: 587", "port: 2599")
        proven.commit()
        at_night(proven)
        assert "refused: a: OM209 at operators/a.yaml:" in self.glass(proven, "a", code=3)

    def test_it_wants_a_key_of_its_kind(self, proven: Checkout) -> None:
        change(proven, "a")
        assert "the signing key is not trusted to sign `break-glass`" in self.glass(proven, "a", code=3)
        assert head(proven) == 1

    def test_proven_needs_no_glass(self, proven: Checkout) -> None:
        change(proven, "a")
        proven.run("test", "a")
        self.glass(proven, "a")
        assert "unproven" not in proven.run("history").out

    def test_an_approval_is_still_needed_whatever_its_age(self, checkout: Checkout) -> None:
        checkout.write("keys/on-call.pub.pem", ON_CALL.public.pem())
        more = MORE.replace('"break-glass"', '"break-glass", "approval"')
        checkout.fleet(None, require='["test-send", "approval"]', more=more)
        at_night(checkout)
        said = self.glass(checkout, "chefe", code=3)
        assert "refused: chefe: there is no `approval` evidence for operator:chefe" in said
        assert "test-send" not in said
        checkout.run("approve", "chefe", "--as", "chefia@empresa.test")
        self.glass(checkout, "chefe")

    def test_what_is_not_published_needs_none(self, proven: Checkout) -> None:
        at_night(proven)
        assert "refused: a: no glass is broken for what is not published now: it does not change" in self.glass(
            proven, "a", code=3
        )
        proven.run("hold", "a")
        change(proven, "a", "b")
        assert "now: it is held as it is published" in self.glass(proven, "a", code=3)

    @pytest.mark.parametrize(
        "options",
        [
            ("--break-glass", "x"),
            ("--operator", "a"),
            ("--break-glass", "", "--operator", "a"),
            ("--break-glass", "a\nb", "--operator", "a"),
        ],
    )
    def test_wrong_use(self, proven: Checkout, options: tuple[str, ...]) -> None:
        proven.run("publish", "--yes", *options, code=2)


class TestFreshEvidence:
    def test_it_is_kept_without_a_generation(self, proven: Checkout) -> None:
        before = set(proven.evidence())
        wait_for_the_next_second()
        proven.run("test", "a")
        (new,) = set(proven.evidence()) - before
        said = proven.run("publish", "--yes").err
        assert said == "nothing to publish: generation 1 has the same settings\nfresh evidence of 1 operator is kept\n"
        event = events(proven)[-1]
        digest = new.name.removesuffix(".dsse.json")
        assert (event["event"], event["of"], event["statements"]) == ("evidence", 1, {"a": [digest]})
        with closing(open_store("sqlite:///opsmail.db", read_only=True)) as store:
            assert store.read([digest])[digest] == new.read_bytes()
        assert "fresh" not in proven.run("publish", "--yes").err
        assert proven.run("history", "--verify").out == "the history is whole up to generation 1 and event 2\n"
        assert proven.run("drift").out.endswith(": clean\n")

    def test_of_many_operators_it_takes_several_events(self, proven: Checkout) -> None:
        proven.monkeypatch.setattr("opsmail.publish.publisher._OPERATORS", 2)
        wait_for_the_next_second()
        proven.run("test")
        assert "fresh evidence of 3 operators is kept" in proven.run("publish", "--yes").err
        assert [sorted(event["statements"]) for event in events(proven)[1:]] == [["a", "b"], ["chefe"]]
