"""Escaping, one function per sink: nothing that came from a file or a server acts on what shows it."""

from __future__ import annotations

import re

# Control characters, and those that are invisible or turn text around (see opsmail.source.characters). A tab is shown as it is in no sink:
# columns would not line up.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def for_terminal(text: str) -> str:
    """Return `text` with every character that a terminal would obey, or a person would not see, written out."""
    return _UNSEEN.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
