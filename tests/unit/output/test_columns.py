"""How wide text is, and which part of a long line is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmail.output.columns import Window, columns


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("abc", 3),
        ("日本", 4),
        ("ｘ", 2),
        ("e\u0301", 1),
        ("ก\u0e31น", 2),
        ("\u1100\u1161\u11a8", 2),
        ("🎉", 2),
        ("🎉\ufe0f", 2),
        ("❤\ufe0f", 2),
        ("1\ufe0f\u20e3", 2),
        ("\t", 4),
        ("\u200d", 6),
    ],
)
def test_widths(text: str, width: int) -> None:
    assert columns(text) == width


LINE = "".join(chr(ord("a") + number % 26) for number in range(200))


@pytest.mark.parametrize(
    ("start", "end", "shown", "mark"),
    [
        (0, 3, "abcdefghijklmnopqr…", (0, 3)),
        (50, 53, "…" + LINE[44:62] + "…", (7, 3)),
        (197, 200, "…" + LINE[182:], (16, 3)),
        (500, 510, "…" + LINE[182:], (19, 1)),
        # A long mark leaves less room before it, and is cut.
        (50, 66, "…" + LINE[48:66] + "…", (3, 16)),
        (50, 150, "…" + LINE[50:68] + "…", (1, 18)),
    ],
)
def test_a_long_line_is_shown_around_its_mark(start: int, end: int, shown: str, mark: tuple[int, int]) -> None:
    window = Window.around(LINE, start, end, 20)
    assert str(window) == shown
    assert window.mark(start, end) == mark


def test_a_line_that_has_room_is_whole() -> None:
    window = Window.around(LINE, 150, 160, 200)
    assert str(window) == LINE
    assert window.mark(150, 160) == (150, 10)


def test_a_mark_that_is_not_in_the_window_stands_at_its_edge() -> None:
    window = Window.around(LINE, 100, 103, 20)
    assert window.mark(0, 5) == (1, 1)
    assert window.mark(190, 195) == (19, 1)


def test_an_accent_whose_letter_is_not_shown_is_left_out() -> None:
    window = Window.around("e\u0301" * 100, 51, 151, 20)
    assert str(window) == "…" + "e\u0301" * 18 + "…"
    assert window.mark(51, 151) == (1, 18)


@given(st.text(st.sampled_from("aé日🎉\t\u0301\ufe0f "), max_size=120), st.integers(0, 130), st.integers(0, 130))
def test_it_never_takes_more_room_and_its_mark_stands_under_the_text(text: str, start: int, length: int) -> None:
    window = Window.around(text, start, start + length, 40)
    assert columns(str(window)) <= 40
    before, marked = window.mark(start, start + length)
    assert before + marked <= columns(str(window)) + 1
    # The mark's start is in view; at most signs that belong to one before it are not.
    assert not text[start : window.first].strip("\u0301\ufe0f")
