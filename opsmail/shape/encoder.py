"""Frozen dataclasses to plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import cache, partial
from operator import attrgetter
from typing import Any

#: What stays as it is; most of what there is.
_PLAIN = frozenset((str, int, bool, type(None)))


def encode(value: object) -> Any:
    """Return `value` as plain data: sections as dicts, what has a text form of its own as text.

    A field that is None is left out where that is its default, and is null where it has to be there.
    """
    kind: Any = type(value)
    return value if kind in _PLAIN else _encoder(kind)(value)


@cache
def _encoder(kind: type[Any]) -> Callable[[Any], Any]:
    """Return what encodes values of a type.

    A class with a `__str__` of its own is written as one text (a reference, `587/starttls`), see `Parsed`.
    """
    if issubclass(kind, int | float):
        return _itself
    if dataclasses.is_dataclass(kind) and "__str__" not in vars(kind):
        return partial(_section, [(field.name, field.default is None) for field in dataclasses.fields(kind)])
    if issubclass(kind, StrEnum):
        return attrgetter("value")
    if issubclass(kind, Mapping):
        return _mapping
    return _sequence if issubclass(kind, tuple | list) else str


def _itself(value: float) -> float:
    return value


def _section(fields: Iterable[tuple[str, bool]], value: object) -> dict[str, Any]:
    """Encode a section.

    Args:
        fields: their names, each with whether None is its default.
        value: the section.
    """
    section = {}
    for name, optional in fields:
        item = getattr(value, name)
        if item is not None or not optional:
            section[name] = item if type(item) in _PLAIN else encode(item)
    return section


def _mapping(value: Mapping[Any, object]) -> dict[str, Any]:
    return {str(name): encode(item) for name, item in value.items() if item is not None}


def _sequence(value: Iterable[object]) -> list[Any]:
    return [encode(item) for item in value]
