"""Turns: one conversation per mailbox, so many per server, everybody once, and no waiting in threads."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from opsmail.live.limits import Limits
from opsmail.live.turns import Turns
from opsmail.operator.digest import EffectiveOperator
from opsmail.providers import Providers, load_providers
from tests.unit.fleets import operator

NOBODY = Providers(())
THREE = Limits(3, NOBODY)
MICROSOFT = "smtp.office365.com"


class Watch:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


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
    turns = Turns([wanting(name) for name in "abcd"], THREE)
    taken = take_all(turns)
    assert names(taken) == ["a", "b", "c"]
    turns.end(taken[1])
    assert names(take_all(turns)) == ["d"]
    assert turns.take() is None


def test_servers_do_not_wait_for_each_other() -> None:
    turns = Turns([*[wanting(f"a{n}", "a.test") for n in range(9)], wanting("b", "b.test")], Limits(1, NOBODY))
    assert names(take_all(turns)) == ["a0", "b"]


def test_a_large_server_keeps_no_other_waiting() -> None:
    """A dead one among them takes its time beside the others, and not after them."""
    sizes = {"large.test": 4, "dead.test": 1, "small.test": 2}
    wanted = [wanting(f"{host[0]}{number}", host) for host, size in sizes.items() for number in range(size)]
    turns = Turns(wanted, Limits(9, NOBODY))
    assert names(take_all(turns)) == ["l0", "d0", "s0", "l1", "s1", "l2", "l3"]


def test_one_for_a_mailbox() -> None:
    """Each of them may have the password wrong: tried at once, they would lock the account."""
    turns = Turns([wanting(name, account="shared@empresa.test") for name in "abc"], THREE)
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
    assert len(take_all(Turns([first, second], THREE))) == (1 if same else 2)


def test_nobody_wants_to_talk() -> None:
    assert Turns([], THREE).take() is None


def test_everybody_talks_once_and_never_too_many() -> None:
    moment = random.Random(4711)
    wanted = [
        wanting(f"o{number}", f"h{moment.randrange(4)}.test", f"m{moment.randrange(12)}") for number in range(400)
    ]
    moment.shuffle(wanted)
    turns = Turns(wanted, Limits(2, NOBODY))
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


class TestLimits:
    """What providers take, by the table that comes with opsmail; the tighter of all limits counts."""

    def test_conversations_at_once(self) -> None:
        providers = load_providers()
        assert [Limits(most, providers).conversations(MICROSOFT) for most in (1, 3, 16)] == [1, 3, 3]
        assert Limits(16, providers).conversations("smtp.gmail.com") == 16
        assert Limits(16, providers).conversations("mail.empresa.test") == 16

    @pytest.mark.parametrize(
        ("host", "limits", "seconds"),
        [
            (MICROSOFT, None, 2),
            (MICROSOFT, {"messages_per_minute": 10}, 6),
            (MICROSOFT, {"messages_per_minute": 1000}, 2),
            ("mail.empresa.test", {"messages_per_minute": 120}, 0.5),
            ("mail.empresa.test", {}, 0),
            ("mail.empresa.test", None, 0),
        ],
    )
    def test_how_long_a_mailbox_rests(self, host: str, limits: dict[str, int] | None, seconds: float) -> None:
        more = {} if limits is None else {"limits": limits}
        subject = EffectiveOperator(operator("a", server={"host": host}, authentication={"type": "none"}, **more))
        assert Limits(3, load_providers()).rest(subject) == seconds
        assert Limits(3, load_providers(), sending=False).rest(subject) == 0


class TestRests:
    def test_a_mailbox_rests_between_its_messages_and_no_other_waits_for_it(self) -> None:
        watch = Watch()
        shared = [wanting(name, MICROSOFT, "shared@empresa.test") for name in "abc"]
        turns = Turns([*shared, wanting("x", MICROSOFT, "x@empresa.test")], Limits(1, load_providers()), watch)
        taken = take_all(turns)
        assert names(taken) == ["a"]
        assert turns.rest() is None
        turns.end(taken[0])
        taken = take_all(turns)
        assert names(taken) == ["x"]
        assert turns.rest() == 2
        turns.end(taken[0])
        assert take_all(turns) == []
        watch.now += 1.5
        assert (take_all(turns), turns.rest()) == ([], 0.5)
        watch.now += 0.5
        taken = take_all(turns)
        assert names(taken) == ["b"]
        turns.end(taken[0])
        watch.now += 10
        assert turns.rest() == 0
        taken = take_all(turns)
        assert names(taken) == ["c"]
        turns.end(taken[0])
        assert turns.rest() is None

    def test_two_that_have_rested_as_long(self) -> None:
        watch = Watch()
        wanted = [wanting(f"{account}{n}", MICROSOFT, account) for account in "pq" for n in (1, 2)]
        turns = Turns(wanted, Limits(2, load_providers()), watch)
        for item in take_all(turns):
            turns.end(item)
        watch.now += 2
        assert names(take_all(turns)) == ["p2", "q2"]
