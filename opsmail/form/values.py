"""Between a file's data and what stands in the form."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from opsmail.form.fields import Field, Input, form_fields

#: What stands in the form: path to text, or whether a box is ticked.
Values = Mapping[str, str | bool]


def values_of(data: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, str | bool]:
    """Return what the form shows of a file.

    Args:
        data: the file's data.
        texts: dotted path of each scalar to its text, as it is written.
    """
    return {field.path: _value(field, data, texts) for field in form_fields()}


def _value(field: Field, data: Mapping[str, Any], texts: Mapping[str, str]) -> str | bool:
    found = _at(data, field.path)
    if field.input is Input.CHECK:
        return found if isinstance(found, bool) else bool(field.default)
    if found is None:
        return str(field.default or "")
    return texts.get(field.path, "")


def _at(data: Any, path: str) -> Any:
    for name in path.split("."):
        data = data.get(name) if isinstance(data, Mapping) else None
    return data


def data_of(values: Values, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data that a file has to have, so that it says what stands in the form.

    Args:
        values: what stands in the form.
        before: the file's data as it is; what the form has no field for stays.
    """
    data: dict[str, Any] = copy.deepcopy(dict(before)) or {"version": 1}
    for field in form_fields():
        value = values.get(field.path, "")
        if not field.is_in(values):
            _remove(data, field.path)
        elif value == "":
            # A null says already that nothing stands there, and its section may be there for it alone.
            if _at(data, field.path) is not None:
                _remove(data, field.path)
        # What is left out and means the same is not written out.
        elif _at(data, field.path) is not None or value != field.default:
            _set(data, field.path, _meant(field, value))
    return data


def _meant(field: Field, value: Any) -> Any:
    """Return the value as data; what is no number stays text, which the check has a word to say about."""
    is_number = field.input is Input.NUMBER and isinstance(value, str) and value.isascii() and value.isdecimal()
    return int(value) if is_number and not (value.startswith("0") and value != "0") else value


def _set(data: dict[str, Any], path: str, value: Any) -> None:
    *sections, name = path.split(".")
    for section in sections:
        inner = data.get(section)
        if not isinstance(inner, dict):
            inner = data[section] = {}
        data = inner
    data[name] = value


def _remove(data: dict[str, Any], path: str) -> None:
    """Take a field out, and its section where nothing is left of it."""
    section, _, name = path.rpartition(".")
    inner = _at(data, section) if section else data
    if isinstance(inner, dict) and name in inner:
        del inner[name]
        if not inner and section:
            _remove(data, section)
