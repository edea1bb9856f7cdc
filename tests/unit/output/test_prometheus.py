"""Prometheus' text format, whatever the names and texts are."""

from __future__ import annotations

import pytest

from opsmail.output.prometheus import Gauge, render
from tests.prometheus import parse


def test_every_figure_says_what_it_is() -> None:
    gauges = [
        Gauge("opsmail_a", "What a is.", [({}, 1), ({"x": "y"}, 2.5)]),
        Gauge("opsmail_none", "Left out.", []),
        Gauge("opsmail_b_seconds", "Back\\slash and\nline.", [({"x": "y", "z": ""}, True)]),
    ]
    assert render(gauges) == (
        "# HELP opsmail_a What a is.\n# TYPE opsmail_a gauge\nopsmail_a 1\n"
        'opsmail_a{x="y"} 2.5\n'
        "# HELP opsmail_b_seconds Back\\\\slash and\\nline.\n# TYPE opsmail_b_seconds gauge\n"
        'opsmail_b_seconds{x="y",z=""} 1\n'
    )
    assert len(parse(render(gauges))) == 3
    assert render([]) == ""


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ('a"} 1\nopsmail_up 0\n#', None),
        ("back\\slash", "back\\slash"),
        ('quote"', 'quote"'),
        ("ação 📬", "ação 📬"),
        ("line\nbreak", None),
        ("\x1b[31m\u202e", None),
        ("\ud800", None),
    ],
)
def test_a_name_stays_within_its_label(name: str, read: str | None) -> None:
    text = render([Gauge("opsmail_a", "A.", [({"operator": name, "z": "1"}, 1)])])
    text.encode()
    (sample,) = parse(text)
    assert dict(sample.labels)["z"] == "1"
    assert read in (None, dict(sample.labels)["operator"])


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0"), (-1, "-1"), (1e18, "1000000000000000000"), (0.1, "0.1"), (1791892800.5, "1791892800.5")],
)
def test_numbers(value: float, written: str) -> None:
    assert render([Gauge("opsmail_a", "A.", [({}, value)])]).splitlines()[-1] == f"opsmail_a {written}"
