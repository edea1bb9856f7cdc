"""Marks: set, replaced, taken away, and read back from a generation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsmail.publish.kept import keep, masters, mixed_fleet_refusals
from opsmail.publish.marks import Mark, MarkKind, Marks, marked, plain, read_marks, with_mark, without
from opsmail.publish.pins import denials
from opsmail.publish.rollback import rollback_refusals, rolled_back
from opsmail.store.generation import Published
from opsmail.store.interface import Head, Identity, StoreDamaged
from tests.unit.fleets import CIRCUMSTANCES, ENVIRONMENT, Shop, documents, operator, plan_between, settings

HELD = Mark(kind=MarkKind.HELD, generation=3, actor="ana", time="2026-03-10T12:00:00Z")
GLASS = Mark(kind=MarkKind.BREAK_GLASS, generation=2, actor="bia", time="2026-03-09T12:00:00Z", reason="INC-1")
BOTH: Marks = {"a": (GLASS, HELD), "b": (HELD,)}
MASTER = operator("chefe", role="master")


class TestMarks:
    def test_one_of_a_kind(self) -> None:
        newer = replace(HELD, generation=4)
        assert with_mark(BOTH, ["a", "c"], newer) == {"a": (GLASS, newer), "b": (HELD,), "c": (newer,)}

    def test_taken_away(self) -> None:
        assert without(BOTH, ["a", "b", "z"], MarkKind.HELD) == {"a": (GLASS,)}
        assert without(BOTH, [], MarkKind.HELD) == BOTH

    def test_by_kind(self) -> None:
        assert marked(BOTH, MarkKind.HELD) == {"a": HELD, "b": HELD}
        assert marked(BOTH, MarkKind.BREAK_GLASS) == {"a": GLASS}

    def test_read_back_from_a_generation(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path)
        generation = shop.publish(MASTER, circumstances=replace(CIRCUMSTANCES, marks=plain(BOTH)))
        with shop.store() as store:
            assert read_marks(store, generation) == BOTH
            assert read_marks(store, None) == {}
            assert read_marks(store, shop.publish(MASTER, operator("a"))) == {}

    @pytest.mark.parametrize("marks", [{"a": 1}, {"a": [1]}, {"a": [{"kind": "newer"}]}])
    def test_what_cannot_be_read(self, tmp_path: Path, marks: Any) -> None:
        shop = Shop(tmp_path)
        generation = shop.publish(MASTER, circumstances=replace(CIRCUMSTANCES, marks=marks))
        with (
            shop.store() as store,
            pytest.raises(StoreDamaged, match=r"the marks of generation 1 in .* cannot be read"),
        ):
            read_marks(store, generation)


class TestKeeping:
    def test_who_stays(self) -> None:
        before, wanted = documents([MASTER, operator("a"), operator("b")]), documents([MASTER, operator("a", name="X")])
        plan = plan_between([MASTER, operator("a"), operator("b")], [])
        digests = {change.operator: str(change.before) for change in plan.changes}
        published = Published(Head(Identity("5a" * 16, 1), ENVIRONMENT, 1), None, None, digests)
        contents = {digests[name]: content for name, content in before.items()}
        fleet, stayed = keep(
            {**wanted, **documents([operator("new")])}, ["a", "b", "chefe", "new"], published, contents
        )
        assert fleet == before
        assert stayed == ("a", "b", "new")
        assert keep(wanted, [], published, contents) == (wanted, ())

    def test_a_fleet_has_one_master_that_is_switched_on(self) -> None:
        fleet = documents([MASTER, operator("a", role="master", enabled=False)])
        assert masters(fleet) == ["chefe"]
        assert list(mixed_fleet_refusals(fleet)) == []
        assert list(mixed_fleet_refusals({})) == []
        (none,) = mixed_fleet_refusals(documents([operator("a")]))
        assert "no master would be left" in str(none.message)
        (two,) = mixed_fleet_refusals(documents([MASTER, operator("b", role="master")]))
        assert "`b`, `chefe`" in str(two.message)


class TestRollback:
    def test_everybody_or_those_who_are_named(self) -> None:
        present, earlier = {"a": "2", "b": "2", "c": "2"}, {"a": "1", "b": "1", "d": "1"}
        assert rolled_back(present, earlier, ()) == earlier
        assert rolled_back(present, earlier, ("a", "c")) == {"a": "1", "b": "2"}
        assert rolled_back(present, earlier, ("d",)) == {**present, "d": "1"}

    def test_nobody_left(self) -> None:
        (refusal,) = rollback_refusals(plan_between([operator("a")], []), {}, settings(""))
        assert str(refusal.message) == "no operator would be left"


def test_without_a_catalogue_nothing_is_denied() -> None:
    assert list(denials(documents([operator("a")])["a"], settings(""))) == []
    (denied,) = denials(documents([operator("a")])["a"], settings("servers = []"))
    assert "is not approved" in str(denied)
