"""Frozen dataclasses to plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any


def encode(value: object) -> Any:
    """Return `value` as plain data: sections as dicts, what has a text form of its own as text.

    A field that is None is left out where that is its default, and is null where it has to be there.
    """
    kind: Any = type(value)
    if value is None or kind is str or isinstance(value, bool | int | float):
        return value
    fields = _fields(kind)
    if fields is not None:
        items = [(name, getattr(value, name), optional) for name, optional in fields]
        return {
            name: item if type(item) is str else encode(item)  # most are
            for name, item, optional in items
            if item is not None or not optional
        }
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): encode(item) for name, item in value.items() if item is not None}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    return str(value)


@cache
def _fields(kind: type[Any]) -> tuple[tuple[str, bool], ...] | None:
    """Return the names of a section's fields, each with whether None is its default; None for what is no section.

    A class with a `__str__` of its own is written as one text (a reference, `587/starttls`), see `Parsed`.
    """
    if not dataclasses.is_dataclass(kind) or "__str__" in vars(kind):
        return None
    return tuple((field.name, field.default is None) for field in dataclasses.fields(kind))
