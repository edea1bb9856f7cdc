"""Plain data to frozen dataclasses, and back: the one place that knows what a type annotation demands of a file.

The annotated dataclasses of the operator and of the settings are the only description of those files: decoding, the canonical form and (through
pydantic) the published JSON Schemas all come from them. Decoding is done here and not by pydantic because every problem of a file has to be told at
once with its place and the nearest known name, and because importing pydantic costs more than checking a file.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union

from opsmail.constraints import DEFAULT_LENGTH, Length, OneOrMany, Parsed, Pattern, Range
from opsmail.messages import Message, msg

T = TypeVar("T")


class ProblemKind(Enum):
    """What is wrong with a field."""

    UNKNOWN_FIELD = "unknown field"
    MISSING_FIELD = "missing field"
    WRONG_TYPE = "wrong type"
    INVALID_VALUE = "invalid value"


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One place where data does not have the shape it should have.

    Args:
        kind: what is wrong.
        path: dotted path of the field, also of a missing one.
        message: what is wrong, in words; never repeats a value that could be secret.
        help: what to do.
        nearest: the known name or value that was probably meant.
        expected: the type that was wanted, for `WRONG_TYPE`.
    """

    kind: ProblemKind
    path: str
    message: Message
    help: Message | None = None
    nearest: str | None = None
    expected: type | None = None


class Invalid(Enum):
    """Stands for a value that could not be decoded; the problems say why."""

    INVALID = 0


INVALID = Invalid.INVALID
_Decode = Callable[[Any, str, list[Problem]], Any]
_SHOWN = 60
#: No name of a field is longer; comparing longer ones takes its time.
_LONGEST_NAME = 64
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")


class Decoder(typing.Generic[T]):
    """Decodes plain data into one frozen dataclass type; making one costs a millisecond, so make it once.

    Args:
        target: the dataclass; its annotations may carry the metadata of `opsmail.constraints`.
    """

    def __init__(self, target: type[T]) -> None:
        self._decode = _section(target)

    def decode(self, data: object) -> tuple[T | None, list[Problem]]:
        """Return the value and every problem; the value is there when nothing but unknown fields was wrong."""
        problems: list[Problem] = []
        value = self._decode(data, "", problems)
        return (None if value is INVALID else value), problems


