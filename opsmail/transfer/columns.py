"""What is known of the columns of older tables: which fields they are, and which hold secrets.

The knowledge is data, `data/columns.yaml`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from importlib.resources import files
from typing import Any, Literal

from opsmail.shape import Decoder
from opsmail.values import dataclass

#: Labels are called freely, below this.
LABELS = "labels."


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretColumns:
    """Which columns hold secrets.

    Args:
        names: whole names.
        parts: what may stand anywhere in a name.
        source: where they are from.
        verified_on: when that was looked at.
    """

    names: tuple[str, ...]
    parts: tuple[str, ...]
    source: str
    verified_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthWords:
    """What stands for yes and no."""

    true_words: tuple[str, ...]
    false_words: tuple[str, ...]
    source: str
    verified_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldColumns:
    """The columns that are one field of the operator file.

    Args:
        path: the field.
        kind: what its values are.
        names: of the columns.
        values: of a choice: what it becomes, to what stands for it.
        most: of a number: the largest.
        by_port: words that say that there is encryption, while the port decides which.
        source: where names and values are from.
        verified_on: when that was looked at.
    """

    path: str
    kind: Literal["text", "number", "truth", "date", "choice"]
    names: tuple[str, ...]
    source: str
    verified_on: str
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    most: int = 0
    by_port: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Columns:
    """All that is known."""

    secret: SecretColumns
    truth: TruthWords
    fields: tuple[FieldColumns, ...]

    @cached_property
    def by_path(self) -> Mapping[str, FieldColumns]:
        """The fields by their paths, in the order of the operator file."""
        return {item.path: item for item in self.fields}

    @cached_property
    def _by_name(self) -> Mapping[str, str]:
        return {plain(name): item.path for item in self.fields for name in (item.path, *item.names)}

    @cached_property
    def _secret(self) -> tuple[frozenset[str], tuple[str, ...]]:
        return frozenset(map(plain, self.secret.names)), tuple(map(plain, self.secret.parts))

    @cached_property
    def choices(self) -> Mapping[str, Mapping[str, str]]:
        """What a choice becomes, by its field and what stands for it in plain letters."""
        return {
            item.path: {plain(word): value for value, words in item.values.items() for word in (value, *words)}
            for item in self.fields
        }

    def path_of(self, column: str) -> str | None:
        """Return the field that a column is known to be; None where it is not known, or holds secrets."""
        if column.startswith(LABELS) and len(column) > len(LABELS):
            return None if self.is_secret(column) else column
        return self._by_name.get(plain(column))

    def is_secret(self, column: str) -> bool:
        """Whether a column has to be taken for one of secrets."""
        name = plain(column)
        names, parts = self._secret
        return name not in self._by_name and (name in names or any(part in name for part in parts))

    @cached_property
    def truths(self) -> Mapping[str, bool]:
        """What stands for yes and no, in plain letters."""
        words = dict.fromkeys(map(plain, self.truth.true_words), True)
        return words | dict.fromkeys(map(plain, self.truth.false_words), False)


def plain(text: str) -> str:
    """Return the letters and digits of a name, without accents and case, by which names and values are compared."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in parts if character.isalnum())


def load_columns() -> Columns:
    """Return what comes with opsmail."""
    return parse_columns((files("opsmail") / "data" / "columns.yaml").read_bytes())


def parse_columns(content: bytes) -> Columns:
    """Return what a data file describes.

    Raises:
        ValueError: the file does not have its shape.
    """
    import yaml

    data: Any = yaml.load(content, Loader=yaml.CSafeLoader)
    columns, problems = Decoder(Columns).decode(data)
    if columns is None or problems:
        raise ValueError([str(problem.message) for problem in problems])
    return columns
