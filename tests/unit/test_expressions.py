"""Regular expressions that are compiled when they are used."""

from __future__ import annotations

import re

import pytest

from opsmail.expressions import expression


def test_it_does_what_a_compiled_one_does() -> None:
    word = expression("(a+)b", re.IGNORECASE)
    for _ in range(2):  # the second time it is known
        match = word.fullmatch("xaAB", 1)
        assert match is not None
        assert match[1] == "aA"
    assert word.sub("-", "ab Ab b") == "- - b"
    assert word.pattern == "(a+)b"
    assert word.groups == 1


def test_a_mistake_is_told_when_it_is_used() -> None:
    wrong = expression("(")
    with pytest.raises(re.error):
        wrong.match("x")
