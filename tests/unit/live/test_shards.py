"""Shards: everybody in exactly one, evenly, the same everywhere, and fast enough for the largest fleets."""

from __future__ import annotations

import random
import time

import pytest

from opsmail.live.shards import Shard

FLEET = [f"operador-{number:06}" for number in range(100_000)]


def test_a_big_fleet_is_split_evenly_and_soon() -> None:
    started = time.monotonic()
    Shard(1, 50).pick(FLEET)
    assert time.monotonic() - started < 2
    parts = [Shard(number, 7).pick(FLEET) for number in range(1, 8)]
    assert sum(map(len, parts)) == len(frozenset().union(*parts)) == len(FLEET)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_order_of_the_names_makes_no_difference() -> None:
    shuffled = FLEET[:1000] * 2
    random.Random(4711).shuffle(shuffled)
    assert Shard(2, 9).pick(shuffled) == Shard(2, 9).pick(FLEET[:1000])


def test_the_split_is_the_same_on_every_machine() -> None:
    """By the digest of the name alone: another Python, or its random seed, changes nothing."""
    assert sorted(Shard(1, 3).pick("abcdefghi")) == ["c", "d", "f"]


def test_one_more_operator_moves_hardly_anybody() -> None:
    before = [Shard(number, 10).pick(FLEET[:1000]) for number in range(1, 11)]
    after = [Shard(number, 10).pick([*FLEET[:1000], "novo"]) for number in range(1, 11)]
    assert sum(len(new - old) for old, new in zip(before, after, strict=True)) <= 10


def test_more_shards_than_operators() -> None:
    parts = [Shard(number, 5).pick(["a", "b"]) for number in range(1, 6)]
    assert sorted(map(len, parts)) == [0, 0, 0, 1, 1]


@pytest.mark.parametrize("text", ["1/1", "3/50", "50/50"])
def test_what_names_a_shard(text: str) -> None:
    assert str(Shard.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "3", "0/3", "4/3", "-1/3", "1/0", "01/3", "1/3 ", "1/3\n", "\u0661/3", "1/100000"]
)
def test_what_names_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"\A"):
        Shard.parse(text)
