"""Frozen dataclasses to plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


def encode(value: object) -> Any:
    """Return `value` as plain data: sections as dicts without their nulls, what has a text form of its own as text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, StrEnum):
        return value.value
    # A class with a `__str__` of its own is written as one text (a reference, `587/starttls`), see `Parsed`.
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and "__str__" not in vars(type(value)):
        pairs = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {name: encode(item) for name, item in pairs if item is not None}
    if isinstance(value, Mapping):
        return {str(name): encode(item) for name, item in value.items() if item is not None}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    return str(value)
