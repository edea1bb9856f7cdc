"""`opsmail rollback`, `hold` and `release`: what was published comes back and stays, whatever git says."""

from __future__ import annotations

from typing import Any

import pytest

from opsmail.evidence.keys import SigningKey
from tests.unit.cli.checkout import Checkout, Said
from tests.unit.cli.test_publish import events, generations, head
from tests.unit.servers import Server


def change(checkout: Checkout, name: str = "a", value: str = "Novo") -> None:
    """Publish another name of an operator, as the next generation."""
    lines = [line for line in checkout.read(f"operators/{name}.yaml").splitlines() if not line.startswith("name: ")]
    checkout.write(f"operators/{name}.yaml", "\n".join([*lines, f"name: {value}"]) + "\n")
    checkout.commit()
    checkout.run("publish", "--yes")


def shown(checkout: Checkout, operator: str) -> Any:
    return checkout.run("show", operator, "--format", "json").json()["operator"]


def drift(checkout: Checkout, code: int) -> Any:
    return checkout.run("drift", "--format", "json", code=code).json()


class TestRollback:
    def test_what_was_published_comes_back_as_a_new_generation(self, published: Checkout) -> None:
        change(published)
        said = published.run("rollback", "1", "--yes", "--reason", "INC-1")
        assert "published generation 3 for default, with what generation 1 had: 0 to create, 1 to update" in said.err
        assert "`a` is held; `opsmail release a` ends that" in said.err
        assert "name" not in shown(published, "a")
        newest = generations(published)[0]
        assert (newest["number"], newest["act"], newest["reason"]) == (3, "rollback", "INC-1")
        event = events(published)[-1]
        assert (event["event"], event["generation"], event["operators"]) == ("rollback", 3, ["a"])
        assert "rollback, 3 operators" in published.run("history").out

    def test_the_next_publish_does_not_undo_it(self, published: Checkout) -> None:
        change(published)
        published.run("rollback", "1", "--yes", "--reason", "INC-1")
        said = published.run("publish", "--yes", code=3)
        assert "refused: a: held as it is published since generation 3, by " in said.err
        assert ": INC-1\nhint: `opsmail release a` ends it" in said.err
        assert "held: `a` stays as it is published, whatever git says" in published.run("plan").out
        assert published.run("plan", "--format", "json").json()["held"] == ["a"]
        assert head(published) == 3

    def test_everything_else_goes_on(self, published: Checkout) -> None:
        change(published)
        published.run("rollback", "1", "--yes")
        published.operator("c")
        published.commit()
        said = published.run("publish", "--yes")
        assert "1 to create, 0 to update" in said.err
        assert "`a` is held as it is published" in said.err
        assert "name" not in shown(published, "a")

    def test_released_it_follows_git_again(self, published: Checkout) -> None:
        change(published)
        published.run("rollback", "1", "--yes")
        assert "`a` is released" in published.run("release", "a").err
        published.run("publish", "--yes")
        assert shown(published, "a")["name"] == "Novo"
        assert [entry["act"] for entry in generations(published)[:2]] == ["publish", "release"]

    def test_only_one_operator(self, published: Checkout) -> None:
        change(published, "a")
        change(published, "b")
        published.run("rollback", "1", "--operator", "a", "--yes")
        assert "name" not in shown(published, "a")
        assert shown(published, "b")["name"] == "Novo"

    def test_what_came_later_goes_and_stays_away(self, published: Checkout) -> None:
        published.operator("c")
        published.commit()
        published.run("publish", "--yes")
        published.run("rollback", "1", "--operator", "c", "--yes")
        published.run("show", "c", code=2)
        assert "refused: c: held" in published.run("publish", "--yes", code=3).err

    def test_what_was_deleted_comes_back(self, published: Checkout) -> None:
        (published.root / "operators/b.yaml").unlink()
        published.commit()
        published.run("publish", "--yes", "--prune", "b")
        published.run("rollback", "1", "--yes")
        assert shown(published, "b")["operator"] == "b"
        assert "refused: b: held" in published.run("publish", "--yes", "--prune", "b", code=3).err

    def test_limits_on_how_much_changes_are_no_reason(self, checkout: Checkout) -> None:
        names = [f"o{number:02}" for number in range(12)]
        checkout.fleet(None, *names, require="[]", more="[store]\nmax_changes = 3\n")
        checkout.run("publish", "--yes")
        for name in names:
            checkout.edit(f"operators/{name}.yaml", "role: standard", "role: standard\nname: X")
        checkout.commit()
        checkout.run("publish", "--yes", "--allow-many-updates", "--allow-many-changes")
        checkout.run("rollback", "1", "--yes")
        assert "12 to update" in checkout.run("diff", "1", "2").out or head(checkout) == 3

    def test_its_proofs_come_along(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay, "a")
        checkout.run("test")
        checkout.run("publish", "--yes")
        checkout.edit("operators/a.yaml", "role: standard", "role: standard\nname: X")
        checkout.commit()
        checkout.run("test", "a")
        checkout.run("publish", "--yes")
        checkout.run("rollback", "1", "--operator", "a", "--yes")
        first, _, third = reversed(generations(checkout))
        assert len(third["evidence"]) == 1
        assert set(third["evidence"]) <= set(first["evidence"])

    def test_it_claims_no_proof_that_nobody_asked_for(self, published: Checkout) -> None:
        change(published)
        published.edit("opsmail.toml", "require = []", 'require = ["test-send"]')
        published.commit()
        published.run("publish", "--yes")
        assert generations(published)[0]["required"] == ["test-send"]
        published.run("rollback", "1", "--yes")
        assert generations(published)[0]["required"] == []

    def test_the_pins_of_today_judge(self, published: Checkout) -> None:
        published.edit("operators/a.yaml", "port: 587", "port: 465")
        published.edit("operators/a.yaml", "encryption: starttls", "encryption: implicit-tls")
        published.edit("opsmail.toml", '"587/starttls"', '"587/starttls", "465/implicit-tls"')
        published.commit()
        digest = published.run("plan").out.split("--accept-settings ")[1].split(")")[0]
        published.run("publish", "--yes", "--accept-settings", digest)
        published.edit("operators/a.yaml", "port: 465", "port: 587")
        published.edit("operators/a.yaml", "encryption: implicit-tls", "encryption: starttls")
        published.edit("opsmail.toml", '"587/starttls", "465/implicit-tls"', '"587/starttls"')
        published.commit()
        published.run("publish", "--yes")
        said = published.run("rollback", "2", "--yes", code=3)
        assert "refused: a: port 465 with `implicit-tls` is not approved for `mail.empresa.test`" in said.err
        assert events(published)[-1]["event"] == "refused-publish"
        assert head(published) == 3

    def test_an_address_of_yesterday_does_not_come_back(self, published: Checkout) -> None:
        published.edit(
            "opsmail.toml", 'authentication = ["basic"', 'address = "127.0.0.1:2599"\nauthentication = ["basic"'
        )
        published.commit()
        digest = published.run("plan").out.split("--accept-settings ")[1].split(")")[0]
        published.run("publish", "--yes", "--allow-master-change", "--accept-settings", digest)
        said = published.run("rollback", "1", "--yes", code=3)
        assert (
            "the catalogue says another address, certificate or identity provider for `mail.empresa.test` now"
            in said.err
        )

    def test_settings_that_allow_more_are_accepted_here_too(self, published: Checkout) -> None:
        change(published)
        published.edit("opsmail.toml", "require = []", 'require = []\nmax_age = "30d"')
        published.commit()
        said = published.run("rollback", "1", "--yes", code=3)
        digest = said.err.split("--accept-settings ")[1].split("`")[0]
        published.run("rollback", "1", "--yes", "--accept-settings", digest)
        assert [event["event"] for event in events(published)[-2:]] == ["rollback", "accept-settings"]

    def test_the_master_comes_along_or_nobody_does(self, published: Checkout) -> None:
        published.edit("operators/chefe.yaml", "role: master", "role: standard")
        published.edit("operators/a.yaml", "role: standard", "role: master")
        published.commit()
        published.run("publish", "--yes", "--allow-master-change")
        said = published.run("rollback", "1", "--operator", "a", "--yes", code=3)
        assert "refused: no master would be left" in said.err
        said = published.run("rollback", "1", "--operator", "chefe", "--yes", code=3)
        assert (
            "refused: there would be several masters, together with what stays as it is published: `a`, `chefe`"
            in said.err
        )
        published.run("rollback", "1", "--yes")
        assert shown(published, "chefe")["role"] == "master"

    def test_a_key_that_is_trusted_no_longer_is_no_obstacle(self, published: Checkout) -> None:
        """The head, signed by the new key, vouches for what it follows."""
        new = SigningKey.generate()
        published.write("keys/new.pub.pem", new.public.pem())
        entry = '\n[[gate.keys]]\nfile = "keys/new.pub.pem"\nkinds = ["generation"]\n'
        published.write("opsmail.toml", published.read("opsmail.toml") + entry)
        published.operator("c")
        published.commit()
        digest = published.run("plan").out.split("--accept-settings ")[1].split(")")[0]
        published.monkeypatch.setenv("OPSMAIL_SIGNING_KEY", new.pem())
        published.run("publish", "--yes", "--accept-settings", digest)
        published.edit("opsmail.toml", '"keys/ci.pub.pem"\n', '"keys/ci.pub.pem"\nrevoked = true\n')
        published.commit()
        published.run("rollback", "1", "--yes")
        assert head(published) == 3

    def test_a_person_is_asked_first(self, published: Checkout) -> None:
        change(published)
        said = published.run("rollback", "1", code=3)
        assert "nobody is there to be asked" in said.err
        assert "hint: pass --yes" in said.err
        assert head(published) == 2

    def test_nothing_to_roll_back(self, published: Checkout) -> None:
        assert "nothing to roll back: generation 1 had the same" in published.run("rollback", "1", "--yes").err
        assert head(published) == 1

    @pytest.mark.parametrize("to", ["2", "99"])
    def test_a_generation_that_there_is_not(self, published: Checkout, to: str) -> None:
        assert f"there is no generation {to} in environment default" in published.run("rollback", to, code=2).err

    def test_an_operator_that_nobody_knows(self, published: Checkout) -> None:
        assert "did you mean `chefe`?" in published.run("rollback", "1", "--operator", "chefa", code=2).err
        assert "`opsmail history` lists" in published.run("rollback", "1", "--operator", "zzzzzz", code=2).err

    def test_no_store_is_made_for_it(self, checkout: Checkout) -> None:
        checkout.fleet(None)
        checkout.run("rollback", "1", "--yes", code=4)
        assert list(checkout.root.glob("*.db*")) == []


