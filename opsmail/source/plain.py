"""Plain files, as nearly all are: fields one on each line, read at a glance instead of by a YAML parser.

What is taken here is a small part of YAML in which every reader agrees; of anything else, or of anything that the
strict reader could have a word to say about, nothing is taken at all. Lines and levels are few and counted, nothing is
recursive. That both readings are equal is a property that tests try on files made up for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from opsmail.expressions import expression
from opsmail.source.characters import PLAIN_TEXT
from opsmail.source.document import Places
from opsmail.source.scalars import Scalar, is_plain_key, resolve_plain
from opsmail.values import dataclass

#: More is not plain: far below the limits of the strict reader, however short the fields are.
_MOST_CHARACTERS = 10_000
_LEVELS = 3
#: The level of each indentation that is taken.
_LEVEL_OF = {"  " * level: level for level in range(_LEVELS)}

_KEY = "[A-Za-z_][A-Za-z0-9_-]{0,39}"
_QUOTED = r"\"[^\"\\]*\"|'[^']*'"
_LETTER = "A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
# Of a plain text, a colon before a blank and a `#` behind one could mean something else.
_PLAIN = rf"[{_LETTER}](?>[^: ]++|:(?! |\Z)| ++(?!#|\Z))*+"
_BRACED = r"\{[^\n{}#\"\\]*+(?:\"[^\"\\\n]*\"[^\n{}#\"\\]*+)*+\}"
# Of the plain texts, those that are nothing but text to everybody, and quickly known: most that no other file has.
_NAME = expression(rf"[A-Za-eg-mo-su-z](?>[{_LETTER}@._/+-]++|:(?=/)| (?=[{_LETTER}]))*+")
_PLACE = expression(rf"( *)({_KEY})")
# A line that says nothing; or indentation, a key, and a text in quotes, a mapping in braces or a plain text.
_LINE = expression(rf"( *)({_KEY}):(?: +({_QUOTED}|{_BRACED}|{_PLAIN}))?(?: +(?:#.*)?)?| *(?:#.*)?")
_IN_BRACES = rf" *({_KEY}): +({_QUOTED}|[{_LETTER}][{_LETTER}._@/+-]*(?: +[{_LETTER}._@/+-]+)*) *"
_PAIR = expression(_IN_BRACES)
_BRACES = expression(rf"\{{(?:{_IN_BRACES}(?:,{_IN_BRACES})*| *)\}}".replace(f"({_KEY})", _KEY))


class _NotPlainError(Exception):
    """The strict reader has to look at it."""


def read_plain(text: str) -> tuple[dict[str, Any], dict[str, str]] | None:
    """Return the data of a plain file, and the text of each value by its path; None where the file is not plain.

    Args:
        text: the file, without a byte-order mark.
    """
    if len(text) > _MOST_CHARACTERS or not PLAIN_TEXT.fullmatch(text):
        return None
    try:
        data, texts = _built(map(_line, text.split("\n")))
    except _NotPlainError:
        return None
    return (data, texts) if data else None


#: A line that is understood: the level of its indentation, one too high where there is no such level; the key, empty
#: where the line says nothing; the text of its value, None where it has none of its own; what that means; and the
#: fields in braces, each with its text and value, None where there are no braces.
_Line = tuple[int, str, str | None, Scalar, tuple[tuple[str, str, Scalar], ...] | None]


@lru_cache(maxsize=4096)  # files have most of their lines in common
def _line(line: str) -> _Line:
    before, _, written = line.partition(": ")
    if _NAME.fullmatch(written):
        place = _place(before)
        if place is not None:
            return *place, written, written, None
    found = _LINE.fullmatch(line)
    if found is None:
        raise _NotPlainError
    indentation, key, written = found.groups()
    if key is None:
        return 0, "", None, None, None
    if not is_plain_key(key):
        raise _NotPlainError
    level = _LEVEL_OF.get(indentation, _LEVELS)
    if written is None:
        return level, key, None, None, None
    if written[0] == "{":
        return level, key, None, None, _in_braces(written)
    return level, key, *_scalar(written), None


@lru_cache(maxsize=1024)  # files have the same few fields
def _place(before: str) -> tuple[int, str] | None:
    """Return level and key of what stands before a colon; None where that is not plain."""
    found = _PLACE.fullmatch(before)
    if found is None or not is_plain_key(found[2]):
        return None
    return _LEVEL_OF.get(found[1], _LEVELS), found[2]


def _scalar(written: str) -> tuple[str, Scalar]:
    if written[0] in "\"'":
        return written[1:-1], written[1:-1]
    return written, resolve_plain(written)


def _in_braces(written: str) -> tuple[tuple[str, str, Scalar], ...]:
    if _BRACES.fullmatch(written) is None:
        raise _NotPlainError
    fields = tuple((key, *_scalar(value)) for key, value in _PAIR.findall(written))
    keys = {key for key, _, _ in fields}
    if len(keys) < len(fields) or not all(map(is_plain_key, keys)):
        raise _NotPlainError
    return fields


def _built(lines: Iterable[_Line]) -> tuple[dict[str, Any], dict[str, str]]:
    data: dict[str, Any] = {}
    texts: dict[str, str] = {}
    levels: list[tuple[dict[str, Any], str]] = [(data, "")]
    current = 0
    opened = ""  # the key that a deeper line would belong to
    for level, key, text, value, fields in lines:
        if not key:
            continue
        if level != current:
            if level > current:
                _descend(levels, level, opened, texts)
            del levels[level + 1 :]
            current = level
        container, prefix = levels[level]
        if key in container:
            raise _NotPlainError
        opened = ""
        if text is not None:
            container[key] = value
            texts[prefix + key] = text
        elif fields is None:
            opened = key
            container[key] = None
            texts[prefix + key] = ""
        else:
            container[key] = {name: item for name, _, item in fields}
            texts.update((f"{prefix}{key}.{name}", written) for name, written, _ in fields)
    return data, texts


def _descend(levels: list[tuple[dict[str, Any], str]], level: int, opened: str, texts: dict[str, str]) -> None:
    """Make a section of the field that was written last, which has no value of its own."""
    if not opened or level != len(levels) or level == _LEVELS:
        raise _NotPlainError
    container, prefix = levels[-1]
    section: dict[str, Any] = {}
    container[opened] = section
    del texts[prefix + opened]
    levels.append((section, f"{prefix}{opened}."))


@dataclass(frozen=True, slots=True)
class _Place:
    """A position, see `opsmail.source.document.Mark`."""

    line: int
    column: int
    index: int


class _Text(NamedTuple):
    """A key or value with its place."""

    start_mark: _Place
    end_mark: _Place
    value: str


def plain_places(text: str) -> Places:
    """Return where everything stands in a file that `read_plain` took, as the parser would tell it."""
    keys: dict[str, _Text] = {}
    scalars: dict[str, _Text] = {}
    prefixes = [""]  # of the paths of fields, by level
    index = 0
    for number, line in enumerate(text.split("\n")):
        found = _LINE.fullmatch(line)
        if found is not None and found[2] is not None:
            level = len(found[1]) // 2
            scalars.pop(prefixes[level][:-1], None)  # the field that this one belongs to is a section
            path = prefixes[level] + found[2]
            prefixes[level + 1 :] = [f"{path}."]
            keys[path] = _text(number, index, found.span(2), found[2])
            if found[3] is None:
                scalars[path] = _text(number, index, (found.end(2) + 1, found.end(2) + 1), "")
            elif found[3][0] != "{":
                scalars[path] = _text(number, index, found.span(3), _scalar(found[3])[0])
            else:
                for pair in _PAIR.finditer(line, found.start(3) + 1, found.end(3) - 1):
                    keys[f"{path}.{pair[1]}"] = _text(number, index, pair.span(1), pair[1])
                    scalars[f"{path}.{pair[1]}"] = _text(number, index, pair.span(2), _scalar(pair[2])[0])
        index += len(line) + 1
    return Places(keys, scalars)


def _text(line: int, index: int, columns: tuple[int, int], value: str) -> _Text:
    """Return a text with its place.

    Args:
        line: its line, from 0.
        index: where that line starts in the file.
        columns: where the text starts in the line, from 0, and what follows it.
        value: what it says.
    """
    start, end = columns
    return _Text(_Place(line, start, index + start), _Place(line, end, index + end), value)
