"""Every operator gets an id that its file can have, and no two the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmail.transfer.naming import Names, is_id, operator_id


@pytest.mark.parametrize(
    ("called", "id"),
    [
        ("rh.notificacoes_2", "rh.notificacoes_2"),
        ("RH Notificações", "rh-notificacoes"),
        ("  Ação! – (Folha)  ", "acao-folha"),
        ("Straße Łódź Ærø", "strasse-lodz-aero"),
        ("Ⅷ ²", "viii-2"),
        ("../../etc/passwd", "etc-passwd"),
        ("_x", "x"),
        ("x" * 70, "x" * 63),
        ("a" * 62 + " b", "a" * 62),
        ("日本", ""),
        ("", ""),
    ],
)
def test_it_is_the_nearest_there_is(called: str, id: str) -> None:
    assert operator_id(called) == id


@given(st.text(max_size=90))
def test_whatever_it_was_called_the_id_is_one(called: str) -> None:
    found = operator_id(called)
    assert found == "" or is_id(found)
    assert operator_id(found) == found


@given(st.lists(st.sampled_from(["a", "a-2", "a-3", "b", "x" * 63]), max_size=12))
def test_no_two_are_the_same(wanted: list[str]) -> None:
    names = Names()
    taken = [names.take(name) for name in wanted]
    assert len(set(taken)) == len(wanted)
    assert all(map(is_id, taken))
    # Who comes first keeps the name.
    assert taken[:1] == wanted[:1]


def test_very_many_of_one_name() -> None:
    names = Names()
    assert [names.take("x") for _ in range(50_000)][-1] == "x-50000"
