"""Characters that a reviewer cannot see or that change what they see."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsmail.expressions import expression
from opsmail.messages import Message, msg

# Sources: YAML 1.1 section 5.4 (U+0085, U+2028, U+2029 break lines for libyaml, so they can start a live key inside a
# comment), Unicode TR9 (bidirectional formatting), Unicode DerivedCoreProperties (default-ignorable code points), and
# U+2800, a blank that is no space. U+FE0F stays allowed: emoji in display names carry it.
_UNSEEN = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # C0 but TAB, LF, CR; DEL; C1 with NEL
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners, fillers
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800"  # zero width, separators, bidirectional controls, blank Braille
    "\u3164\ufdd0-\ufdef\ufe00-\ufe0e\ufeff\uffa0"  # fillers, non-characters, variation selectors, BOM
    "\ufff0-\ufffb\ufffe\uffff"  # annotations, non-characters
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # shorthand and musical controls, tags
)
#: What no operator file may contain anywhere, comments included. A carriage return is fine only before a line feed.
FORBIDDEN_IN_FILE = expression(f"[{_UNSEEN}]|\r(?!\n)")
#: Text of Latin letters and common signs has none of these, and is known by this in a tenth of the time.
PLAIN_TEXT = expression("[\n -~\u00a1-\u00ac\u00ae-\u024f]*")
#: What no value may contain after its escapes are read, and no line of output: line ends and tabs too.
FORBIDDEN_IN_VALUE = expression(f"[{_UNSEEN}\t\n\r\ud800-\udfff]")


def code_point(character: str) -> str:
    """Return `U+202E` for a character that must not be printed."""
    return f"U+{ord(character):04X}"


def unseen(text: str) -> Iterator[re.Match[str]]:
    """Return what of a file's text must not be in a file, in its order."""
    return iter(()) if PLAIN_TEXT.fullmatch(text) else FORBIDDEN_IN_FILE.finditer(text)


def visible(text: str) -> str:
    r"""Return `text` on one line, with what a person would not see written out, for example as `\u202e`."""
    if text.isascii() and text.isprintable():  # nearly all is, and this compiles nothing
        return text
    return FORBIDDEN_IN_VALUE.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def unseen_in_value(value: str) -> Message | None:
    """Return what keeps a text from standing in an operator file, without repeating it; None where nothing does.

    That is a line end, or another character that a reviewer of the file cannot see.
    """
    found = FORBIDDEN_IN_VALUE.search(value)
    if found is None:
        return None
    return msg("it holds the character {code_point}, which nobody can see in the file", code_point=code_point(found[0]))
