"""`opsmail test`: which operators by what changed, by the age of proofs, and in parts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.unit.cli.checkout import Checkout
from tests.unit.servers import Server


def chosen(checkout: Checkout, *arguments: str) -> set[str]:
    found = checkout.run("test", "--depth", "tls", "--format", "json", *arguments).json()
    return {result["operator"] for result in found["results"]}


class TestConflicts:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (("a", "--all"), "exclude each other"),
            (("--all", "--unproven"), "exclude each other"),
            (("--changed", "--base", "HEAD", "--stale", "7d"), "exclude each other"),
            (("--changed",), "--changed needs a revision to compare with"),
            (("--base", "HEAD"), "--base goes with --changed"),
            (("a", "--shard", "1/2"), "operators that are named are not split"),
            (("--shard", "3/2"), "'3/2' is not a part of so many"),
            (("--stale", "a week"), "'a week' is not a number of minutes, hours or days"),
            (("--to", "x@empresa.test", "--depth", "tls"), "nothing is sent at depth tls"),
            (("--changed", "--base", "nope"), "there is no commit `nope`"),
        ],
    )
    def test_is_told(self, checkout: Checkout, relay: Server, options: tuple[str, ...], told: str) -> None:
        checkout.fleet(relay, "a")
        assert told in checkout.run("test", *options, code=2).err
        assert relay.peer.connections == 0


class TestChanged:
    def test_the_master_and_what_is_tested_otherwise(self, checkout: Checkout, relay: Server) -> None:
        before = checkout.fleet(relay, "a", "b", "c")
        checkout.edit("operators/a.yaml", "version: 1\n", "version: 1 # a comment\n")
        checkout.edit("operators/b.yaml", "role: standard\n", "role: standard\nname: B\n")
        checkout.operator("d")
        checkout.commit()
        assert chosen(checkout, "--changed", "--base", before) == {"b", "chefe", "d"}

    def test_another_address_in_the_catalogue_is_another_operator(self, checkout: Checkout, relay: Server) -> None:
        before = checkout.fleet(relay, "a")
        checkout.edit("opsmail.toml", "[live]", "private = true\n\n[live]")
        checkout.commit()
        assert chosen(checkout, "--changed", "--base", before) == {"a", "chefe"}

    def test_what_could_not_be_read_before_has_changed(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay, "a", "b")
        good = checkout.read("operators/a.yaml")
        checkout.write("operators/a.yaml", "version: [\n")
        (checkout.root / "operators/l.yaml").symlink_to("b.yaml")
        before = checkout.commit()
        checkout.write("operators/a.yaml", good)
        (checkout.root / "operators/l.yaml").unlink()
        checkout.commit()
        assert chosen(checkout, "--changed", "--base", before) == {"a", "chefe"}

    def test_what_cannot_be_read_now_is_not_passed_over(self, checkout: Checkout, relay: Server) -> None:
        before = checkout.fleet(relay, "a")
        checkout.write("operators/broken.yaml", "version: [\n")
        checkout.commit()
        assert "OM002" in checkout.run("test", "--depth", "tls", "--changed", "--base", before, code=1).err

    def test_before_there_were_operators_or_settings(self, checkout: Checkout, relay: Server) -> None:
        nothing = checkout.commit()
        checkout.write("opsmail.toml", "nonsense = 1\n")
        nonsense = checkout.commit()
        checkout.fleet(relay, "a")
        assert chosen(checkout, "--changed", "--base", nothing) == {"a", "chefe"}
        said = checkout.run("test", "--depth", "tls", "--changed", "--base", nonsense)
        assert f"the settings of {nonsense} cannot be used, so every operator counts as changed" in said.err
        assert "2 passed" in said.err


class TestStale:
    def test_those_without_a_proof_of_that_age_and_depth(
        self, checkout: Checkout, relay: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checkout.fleet(relay, "a", "b")
        assert chosen(checkout, "--stale", "7d") == {"a", "b", "chefe"}
        assert chosen(checkout, "--stale", "7d") == set()
        checkout.edit("operators/b.yaml", "role: standard\n", "role: standard\nname: B\n")
        checkout.commit()
        assert chosen(checkout, "--stale", "7d") == {"b"}
        assert chosen(checkout, "--stale", "7d", "--depth", "authenticate") == {"a", "b", "chefe"}
        monkeypatch.setattr("opsmail.cli.choosing.now", lambda: datetime(2999, 1, 1, tzinfo=UTC))
        assert chosen(checkout, "--stale", "7d") == {"a", "b", "chefe"}

    def test_what_cannot_be_read_is_not_passed_over(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay)
        checkout.write("operators/broken.yaml", "version: [\n")
        checkout.commit()
        assert "OM002" in checkout.run("test", "--depth", "tls", "--stale", "7d", code=1).err


class TestShards:
    def test_everybody_in_one(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay, *"abcde")
        first, second = (chosen(checkout, "--shard", f"{number}/2") for number in (1, 2))
        assert (len(first), len(second)) == (3, 3)
        assert first | second == {"a", "b", "c", "d", "e", "chefe"}

    def test_split_by_the_whole_fleet_whatever_else_is_asked(self, checkout: Checkout, relay: Server) -> None:
        """Two jobs with other evidence at hand still agree on who tests whom."""
        before = checkout.fleet(relay, *"abcde")
        checkout.edit("operators/b.yaml", "role: standard\n", "role: standard\nname: B\n")
        checkout.commit()
        parts = [chosen(checkout, "--shard", f"{number}/2") for number in (1, 2)]
        changed = [chosen(checkout, "--changed", "--base", before, "--shard", f"{number}/2") for number in (1, 2)]
        assert changed == [part & {"b", "chefe"} for part in parts]

    def test_what_cannot_be_read_is_in_one_too(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay, "a")
        checkout.write("operators/broken.yaml", "version: [\n")
        checkout.commit()
        said = checkout.run("test", "--depth", "tls", "--shard", "1/1", code=1)
        assert "OM002" in said.err
