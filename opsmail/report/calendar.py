"""Endings as an iCalendar file (RFC 5545), which any calendar subscribes to or imports."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from gettext import NullTranslations

from opsmail.messages import msg
from opsmail.report.endings import Ending
from opsmail.source.characters import visible

#: Section 3.1: lines of at most 75 octets, the line break left out.
_LONGEST_LINE = 75
#: How many days before an ending the calendar reminds of it.
_REMINDED_DAYS = 30


def render(endings: Iterable[Ending], language: NullTranslations, now: datetime) -> str:
    """Return the calendar: one event of a whole day for each ending, with a reminder a month before.

    Args:
        endings: what ends.
        language: of the texts.
        now: when it is made, in UTC.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//opsmail//opsmail//EN"]
    for ending in endings:
        lines += _event(ending, language, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(ending: Ending, language: NullTranslations, now: datetime) -> Iterator[str]:
    summary = _text(ending.what.render(language))
    yield "BEGIN:VEVENT"
    yield f"UID:{hashlib.sha256(ending.key.encode()).hexdigest()[:32]}@opsmail"
    yield f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{ending.day:%Y%m%d}"
    # Section 3.6.1: the end is the first moment that no longer belongs to it.
    yield f"DTEND;VALUE=DATE:{ending.day + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{summary}"
    if ending.operators:
        whom = msg("operators: {names}", names=", ".join(ending.operators)).render(language)
        yield f"DESCRIPTION:{_text(whom)}"
    yield "TRANSP:TRANSPARENT"
    yield from (
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{summary}",
        f"TRIGGER:-P{_REMINDED_DAYS}D",
        "END:VALARM",
    )
    yield "END:VEVENT"


def _text(text: str) -> str:
    """Return `text` as a value of type TEXT (section 3.3.11)."""
    seen = visible(text).replace("`", "")
    for character in "\\;,":
        seen = seen.replace(character, f"\\{character}")
    return seen


def _folded(line: str) -> Iterator[str]:
    """Yield a line in parts of at most 75 octets, none of them ending within a character."""
    part, size = "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > _LONGEST_LINE:
            yield part
            part, size = " ", 1
        part += character
        size += octets
    yield part
