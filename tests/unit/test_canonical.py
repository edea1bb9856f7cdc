"""Canonical JSON is what the library for it writes, whichever way it is written."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from opsmail.canonical import canonical_json


class Colour(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


# Beyond what is data: each kind that one way might write and the other refuse.
TEXT = st.text(st.characters(categories=None))
KEYS = TEXT | st.sampled_from(["\ufb33", "\U0001f600", Colour.RED, 1, None, True, 1.5, (1,)])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) - 1, 2**53 + 1)
    | st.floats()
    | TEXT
    | st.sampled_from([Colour.RED, Number.ONE, b"bytes", {1}, object(), 2**53 - 1, -(2**53) + 1, 10**40])
)
VALUES = st.recursive(
    LEAVES, lambda some: st.lists(some) | st.tuples(some, some) | st.dictionaries(KEYS, some), max_leaves=30
)


def outcome(write: Any, value: object) -> bytes | type[Exception]:
    """Return what `write` makes of `value`, or of which kind its refusal is."""
    try:
        written: bytes = write(value)
    except rfc8785.CanonicalizationError as error:
        return type(error)
    return written


@given(VALUES)
@example({"\U0001f600": 1, "\ufb33": 2})  # RFC 8785 section 3.2.3: the other way round than by code points
@example({"a": [1e21, 0.1, -0.0, 1e-7, 5.0, float("nan")]})
@example({Colour.RED: Colour.RED, "b": Number.ONE})
@example(['\x00\x08\t\n\x0b\x0c\r\x1f"\\/\x7f\x80\u2028\ud800\U0001f600'])
@example({1: 2})
@example([2**53])
def test_it_is_what_the_library_writes(value: object) -> None:
    assert outcome(canonical_json, value) == outcome(rfc8785.dumps, value)


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(), st.lists, max_leaves=9))
def test_usual_values_need_no_library(value: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rfc8785, "dumps", None)
        written = canonical_json({"b": value, "a": value})
    assert written == rfc8785.dumps({"a": value, "b": value})


def test_what_is_nested_too_deeply_or_in_itself_is_refused() -> None:
    circle: list[object] = []
    circle.append(circle)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (circle, {"a": circle}, deep):
        with pytest.raises(RecursionError):
            canonical_json(value)


def test_depth_is_that_of_the_library() -> None:
    deep: list[Any] = []
    for _ in range(700):
        deep = [deep]
    assert canonical_json(deep) == rfc8785.dumps(deep) == b"[" * 701 + b"]" * 701
