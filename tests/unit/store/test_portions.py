from __future__ import annotations

import pytest

from opsmail.store.portions import portions


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], []),
        (["a", "b", "c", "d"], [["a", "b", "c"], ["d"]]),
        (["aaa", "bb", "c"], [["aaa", "bb"], ["c"]]),
        (["a", "too large", "b"], [["a"], ["too large"], ["b"]]),
    ],
)
def test_by_number_and_size(items: list[str], expected: list[list[str]]) -> None:
    assert list(portions(items, 3, len, 5)) == expected


def test_by_number_alone() -> None:
    assert list(portions(["too", "large"], 1)) == [["too"], ["large"]]
