"""What the data are to be: the old ones with just the changes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from opsmail.check.fixing.intention import intended
from opsmail.findings import Deletion, FileChange, MarkRemoval, Renaming, Replacement, SchemeReplacement

DATA = {"a": {"b": 1, "prot": {"x": "envv://p://q"}}, "labels": ["u", "v", "w"]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], DATA),
        ([MarkRemoval()], DATA),
        ([Replacement("a.b", "1")], {"a": {"b": "1", "prot": {"x": "envv://p://q"}}, "labels": ["u", "v", "w"]}),
        (
            [Deletion("labels.0"), Renaming("a.prot", "port"), Replacement("labels.1", 5), Deletion("labels.2")],
            {"a": {"b": 1, "port": {"x": "envv://p://q"}}, "labels": [5]},
        ),
        (
            [SchemeReplacement("a.prot.x", "env")],
            {"a": {"b": 1, "prot": {"x": "env://p://q"}}, "labels": ["u", "v", "w"]},
        ),
        ([Renaming("a", "z")], {"z": DATA["a"], "labels": ["u", "v", "w"]}),
    ],
)
def test_each_kind(changes: list[FileChange], expected: Any) -> None:
    before = copy.deepcopy(DATA)
    result = intended(DATA, changes)
    assert result == expected
    assert before == DATA


def test_a_field_keeps_its_place() -> None:
    assert list(intended({"a": 1, "b": 2, "c": 3}, [Renaming("b", "z")])) == ["a", "z", "c"]


def test_entries_of_a_list_of_mappings() -> None:
    assert intended([{"a": 1}, {"b": 2}], [Deletion("0"), Replacement("1.b", 3)]) == [{"b": 3}]
