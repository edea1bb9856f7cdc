"""Turns: one conversation per mailbox, so many per server, everybody once, and no waiting in threads."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from opsmail.live.turns import Turns
from opsmail.operator.digest import EffectiveOperator
from tests.unit.fleets import operator


def wanting(name: str, host: str = "mail.empresa.test", account: str | None = None) -> EffectiveOperator:
    login: dict[str, Any] = {"type": "none"}
    if account is not None:
        login = {"type": "basic", "username": account, "password": "env://X"}
    return EffectiveOperator(operator(name, server={"host": host}, authentication=login))


def names(taken: list[EffectiveOperator]) -> list[str]:
    return [item.operator.operator for item in taken]


def take_all(turns: Turns) -> list[EffectiveOperator]:
    taken = []
    while (item := turns.take()) is not None:
        taken.append(item)
    return taken


def test_so_many_for_a_server() -> None:
    turns = Turns([wanting(name) for name in "abcd"], per_host=3)
    taken = take_all(turns)
    assert names(taken) == ["a", "b", "c"]
    turns.end(taken[1])
    assert names(take_all(turns)) == ["d"]
    assert turns.take() is None


def test_servers_do_not_wait_for_each_other() -> None:
    turns = Turns([*[wanting(f"a{n}", "a.test") for n in range(9)], wanting("b", "b.test")], per_host=1)
    assert names(take_all(turns)) == ["a0", "b"]


def test_one_for_a_mailbox() -> None:
    """Each of them may have the password wrong: tried at once, they would lock the account."""
    turns = Turns([wanting(name, account="shared@empresa.test") for name in "abc"], per_host=3)
    for name in "abc":
        taken = take_all(turns)
        assert names(taken) == [name]
        turns.end(taken[0])
    assert turns.take() is None


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (wanting("a", account="X@Empresa.test"), wanting("b", account="x@empresa.test"), True),
        (wanting("a", "MAIL.test", "x"), wanting("b", "mail.test.", "x"), True),
        (wanting("a", account="b@empresa.test"), wanting("b"), True),  # without a login, the sender is the mailbox
        (wanting("a", "one.test", "x"), wanting("b", "two.test", "x"), False),
        (wanting("a", account="x"), wanting("b", account="y"), False),
    ],
)
def test_what_is_one_mailbox(first: EffectiveOperator, second: EffectiveOperator, same: bool) -> None:
    assert len(take_all(Turns([first, second], per_host=3))) == (1 if same else 2)


def test_nobody_wants_to_talk() -> None:
    assert Turns([], per_host=3).take() is None


def test_everybody_talks_once_and_never_too_many() -> None:
    moment = random.Random(4711)
    wanted = [
        wanting(f"o{number}", f"h{moment.randrange(4)}.test", f"m{moment.randrange(12)}") for number in range(400)
    ]
    moment.shuffle(wanted)
    turns = Turns(wanted, per_host=2)
    talking: list[EffectiveOperator] = []
    seen: list[str] = []
    while True:
        talking += take_all(turns)
        if not talking:
            break
        assert max(Counter(item.operator.server.host for item in talking).values()) <= 2
        assert max(Counter((item.operator.server.host, item.operator.username) for item in talking).values()) == 1
        done = talking.pop(moment.randrange(len(talking)))
        seen.append(done.operator.operator)
        turns.end(done)
    assert sorted(seen) == sorted(names(wanted))
