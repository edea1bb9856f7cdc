"""The hostile cases as data (`cases.yaml`), and how a test says which of them it is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml


@dataclass(frozen=True, slots=True)
class Case:
    """Something that is tried.

    Args:
        id: a group's letter and a number; never given to another case.
        tried: what is tried.
        expected: what must come of it.
        not_applicable: why no test is needed; None where there are tests.
        known_failure: what is wrong; None where everything comes as expected.
    """

    id: str
    tried: str
    expected: str
    not_applicable: str | None = None
    known_failure: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Cases of one kind.

    Args:
        group: its name.
        title: how the page calls it.
        about: one sentence.
        cases: in their order.
    """

    group: str
    title: str
    about: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All cases."""

    groups: tuple[Group, ...]

    def __iter__(self) -> Iterator[Case]:
        return (case for group in self.groups for case in group.cases)

    def tested(self) -> frozenset[str]:
        """Return the ids of those that need tests."""
        return frozenset(case.id for case in self if case.not_applicable is None)


def load() -> Catalogue:
    """Read the cases.

    Raises:
        ValueError: an id stands twice.
    """
    groups = yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text("utf-8"))
    catalogue = Catalogue(
        tuple(Group(**{**group, "cases": tuple(Case(**case) for case in group["cases"])}) for group in groups)
    )
    ids = [case.id for case in catalogue]
    if len(set(ids)) < len(ids):
        raise ValueError("an id stands twice in cases.yaml")
    return catalogue


def case(told: str, *values: Any) -> Any:
    """Return one set of parameters of a test, for one case.

    Args:
        told: the case's id, and in a few words which form of it this is.
        values: the parameters.
    """
    return pytest.param(*values, id=told, marks=pytest.mark.case(told.partition(" ")[0]))