class TestHold:
    def hold(self, checkout: Checkout, *names: str) -> Said:
        return checkout.run("hold", *names, "--reason", "até segunda")

    def test_it_keeps_what_is_published(self, published: Checkout) -> None:
        said = self.hold(published, "a", "a")
        assert said.err.count("`a` is held") == 1
        assert "published generation 2 for default" in said.err
        published.edit("operators/a.yaml", "role: standard", "role: standard\nname: Novo")
        published.commit()
        assert "since generation 2, by " in published.run("publish", "--yes", code=3).err
        assert (generations(published)[0]["act"], events(published)[-2]["event"]) == ("hold", "hold")

    def test_held_and_equal_is_nothing_to_tell(self, published: Checkout) -> None:
        self.hold(published, "a")
        assert published.run("publish", "--yes").err.startswith("nothing to publish: generation 2")
        assert "held" not in published.run("plan").out
        report = drift(published, 0)
        assert (report["state"], report["items"]) == ("clean", [])
        assert [mark["operator"] for mark in report["marks"]] == ["a"]
        assert "`a` is held since generation 2, by " in published.run("drift").out

    def test_what_git_deletes_stays(self, published: Checkout) -> None:
        self.hold(published, "a")
        (published.root / "operators/a.yaml").unlink()
        published.commit()
        assert "refused: a: held" in published.run("publish", "--yes", "--prune", "a", code=3).err

    def test_a_plan_from_before_the_hold_does_not_end_it(self, published: Checkout) -> None:
        published.edit("operators/a.yaml", "role: standard", "role: standard\nname: Novo")
        published.commit()
        published.run("plan", "--out", "out/plan.json")
        self.hold(published, "a")
        said = published.run("publish", "out/plan.json", code=3)
        assert "the saved plan is stale: something else was published meanwhile" in said.err

    def test_a_new_master_beside_the_held_one(self, published: Checkout) -> None:
        self.hold(published, "chefe")
        published.edit("operators/chefe.yaml", "role: master", "role: standard")
        published.edit("operators/a.yaml", "role: standard", "role: master")
        published.commit()
        said = published.run("publish", "--yes", "--allow-master-change", code=3)
        assert "refused: there would be several masters" in said.err

    def test_settings_of_another_commit_are_not_recorded(self, published: Checkout) -> None:
        before = generations(published)[0]
        published.edit("opsmail.toml", "require = []", 'require = []\nmax_age = "30d"')
        published.commit()
        self.hold(published, "a")
        after = generations(published)[0]
        for fact in ("commit", "settings_digest", "trust", "required"):
            assert after[fact] == before[fact]

    def test_who_is_not_published_is_not_held(self, published: Checkout) -> None:
        assert "did you mean `chefe`?" in published.run("hold", "chefa", code=2).err
        assert "the reason is longer" in published.run("hold", "a", "--reason", "a\nb", code=2).err

    def test_who_is_not_held_is_not_released(self, published: Checkout) -> None:
        said = published.run("release", "a", code=2)
        assert "`a` is not held" in said.err
        assert "hint: held are: –" in said.err
        self.hold(published, "b")
        assert "hint: held are: `b`" in published.run("release", "a", code=2).err

    def test_before_the_first_publish(self, checkout: Checkout) -> None:
        checkout.fleet(None)
        checkout.run("publish", "--yes", code=3)
        assert "nothing is published in environment default" in checkout.run("hold", "a", code=2).err
        assert "nothing is published in environment default" in checkout.run("release", "a", code=2).err

    def test_a_key_that_may_not(self, published: Checkout) -> None:
        published.monkeypatch.setenv("OPSMAIL_SIGNING_KEY", SigningKey.generate().pem())
        assert "is not trusted to sign `generation`" in published.run("hold", "a", code=3).err
        assert head(published) == 1


class TestDiff:
    def test_field_by_field(self, published: Checkout) -> None:
        change(published)
        published.operator("c")
        published.commit()
        published.run("publish", "--yes")
        said = published.run("diff", "1", "3")
        assert said.out.startswith("generation 1 → 3\n\n~ a\n    name – → Novo\n+ c  c@empresa.test at ")
        assert published.run("diff", "1").out == said.out
        back = published.run("diff", "3", "1", "--format", "json").json()
        assert (back["schema"], back["from"], back["to"]) == ("opsmail/diff/v1", 3, 1)
        assert [(item["operator"], item["action"]) for item in back["changes"]] == [("a", "update"), ("c", "delete")]

    def test_nothing(self, published: Checkout) -> None:
        assert published.run("diff", "1", "1").out == "generation 1 → 1\n\nnothing differs\n"

    def test_what_there_is_not(self, published: Checkout, checkout: Checkout) -> None:
        assert "there is no generation 7" in published.run("diff", "1", "7", code=2).err


def test_an_empty_store_has_nothing_to_compare(checkout: Checkout) -> None:
    checkout.fleet(None)
    checkout.run("publish", "--yes", code=3)
    assert "nothing is published" in checkout.run("diff", "1", code=2).err
