"""Ids for operators that were called anyhow."""

from __future__ import annotations

import unicodedata

from opsmail.expressions import expression
from opsmail.source.tree import file_name_problem

#: So long an id can be.
_LONGEST = 63
_BETWEEN = expression(r"[^a-z0-9]+")
#: Letters that do not consist of one of a to z and a sign.
_LETTERS = str.maketrans({"æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"})


class Names:
    """Gives each operator an id that no other one has."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """Return an id that is not taken: itself, or with the first free number after it."""
        name = wanted
        while name in self._taken:
            # From where the last one of this name was found: there may be as many as rows.
            number = self._last[wanted] = self._last.get(wanted, 1) + 1
            ending = f"-{number}"
            name = f"{wanted[: _LONGEST - len(ending)]}{ending}"
        self._taken.add(name)
        return name


def operator_id(called: str) -> str:
    """Return the id nearest to a name: the same where it is one; empty where it has no Latin letter or digit."""
    if is_id(called):
        return called
    text = unicodedata.normalize("NFKD", called.casefold()).translate(_LETTERS)
    letters = "".join(character for character in text if not unicodedata.combining(character))
    return _BETWEEN.sub("-", letters).strip("-")[:_LONGEST].strip("-")


def is_id(text: str) -> bool:
    """Whether an operator can have this id, and its file this name."""
    return file_name_problem(f"{text}.yaml") is None
