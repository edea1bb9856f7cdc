"""Endings as iCalendar."""

from __future__ import annotations

from datetime import date
from gettext import NullTranslations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmail.messages import msg
from opsmail.report.calendar import render
from opsmail.report.endings import Ending, EndingKind
from tests.unit.report.fleets import NOW


def calendar(*endings: Ending) -> str:
    return render(endings, NullTranslations(), NOW)


def ending(text: str, *operators: str, day: date = date(2026, 12, 31)) -> Ending:
    return Ending(day, EndingKind.SECRET, msg("{text}", text=text), operators)


def unfolded(text: str) -> list[str]:
    """Return the content lines (RFC 5545, section 3.1)."""
    assert text.endswith("\r\n")
    return text.replace("\r\n ", "").split("\r\n")[:-1]


def test_all_of_it() -> None:
    assert calendar(ending("the secret of `rh` ends", "a", "b")).replace("\r\n", "\n") == (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//opsmail//opsmail//EN\nBEGIN:VEVENT\n"
        "UID:e8c8d9e6a5174086df3b1d0adabd421a@opsmail\nDTSTAMP:20260601T120000Z\nDTSTART;VALUE=DATE:20261231\n"
        "DTEND;VALUE=DATE:20270101\nSUMMARY:the secret of rh ends\nDESCRIPTION:operators: a\\, b\nTRANSP:TRANSPARENT\n"
        "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:the secret of rh ends\nTRIGGER:-P30D\nEND:VALARM\nEND:VEVENT\n"
        "END:VCALENDAR\n"
    )


def test_without_endings_it_is_an_empty_calendar() -> None:
    assert len(unfolded(calendar())) == 4


def test_the_same_thing_on_another_day_is_the_same_event() -> None:
    def uid(day: date) -> str:
        return next(line for line in unfolded(calendar(ending("x", day=day))) if line.startswith("UID:"))

    assert uid(date(2026, 1, 1)) == uid(date(2027, 1, 1))


@pytest.mark.parametrize("text", ["a\r\nEND:VCALENDAR", "a\nBEGIN:VEVENT", "a\u2028b", "a\x00b"])
def test_no_text_begins_a_line(text: str) -> None:
    assert len(unfolded(calendar(ending(text)))) == len(unfolded(calendar(ending("a"))))


@given(st.text(max_size=300))
def test_lines_are_short_and_say_what_was_meant(text: str) -> None:
    written = calendar(ending(text))
    assert all(len(line.encode()) <= 75 for line in written.split("\r\n"))
    (summary,) = [line for line in unfolded(written) if line.startswith("SUMMARY:")]
    assert "\n" not in summary
    assert "\r" not in summary
