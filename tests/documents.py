"""Documents drawn from the description of a file: mostly right, and now and then just past a border."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Union

from hypothesis import strategies as st

from opsmail.constraints import DEFAULT_LENGTH, Length, OneOrMany, Parsed, Pattern, Range

#: One value in so many is drawn from beyond what the description allows.
_RIGHT = 40
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, width=32) | st.text(max_size=30)
ANYTHING = _SCALARS | st.lists(_SCALARS, max_size=2) | st.dictionaries(st.text(max_size=5), _SCALARS, max_size=2)


def documents(target: Any) -> st.SearchStrategy[Any]:
    """Return documents as `target`, an annotated dataclass, describes them."""
    hints = typing.get_type_hints(target, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(target)}
    values = {name: _value(hints[name]) for name in fields}
    required = {
        name: value
        for name, value in values.items()
        if fields[name].default is dataclasses.MISSING and fields[name].default_factory is dataclasses.MISSING
    }
    optional = {name: value for name, value in values.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional).flatmap(_with_slips(required))


def _with_slips(required: dict[str, Any]) -> Any:
    """Return what now and then takes a required field away or adds an unknown one."""

    def slip(section: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
        same = st.just(section)
        less = [st.just({key: item for key, item in section.items() if key != name}) for name in required]
        more = st.just({**section, "unknown": 1})
        return _mostly(same, st.one_of(*less, more))

    return slip


def _mostly(right: st.SearchStrategy[Any], wrong: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(1, _RIGHT).flatmap(lambda number: wrong if number == _RIGHT else right)


def _value(annotation: Any) -> st.SearchStrategy[Any]:
    constraints: list[Any] = []
    if typing.get_origin(annotation) is Annotated:
        annotation, *constraints = typing.get_args(annotation)
    return _mostly(_right(annotation, constraints), _past(constraints) | ANYTHING)


def _right(annotation: Any, constraints: list[Any]) -> st.SearchStrategy[Any]:
    parsed = _constraint(constraints, Parsed)
    if parsed is not None:
        return st.just(parsed.example) | st.from_regex(parsed.expression, fullmatch=True)
    if typing.get_origin(annotation) is not None:
        return _composed(annotation, constraints)
    if issubclass(annotation, StrEnum):
        return st.sampled_from([item.value for item in annotation])
    return documents(annotation) if dataclasses.is_dataclass(annotation) else _leaf(annotation, constraints)


def _composed(annotation: Any, constraints: list[Any]) -> st.SearchStrategy[Any]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        several = st.lists(_value(arguments[0]), max_size=2)
        return several | _value(arguments[0]) if _constraint(constraints, OneOrMany) else several
    if origin in (Union, types.UnionType):
        return st.one_of(*(st.none() if item is types.NoneType else _value(item) for item in arguments))
    return st.dictionaries(_right(*_parts(arguments[0])), _value(arguments[1]), max_size=2)


def _leaf(annotation: Any, constraints: list[Any]) -> st.SearchStrategy[Any]:
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        bounds = _constraint(constraints, Range)
        return st.integers(bounds.minimum, bounds.maximum) if bounds else st.integers()
    if annotation is date:
        return st.dates().map(str)
    pattern = _constraint(constraints, Pattern)
    if pattern is not None:
        return st.just(pattern.example) | st.from_regex(pattern.expression, fullmatch=True)
    length = _constraint(constraints, Length) or DEFAULT_LENGTH
    return st.text(min_size=length.minimum, max_size=min(length.maximum, 40)) | st.just("x" * length.maximum)


def _past(constraints: list[Any]) -> st.SearchStrategy[Any]:
    """Return values one step beyond the borders."""
    bounds = _constraint(constraints, Range)
    if bounds is not None:
        return st.sampled_from([bounds.minimum - 1, bounds.maximum + 1])
    length = _constraint(constraints, Length) or DEFAULT_LENGTH
    return st.sampled_from(["", "x" * (length.maximum + 1), " ", "X"])


def _constraint(constraints: list[Any], kind: Any) -> Any:
    return next((item for item in constraints if isinstance(item, kind)), None)


def _parts(annotation: Any) -> tuple[Any, list[Any]]:
    if typing.get_origin(annotation) is not Annotated:
        return annotation, []
    inner, *constraints = typing.get_args(annotation)
    return inner, constraints
