"""Patterns of schemas: what Python's `re` finds, and never longer than the text is long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmail.check.organisation import patterns
from opsmail.check.organisation.pattern_syntax import PatternError
from opsmail.check.organisation.patterns import MOST_CHARACTERS, Pattern

PATTERNS = [
    r"^(a+)+$",
    r"^[a-z0-9-]+(\.[a-z0-9-]+)+$",
    r"a{2,3}b{2}",
    r"^a{2,}?$",
    r"^$",
    r"",
    r"x|^y$|z\d{2}|",
    r"[^a-c]",
    r"^.*\.(?:com|br)$",
    r"\u0041\x42\t?",
    r"[\w.-]+@[^\W@]+",
    r"^(?<x>ab|a)(bc|c)?$",
    r"(a?){3}a{3}",
    r"$^",
    r"a$|^b",
    r"(^a)b",
    r"[-a\]\-]",
    r"\S\s\D\.",
    r"[\b]|[a-]",
]


@pytest.mark.parametrize("expression", PATTERNS)
@given(text=st.text(alphabet="aabbcxyz.1-@AB \n\t", max_size=8))
@settings(max_examples=60, deadline=None)
def test_it_finds_what_re_finds(expression: str, text: str) -> None:
    python = expression.replace("$", r"\Z").replace("(?<", "(?P<")
    assert Pattern(expression).is_in(text) is bool(re.search(python, text, re.ASCII))


def test_what_ecmascript_sees_otherwise() -> None:
    assert not Pattern("[]").is_in("a")
    assert Pattern("[^]").is_in("\n")
    assert not Pattern(".").is_in("\u2028")
    assert not Pattern(r"\d").is_in("٣")
    assert Pattern(r"\s").is_in("\ufeff")
    assert not Pattern(r"\s").is_in("\x1c")


def test_a_line_end_is_no_end() -> None:
    assert not Pattern("^rh$").is_in("rh\n")


def test_what_is_too_long_matches_nothing() -> None:
    assert Pattern("^a*$").is_in("a" * MOST_CHARACTERS)
    assert not Pattern("^a*$").is_in("a" * (MOST_CHARACTERS + 1))


@pytest.mark.parametrize(
    "expression",
    [r"^(a+)+$", r"^(a|aa)*$", r"^(.*a){20}$", r"(a{0,300}){0,4}b{5}", r"^([a-z]+)*[a-z]+!$"],
)
def test_it_does_not_explode(expression: str) -> None:
    """S-07: with a way back, each of these takes years."""
    started = time.process_time()
    Pattern(expression).is_in("a" * (MOST_CHARACTERS - 1) + "?")
    assert time.process_time() - started < 2


def test_what_was_remembered_is_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_MOST_REMEMBERED", 2)
    pattern = Pattern("^[a-f]+$")
    assert pattern.is_in("abcdef")
    assert not pattern.is_in("abcxef")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("(", "a `(` has no `)`"),
        ("a)", "a `)` has no `(`"),
        ("[a", "it ends too early"),
        ("a\\", "it ends too early"),
        ("*a", "`*` stands where a character is expected"),
        ("a{2}{3}", "`{` stands where a character is expected"),
        ("a{3,1}", "`{3,1}` counts from more to less"),
        ("(?=a)", "looking ahead and behind is not supported"),
        ("(?<!a)", "looking ahead and behind is not supported"),
        (r"(a)\1", r"`\1` is not supported"),
        (r"\bx", r"`\b` is not supported"),
        ("^*", "`^` cannot be repeated"),
        ("[b-a]", "a range in `[…]` does not go from a character to a later one"),
        (r"[\d-z]", "a range in `[…]` does not go from a character to a later one"),
        ("(" * 40, "groups are nested deeper than 30"),
        ("a{9999}", "it is too large: what `{m,n}` repeats counts as often"),
        ("((){9999}){9999}", "it is too large: what `{m,n}` repeats counts as often"),
    ],
)
def test_what_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(PatternError) as caught:
        Pattern(expression)
    assert str(caught.value) == str(caught.value.reason) == reason
