"""Reads the regular expressions of JSON Schema: those of ECMA-262, without what needs to go back or look around."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from opsmail.messages import Message, msg

_DEEPEST = 30
_QUANTIFIER = re.compile(r"(?:(?P<sign>[*+?])|\{(?P<least>[0-9]{1,4})(?P<open>,(?P<most>[0-9]{1,4})?)?\})\??")
_GROUP = re.compile(r"\((?:\?(?::|<[A-Za-z_][A-Za-z0-9_]*>))?")
_CODE = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})")
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_LINE_ENDS = "\n\r\u2028\u2029"
_SIGNS = {"*": (0, None), "+": (1, None), "?": (0, 1)}

Test = Callable[[str], bool]


class PatternError(ValueError):
    """A pattern that cannot be used.

    Args:
        reason: why.
    """

    def __init__(self, reason: Message) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Anchor(Enum):
    """A place that a text has by itself."""

    START = "^"
    END = "$"


@dataclass(frozen=True, slots=True)
class Character:
    """One character that passes a test."""

    test: Test


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; empty for nothing at all."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repetition:
    """The same `least` to `most` times; None for without end."""

    node: Node
    least: int
    most: int | None


Node = Anchor | Character | Sequence | Choice | Repetition


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"


def _is_word(character: str) -> bool:
    return character == "_" or (character.isascii() and character.isalnum())


def _is_space(character: str) -> bool:
    return character == "\ufeff" or (character.isspace() and character not in "\x1c\x1d\x1e\x1f\x85")


_CLASSES: dict[str, Test] = {"d": _is_digit, "w": _is_word, "s": _is_space}


def parse(text: str) -> Node:
    """Return what a pattern says.

    Raises:
        PatternError: it is wrong, or says what is not supported.
    """
    return _Reader(text).whole()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._choice()
        if self._at < len(self._text):
            raise PatternError(msg("a `)` has no `(`"))
        return node

    def _choice(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise PatternError(msg("groups are nested deeper than {most}", most=_DEEPEST))
        nodes = [self._sequence()]
        while self._take("|"):
            nodes.append(self._sequence())
        self._depth -= 1
        return nodes[0] if len(nodes) == 1 else Choice(tuple(nodes))

    def _sequence(self) -> Node:
        nodes = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            nodes.append(self._repeated())
        return Sequence(tuple(nodes))

    def _repeated(self) -> Node:
        node = self._piece()
        match = _QUANTIFIER.match(self._text, self._at)
        if match is None:
            return node
        self._at = match.end()
        if isinstance(node, Anchor):
            raise PatternError(msg("`{anchor}` cannot be repeated", anchor=node.value))
        least, most = _bounds(match)
        if most is not None and most < least:
            raise PatternError(msg("`{written}` counts from more to less", written=match[0]))
        return Repetition(node, least, most)

    def _piece(self) -> Node:
        group = _GROUP.match(self._text, self._at)
        if group is not None:
            return self._group(group)
        character = self._next()
        if character in "^$":
            return Anchor(character)
        if character == ".":
            return Character(lambda found: found not in _LINE_ENDS)
        if character == "[":
            return Character(self._class())
        if character == "\\":
            return Character(self._escape())
        if character in "*+?{}]":
            raise PatternError(msg("`{sign}` stands where a character is expected", sign=character))
        return Character(character.__eq__)

    def _group(self, opening: re.Match[str]) -> Node:
        self._at = opening.end()
        if opening[0] == "(" and self._text.startswith("?", self._at):
            raise PatternError(msg("looking ahead and behind is not supported"))
        node = self._choice()
        if not self._take(")"):
            raise PatternError(msg("a `(` has no `)`"))
        return node

    def _class(self) -> Test:
        negated = self._take("^")
        tests: list[Test] = []
        while not self._take("]"):
            tests.append(self._member())
        return lambda found: any(test(found) for test in tests) is not negated

    def _member(self) -> Test:
        first = self._one()
        if not self._text.startswith("-", self._at) or self._text.startswith("-]", self._at):
            return first if callable(first) else first.__eq__
        self._at += 1
        last = self._one()
        if callable(first) or callable(last) or last < first:
            raise PatternError(msg("a range in `[…]` does not go from a character to a later one"))
        return lambda found: first <= found <= last

    def _one(self) -> str | Test:
        """Return a character of a class as itself, and what stands for several as a test."""
        character = self._next()
        if character != "\\":
            return character
        return "\b" if self._take("b") else self._escaped()

    def _escape(self) -> Test:
        meant = self._escaped()
        return meant if callable(meant) else meant.__eq__

    def _escaped(self) -> str | Test:
        code = _CODE.match(self._text, self._at)
        if code is not None:
            self._at = code.end()
            return chr(int(code[1] or code[2], 16))
        letter = self._next()
        known = _CLASSES.get(letter.lower())
        if known is not None:
            return known if letter.islower() else lambda found: not known(found)
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter.isalnum():
            raise PatternError(msg("`\\{letter}` is not supported", letter=letter))
        return letter

    def _next(self) -> str:
        if self._at == len(self._text):
            raise PatternError(msg("it ends too early"))
        self._at += 1
        return self._text[self._at - 1]

    def _take(self, sign: str) -> bool:
        found = self._text.startswith(sign, self._at)
        self._at += len(sign) if found else 0
        return found


def _bounds(match: re.Match[str]) -> tuple[int, int | None]:
    if match["sign"] is not None:
        return _SIGNS[match["sign"]]
    least = int(match["least"])
    if match["open"] is None:
        return least, least
    return least, None if match["most"] is None else int(match["most"])