def encode(value: object) -> Any:
    """Return `value` as plain data: sections as dicts without their nulls, and as text whatever has a text form of its own."""
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


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the known name that `name` was probably meant to be."""
    from difflib import get_close_matches

    if len(name) > _LONGEST_NAME:
        return None
    matches = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return matches[0] if matches else None


def shown_name(name: str, known: Sequence[str] = ()) -> str | None:
    """Return the name of a field if it may be repeated, None when it may be a secret that slipped to the left of the colon.

    Args:
        name: as it stands in the file.
        known: the names that are known there; what is like one of them was meant to be a name.
    """
    return name if name in known or _WORD.fullmatch(name) or nearest(name, known) is not None else None


def _field_decoder(annotation: Any) -> _Decode:
    """Return the decoder of one annotation."""
    constraints: tuple[Any, ...] = ()
    if typing.get_origin(annotation) is Annotated:
        annotation, *metadata = typing.get_args(annotation)
        constraints = tuple(metadata)
    parsed = next((item for item in constraints if isinstance(item, Parsed)), None)
    if parsed is not None:
        return _parsed(parsed)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        return _union([item for item in arguments if item is not type(None)], type(None) in arguments)
    if origin is Literal:
        return _choice({item: item for item in arguments})
    if origin is tuple:
        return _list(_field_decoder(arguments[0]), any(isinstance(item, OneOrMany) for item in constraints))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_field_decoder(arguments[0]), _field_decoder(arguments[1]))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _choice({item.value: item for item in annotation})
    if dataclasses.is_dataclass(annotation):
        return _section(annotation)
    return _SIMPLE[annotation](constraints)


def _section(target: Any) -> _Decode:
    hints = typing.get_type_hints(target, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(target)}
    decoders = {name: _field_decoder(hints[name]) for name in fields}
    required = [
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    known = list(fields)

    def decode(data: Any, path: str, problems: list[Problem]) -> Any:
        if type(data) is not dict:
            problems.append(_wrong_type(path, msg("a section with fields"), data, dict))
            return INVALID
        prefix = f"{path}." if path else ""
        values = {}
        complete = True
        meant = set()
        for key, item in data.items():
            decoder = decoders.get(key)
            if decoder is None:
                meant.add(_unknown(key, path, known, problems))
                continue
            value = decoder(item, prefix + key, problems)
            if value is INVALID:
                complete = False
            else:
                values[key] = value
        for name in required:
            if name not in data:
                complete = False
                if name not in meant:
                    problems.append(_missing(name, path))
        return target(**values) if complete else INVALID

    return decode


def _unknown(key: str, path: str, known: list[str], problems: list[Problem]) -> str | None:
    guess = nearest(key, known)
    if guess is not None:
        remedy = msg("did you mean `{name}`?", name=guess)
    else:
        remedy = msg("known here: {names}", names=", ".join(f"`{name}`" for name in known))
    if shown_name(key, known) is None:
        message = msg("unknown field; its name is not shown, since it may be a secret")
    else:
        message = msg("unknown field `{name}`", name=key)
    problems.append(Problem(ProblemKind.UNKNOWN_FIELD, _join(path, key), message, remedy, guess))
    return guess


def _missing(name: str, path: str) -> Problem:
    if path:
        message = msg("`{section}` lacks the field `{name}`", section=path, name=name)
    else:
        message = msg("the field `{name}` is missing", name=name)
    return Problem(ProblemKind.MISSING_FIELD, _join(path, name), message, msg("add `{name}: …`", name=name), name)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _wrong_type(path: str, wanted: Message, value: object, expected: type) -> Problem:
    message = msg(
        "`{path}` should be {wanted}, but is {found}", path=path or "…", wanted=wanted, found=_described(value)
    )
    return Problem(ProblemKind.WRONG_TYPE, path, message, expected=expected)


def _described(value: object) -> Message:
    if value is None:
        return msg("empty")
    if isinstance(value, bool):
        return msg("a truth value")
    if isinstance(value, int | float):
        return msg("a number")
    if isinstance(value, str):
        return msg("text")
    if isinstance(value, dict):
        return msg("a section with fields")
    if isinstance(value, list):
        return msg("a list")
    return msg("a date or time")


def _shown(text: object) -> str:
    shown = str(text)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"


def _invalid(path: str, message: Message, remedy: Message | None = None, guess: str | None = None) -> Problem:
    return Problem(ProblemKind.INVALID_VALUE, path, message, remedy, guess)


def _union(members: list[Any], optional: bool) -> _Decode:
    inner = _field_decoder(members[0]) if len(members) == 1 else _tagged(members)
    if not optional:
        return inner

    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        return None if value is None else inner(value, path, problems)

    return decode


def _tagged(members: list[Any]) -> _Decode:
    """Decode a union of dataclasses which is told apart by the one field that is a single-valued `Literal` in each."""
    hints = [typing.get_type_hints(member) for member in members]
    tag = next(name for name, hint in hints[0].items() if typing.get_origin(hint) is Literal)
    tags = [typing.get_args(hint[tag])[0] for hint in hints]
    by_tag = {value: _section(member) for value, member in zip(tags, members, strict=True)}
    owners: dict[str, list[str]] = {}
    for value, hint in zip(tags, hints, strict=True):
        for name in hint:
            owners.setdefault(name, []).append(value)

    def decode(data: Any, path: str, problems: list[Problem]) -> Any:
        if type(data) is not dict:
            problems.append(_wrong_type(path, msg("a section with fields"), data, dict))
            return INVALID
        if tag not in data:
            problems.append(_missing(tag, path))
            return INVALID
        value = data[tag]
        section = by_tag.get(value) if isinstance(value, str) else None
        if section is None:
            problems.append(_not_among(value, _join(path, tag), tags))
            return INVALID
        foreign = [name for name in data if value not in owners.get(name, [value])]
        for name in foreign:
            message = msg("`{name}` does not belong to {tag} `{value}`", name=name, tag=tag, value=value)
            remedy = msg(
                "it belongs to {values}; delete it here", values=", ".join(f"`{item}`" for item in owners[name])
            )
            problems.append(Problem(ProblemKind.UNKNOWN_FIELD, _join(path, name), message, remedy))
        return section({name: item for name, item in data.items() if name not in foreign}, path, problems)

    return decode


def _choice(values: Mapping[str, Any]) -> _Decode:
    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if isinstance(value, str | int) and not isinstance(value, bool) and value in values:
            return values[value]  # type: ignore[index]  # literals of numbers share the table
        problems.append(_not_among(value, path, list(values)))
        return INVALID

    return decode


def _not_among(value: object, path: str, allowed: list[Any]) -> Problem:
    wanted = isinstance(allowed[0], str)
    if wanted != isinstance(value, str) or isinstance(value, bool):
        return _wrong_type(path, msg("text") if wanted else msg("a whole number"), value, str if wanted else int)
    guess = nearest(value, [str(item) for item in allowed]) if isinstance(value, str) else None
    options = ", ".join(f"`{item}`" for item in allowed)
    remedy = msg("did you mean `{guess}`?", guess=guess) if guess else msg("allowed: {options}", options=options)
    message = msg("`{path}` cannot be `{value}`; allowed: {options}", path=path, value=_shown(value), options=options)
    return _invalid(path, message, remedy, guess)


def _list(inner: _Decode, or_one: bool) -> _Decode:
    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if or_one and isinstance(value, str):
            one = inner(value, path, problems)
            return INVALID if one is INVALID else (one,)
        if type(value) is not list:
            problems.append(_wrong_type(path, msg("a list"), value, list))
            return INVALID
        items = [inner(item, f"{path}.{index}", problems) for index, item in enumerate(value)]
        return INVALID if any(item is INVALID for item in items) else tuple(items)

    return decode


def _mapping(name: _Decode, inner: _Decode) -> _Decode:
    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if type(value) is not dict:
            problems.append(_wrong_type(path, msg("a section with fields"), value, dict))
            return INVALID
        items = {}
        for key, item in value.items():
            where = f"{path}.{key}"
            items[name(key, where, problems)] = inner(item, where, problems)
        return INVALID if INVALID in items or any(item is INVALID for item in items.values()) else items

    return decode


def _parsed(parsed: Parsed) -> _Decode:
    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if type(value) is not str:
            problems.append(_wrong_type(path, msg("text"), value, str))
            return INVALID
        try:
            return parsed.parse(value)
        except ValueError:
            message = msg("`{path}` is not {wanted}", path=path, wanted=parsed.wanted)
            problems.append(_invalid(path, message, msg("for example `{example}`", example=parsed.example)))
            return INVALID

    return decode


def _text(constraints: tuple[Any, ...]) -> _Decode:
    pattern = next((item for item in constraints if isinstance(item, Pattern)), None)
    length = next((item for item in constraints if isinstance(item, Length)), DEFAULT_LENGTH)
    matches = pattern.compiled.fullmatch if pattern is not None else None

    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if type(value) is not str:
            problems.append(_wrong_type(path, msg("text"), value, str))
            return INVALID
        size = len(value)
        if size < length.minimum:
            problems.append(
                _invalid(path, msg("`{path}` is empty", path=path), msg("give it a value, or delete the line"))
            )
            return INVALID
        if size > length.maximum:
            message = msg(
                "`{path}` has {size} characters; at most {maximum}", path=path, size=size, maximum=length.maximum
            )
            problems.append(_invalid(path, message, msg("shorten it")))
            return INVALID
        if matches is not None and pattern is not None and matches(value) is None:
            message = msg("`{path}` is not {wanted}", path=path, wanted=pattern.wanted)
            problems.append(_invalid(path, message, msg("for example `{example}`", example=pattern.example)))
            return INVALID
        return value

    return decode


def _integer(constraints: tuple[Any, ...]) -> _Decode:
    bounds = next((item for item in constraints if isinstance(item, Range)), None)

    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if type(value) is not int:
            problems.append(_wrong_type(path, msg("a whole number"), value, int))
            return INVALID
        if bounds is not None and not bounds.minimum <= value <= bounds.maximum:
            message = msg("`{path}` is {value}, out of range", path=path, value=_shown(value))
            remedy = msg("from {minimum} to {maximum}", minimum=bounds.minimum, maximum=bounds.maximum)
            problems.append(_invalid(path, message, remedy))
            return INVALID
        return value

    return decode


def _truth(_constraints: tuple[Any, ...]) -> _Decode:
    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if type(value) is bool:
            return value
        problems.append(_wrong_type(path, msg("`true` or `false`"), value, bool))
        return INVALID

    return decode


def _date(_constraints: tuple[Any, ...]) -> _Decode:
    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if type(value) is date:  # TOML has dates of its own
            return value
        if type(value) is not str:
            problems.append(_wrong_type(path, msg("a date"), value, date))
            return INVALID
        try:
            if len(value) != len("2027-05-01"):  # fromisoformat takes week dates and compact forms too
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            message = msg("`{path}` is not a date", path=path)
            problems.append(_invalid(path, message, msg("write year-month-day, for example `2027-05-01`")))
            return INVALID

    return decode


_SIMPLE: Mapping[type, Callable[[tuple[Any, ...]], _Decode]] = {str: _text, int: _integer, bool: _truth, date: _date}
