"""`opsmail history` and `opsmail show`: what was published, and what of it can be believed."""

from __future__ import annotations

import json

import pytest

from opsmail.evidence.keys import SigningKey
from opsmail.store.backends import open_store
from tests.unit.cli.checkout import Checkout
from tests.unit.fleets import Shop, operator


def publish_again(checkout: Checkout, name: str = "X") -> str:
    checkout.edit("operators/a.yaml", "role: standard", f"role: standard\nname: {name}")
    commit = checkout.commit()
    checkout.run("publish", "--yes")
    return commit


class TestHistory:
    def test_the_newest_comes_first(self, published: Checkout) -> None:
        commit = publish_again(published)
        lines = published.run("history").out.splitlines()
        assert [line.split()[0] for line in lines if not line.startswith("       ")] == ["2", "1"]
        assert commit[:12] in lines[0]

    def test_so_many(self, published: Checkout) -> None:
        for name in ("c", "d", "e"):
            published.operator(name)
            published.commit()
            published.run("publish", "--yes")
        document = published.run("history", "--limit", "2", "--format", "json").json()
        assert [generation["number"] for generation in document["generations"]] == [4, 3]

    def test_before_the_first_publish(self, checkout: Checkout) -> None:
        checkout.fleet(None)
        said = checkout.run("history", code=4)
        assert "there is no store at" in said.err
        assert "a first publish makes it" in said.err
        checkout.run("publish", "--yes", code=3)
        assert checkout.run("history").out == "nothing is published yet\n"

    def test_a_key_that_is_trusted_no_longer_hides_nothing(self, published: Checkout) -> None:
        """The old key is revoked; what the new one signs is shown, and what the old one signed is told apart."""
        publish_again(published)
        published.edit("opsmail.toml", 'environments = ["default"', 'revoked = true\nenvironments = ["default"')
        lines = published.run("history").out.splitlines()
        assert len(lines) == 2
        assert "not to be trusted: it is signed by the key keys/ci.pub.pem, which was revoked" in lines[0]
        document = published.run("history", "--format", "json").json()
        assert [generation.keys() for generation in document["generations"]] == [{"number", "digest", "problem"}] * 2

    def test_something_signed_for_another_place(self, published: Checkout) -> None:
        """Whoever can write the database puts the first generation in the place of the second."""
        publish_again(published)
        store = open_store("sqlite:///opsmail.db")
        head = store.head("default")
        first = store.generation("default", 1)
        assert first is not None
        store.swap_head(head, number=3, digest=first, events=[b"{}"])
        store.close()
        assert "    3  not to be trusted: it was signed for another place" in published.run("history").out

    def test_wrong_options(self, published: Checkout) -> None:
        assert "--limit" in published.run("history", "--limit", "0", code=2).err
        assert "there is no format" in published.run("history", "--format", "yaml", code=2).err


class TestShow:
    def test_as_it_is_and_as_it_was(self, published: Checkout) -> None:
        publish_again(published, "Novo")
        assert "name: Novo" in published.run("show", "a").out
        assert "name:" not in published.run("show", "a@1").out.replace("username:", "")
        assert published.run("show", "a@2").out == published.run("show", "a").out

    def test_for_programs(self, published: Checkout) -> None:
        document = published.run("show", "a", "--format", "json").json()
        assert document["operator"]["authentication"]["password"] == "env://OPSMAIL_SECRET_A"
        assert document["format"] == "opsmail/operator/v1"

    def test_in_colour(self, published: Checkout) -> None:
        said = published.run("show", "a", "--color", "always", "--format", "text", "--format", "json:out/a.json")
        assert "\x1b[1moperator\x1b[0m: a" in said.out
        assert json.loads(published.read("out/a.json"))["operator"]["operator"] == "a"

    def test_what_is_not_published(self, published: Checkout) -> None:
        said = published.run("show", "chefa", code=2)
        assert "`chefa` is not in generation 1 of environment default" in said.err
        assert "did you mean `chefe`?" in said.err
        assert "`opsmail history` lists the generations" in published.run("show", "zzzzzz", code=2).err

    @pytest.mark.parametrize("number", ["", "0", "01", "-1", "x", "1.0", "²", "9" * 16])
    def test_what_is_no_number(self, checkout: Checkout, number: str) -> None:
        assert f"`{number}` is not the number of a generation" in checkout.run("show", f"a@{number}", code=2).err

    def test_a_generation_that_there_is_not(self, published: Checkout) -> None:
        said = published.run("show", "a@99", code=2)
        assert "there is no generation 99 in environment default" in said.err

    def test_before_the_first_publish(self, checkout: Checkout) -> None:
        checkout.fleet(None)
        checkout.run("show", "a", code=4)
        checkout.run("publish", "--yes", code=3)
        assert "nothing is published in environment default" in checkout.run("show", "a", code=2).err

    def test_what_a_stranger_signed_is_not_shown(self, checkout: Checkout) -> None:
        checkout.fleet(None)
        Shop(checkout.root, "default", SigningKey.generate()).publish(operator("a"))
        assert "a key that the settings do not name" in checkout.run("show", "a", code=3).err
