"""Decoders of single values, each made from the constraints of an annotation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import Enum
from types import MappingProxyType
from typing import Any

from opsmail.constraints import DEFAULT_LENGTH, Length, Parsed, Pattern, Range
from opsmail.expressions import expression
from opsmail.messages import msg
from opsmail.shape.problems import Problem, invalid, not_among, shown, wrong_type

_DAY = expression(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Invalid(Enum):
    """Stands for a value that could not be decoded; the problems say why."""

    INVALID = 0


INVALID = Invalid.INVALID
#: From plain data and the field's path to the value, or INVALID and a problem added to the list.
Decode = Callable[[Any, str, list[Problem]], Any]


def choice(values: Mapping[str, Any]) -> Decode:
    """Return the decoder of one of `values`: what is written to what it means."""

    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if isinstance(value, str | int) and not isinstance(value, bool) and value in values:
            return values[value]  # type: ignore[index]  # literals of numbers share the table
        problems.append(not_among(value, path, list(values)))
        return INVALID

    return decode


def parsed_text(parsed: Parsed) -> Decode:
    """Return the decoder of a value that is written as text."""

    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if type(value) is not str:
            problems.append(wrong_type(path, msg("text"), value, str))
            return INVALID
        if not value:
            problems.append(_empty(path))
            return INVALID
        try:
            return parsed.parse(value)
        except ValueError:
            message = msg("`{path}` is not {wanted}", path=path, wanted=parsed.wanted)
            problems.append(invalid(path, message, msg("for example `{example}`", example=parsed.example)))
            return INVALID

    return decode


def _empty(path: str) -> Problem:
    return invalid(path, msg("`{path}` is empty", path=path), msg("give it a value, or delete the line"))


def _text(constraints: Sequence[Any]) -> Decode:
    pattern = next((item for item in constraints if isinstance(item, Pattern)), None)
    length = next((item for item in constraints if isinstance(item, Length)), DEFAULT_LENGTH)

    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if type(value) is not str:
            problems.append(wrong_type(path, msg("text"), value, str))
            return INVALID
        size = len(value)
        if size < length.minimum:
            problems.append(_empty(path))
            return INVALID
        if size > length.maximum:
            message = msg(
                "`{path}` has {size} characters; at most {maximum}", path=path, size=size, maximum=length.maximum
            )
            problems.append(invalid(path, message, msg("shorten it")))
            return INVALID
        if pattern is not None and pattern.compiled.fullmatch(value) is None:
            message = msg("`{path}` is not {wanted}", path=path, wanted=pattern.wanted)
            problems.append(invalid(path, message, msg("for example `{example}`", example=pattern.example)))
            return INVALID
        return value

    return decode


def _integer(constraints: Sequence[Any]) -> Decode:
    bounds = next((item for item in constraints if isinstance(item, Range)), None)

    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if type(value) is not int:
            problems.append(wrong_type(path, msg("a whole number"), value, int))
            return INVALID
        if bounds is not None and not bounds.minimum <= value <= bounds.maximum:
            message = msg("`{path}` is {value}, out of range", path=path, value=shown(value))
            remedy = msg("from {minimum} to {maximum}", minimum=bounds.minimum, maximum=bounds.maximum)
            problems.append(invalid(path, message, remedy))
            return INVALID
        return value

    return decode


def _truth(_constraints: Sequence[Any]) -> Decode:
    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if type(value) is bool:
            return value
        problems.append(wrong_type(path, msg("`true` or `false`"), value, bool))
        return INVALID

    return decode


def _date(_constraints: Sequence[Any]) -> Decode:
    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if type(value) is date:  # TOML has dates of its own
            return value
        if type(value) is not str:
            problems.append(wrong_type(path, msg("a date"), value, date))
            return INVALID
        day = _day(value)
        if day is None:
            message = msg("`{path}` is not a date", path=path)
            problems.append(invalid(path, message, msg("write year-month-day, for example `2027-05-01`")))
            return INVALID
        return day

    return decode


def _day(text: str) -> date | None:
    if not _DAY.fullmatch(text):  # fromisoformat takes week dates and compact forms too
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


#: Type to what makes its decoder.
LEAVES: Mapping[type, Callable[[Sequence[Any]], Decode]] = MappingProxyType(
    {str: _text, int: _integer, bool: _truth, date: _date}
)
