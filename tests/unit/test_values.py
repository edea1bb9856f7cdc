"""Frozen values are what `dataclasses` makes of the same class, made in less time."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from opsmail import values


def plain(decorate: Callable[..., Any], **options: bool) -> Any:
    @decorate(frozen=True, **options)
    class Plain:
        """Fields with and without defaults, hidden, not compared, counted."""

        name: str
        count: int = 3
        items: list[int] = field(default_factory=lambda: [1], compare=False)
        secret: str = field(default="x", repr=False)
        size: int = field(init=False, compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "size", len(self.name))

    return Plain


def named(decorate: Callable[..., Any], **options: bool) -> Any:
    @decorate(frozen=True, kw_only=True, **options)
    class Named:
        """Fields by name, in any order; written in its own way."""

        first: int = 1
        second: str

        def __repr__(self) -> str:
            return "its own"

    return Named


def empty(decorate: Callable[..., Any], **options: bool) -> Any:
    @decorate(frozen=True, **options)
    class Empty:
        """No fields."""

    return Empty


MAKERS = [plain, named, empty]
ARGUMENTS: dict[Callable[..., Any], list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    plain: [(("a",), {}), (("a", 4), {}), (("b",), {"items": [2]}), (("a",), {"items": [2], "secret": "y"})],
    named: [((), {"second": "a"}), ((), {"second": "a", "first": 2})],
    empty: [((), {})],
}
WRONG: list[tuple[tuple[Any, ...], dict[str, Any]]] = [((1, 2, 3, 4, 5, 6), {}), ((), {"other": 1})]


def parameters(value: object) -> list[tuple[str, object]]:
    return [(item.name, item.kind) for item in inspect.signature(type(value)).parameters.values()]


@pytest.mark.parametrize("slots", [False, True])
@pytest.mark.parametrize("maker", MAKERS)
class TestLikeDataclasses:
    def both(self, maker: Callable[..., Any], *, slots: bool) -> list[tuple[Any, Any]]:
        """Return values of the class as it is made here and as `dataclasses` makes it."""
        ours, theirs = maker(values.dataclass, slots=slots), maker(dataclasses.dataclass, slots=slots)
        return [(ours(*given, **by_name), theirs(*given, **by_name)) for given, by_name in ARGUMENTS[maker]]

    def test_fields_and_text(self, maker: Callable[..., Any], *, slots: bool) -> None:
        for one, other in self.both(maker, slots=slots):
            assert dataclasses.asdict(one) == dataclasses.asdict(other)
            assert repr(one) == repr(other)
            assert hasattr(one, "__dict__") == hasattr(other, "__dict__")
            assert parameters(one) == parameters(other)

    def test_equality_and_hash(self, maker: Callable[..., Any], *, slots: bool) -> None:
        pairs = self.both(maker, slots=slots)
        for one, other in pairs:
            for second, another in pairs:
                assert (one == second) == (other == another)
                assert (hash(one) == hash(second)) == (hash(other) == hash(another))
            assert one != other
            assert one != dataclasses.asdict(one)

    def test_nothing_can_be_changed(self, maker: Callable[..., Any], *, slots: bool) -> None:
        for one, _ in self.both(maker, slots=slots):
            for name in [*(item.name for item in dataclasses.fields(one)), "other"]:
                with pytest.raises(FrozenInstanceError, match=name):
                    setattr(one, name, 1)
                with pytest.raises(FrozenInstanceError, match=name):
                    delattr(one, name)

    def test_a_changed_copy(self, maker: Callable[..., Any], *, slots: bool) -> None:
        for one, _ in self.both(maker, slots=slots):
            assert dataclasses.replace(one) == one
            for item in dataclasses.fields(one):
                if item.compare:
                    assert dataclasses.replace(one, **{item.name: "other"}) != one

    @pytest.mark.parametrize(("given", "by_name"), WRONG)
    def test_wrong_arguments(
        self, given: tuple[Any, ...], by_name: dict[str, Any], maker: Callable[..., Any], *, slots: bool
    ) -> None:
        with pytest.raises(TypeError, match="__init__"):
            maker(values.dataclass, slots=slots)(*given, **by_name)


def test_each_value_has_a_default_of_its_own() -> None:
    made = plain(values.dataclass, slots=True)
    assert made("a").items is not made("a").items


def test_a_value_that_is_equal_to_itself_alone() -> None:
    @values.dataclass(frozen=True, eq=False)
    class Alone:
        """As a set of its own needs it."""

        name: str

    assert Alone("a") != Alone("a")


def test_others_are_made_elsewhere() -> None:
    with pytest.raises(TypeError, match="frozen"):
        values.dataclass(frozen=False)
