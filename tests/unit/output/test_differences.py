"""`check --diff` as text."""

from __future__ import annotations

from opsmail.check.fixing.difference import Difference, DifferenceLine, Hunk
from opsmail.output.differences import render
from opsmail.output.style import Style

LINES = (DifferenceLine(" ", "server:"), DifferenceLine("-", "  port: '587'"), DifferenceLine("+", "  port: 587"))
DIFFERENCE = Difference("operators/rh.yaml", (Hunk((8, 2), (8, 2), LINES), Hunk((20, 1), (19, 0), LINES[1:2])))


def test_a_unified_diff() -> None:
    assert render([DIFFERENCE], Style(color=False)) == (
        "--- operators/rh.yaml\n+++ operators/rh.yaml\n"
        "@@ -8,2 +8,2 @@\n server:\n-  port: '587'\n+  port: 587\n"
        "@@ -20 +19,0 @@\n-  port: '587'\n"
    )


def test_in_colour() -> None:
    text = render([DIFFERENCE], Style(color=True))
    assert "\x1b[31m-  port: '587'\x1b[0m\n\x1b[32m+  port: 587\x1b[0m\n" in text
    assert "\x1b[36m@@ -8,2 +8,2 @@\x1b[0m\n server:\n" in text


def test_nothing_acts_where_it_is_printed() -> None:
    lines = (DifferenceLine(" ", "::error::x"), DifferenceLine("-", "\x1b[2J\u202e"), DifferenceLine("+", "##[x]"))
    text = render([Difference("\x1b/::x::y", (Hunk((1, 1), (1, 1), lines),))], Style(color=False))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "##[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_no_files_no_text() -> None:
    assert render([], Style(color=False)) == ""
