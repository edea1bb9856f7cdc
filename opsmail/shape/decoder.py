"""Plain data to frozen dataclasses.

Decoding is done here and not by pydantic because every problem of a file has to be told at once with its place and the
nearest known name, and because importing pydantic costs more than checking a file.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar, Union

from opsmail.constraints import OneOrMany, Parsed, Recurring
from opsmail.messages import msg
from opsmail.shape.leaves import INVALID, LEAVES, Decode, choice, parsed_text
from opsmail.shape.problems import Problem, foreign, join, missing, not_among, strange, wrong_type

T = TypeVar("T")
#: So many values of a recurring section are remembered; fleets have a few.
_REMEMBERED = 1024


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


def _field(annotation: Any) -> Decode:
    """Return the decoder of one annotation."""
    constraints: Sequence[Any] = ()
    if typing.get_origin(annotation) is Annotated:
        annotation, *constraints = typing.get_args(annotation)
    parsed = next((item for item in constraints if isinstance(item, Parsed)), None)
    if parsed is not None:
        return parsed_text(parsed)
    if any(isinstance(item, Recurring) for item in constraints):
        return _recurring(_field(annotation))
    if typing.get_origin(annotation) is not None:
        return _composed(annotation, constraints)
    if issubclass(annotation, StrEnum):
        return choice({item.value: item for item in annotation})
    return _section(annotation) if dataclasses.is_dataclass(annotation) else LEAVES[annotation](constraints)


def _composed(annotation: Any, constraints: Sequence[Any]) -> Decode:
    """Return the decoder of an annotation that is made of others."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return choice({item: item for item in arguments})
    if origin is tuple:
        return _list(_field(arguments[0]), or_one=any(isinstance(item, OneOrMany) for item in constraints))
    if origin in (Union, types.UnionType):
        members = [item for item in arguments if item is not types.NoneType]
        inner = _field(members[0]) if len(members) == 1 else _tagged(members)
        return inner if len(members) == len(arguments) else _optional(inner)
    return _mapping(_field(arguments[0]), _field(arguments[1]))


def _section(target: Any) -> Decode:
    """Return the decoder of a dataclass; made when there is something to decode: many sections are optional."""
    made: Decode | None = None

    def decode(data: Any, path: str, problems: list[Problem]) -> Any:
        nonlocal made
        if made is None:
            made = _fields(target)
        return made(data, path, problems)

    return decode


def _fields(target: Any) -> Decode:
    hints = typing.get_type_hints(target, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(target)}
    decoders = {name: _field(hints[name]) for name in fields}
    required = {
        name: None
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    known = list(fields)

    def decode(data: Any, path: str, problems: list[Problem]) -> Any:
        if type(data) is not dict:
            problems.append(wrong_type(path, msg("a section with fields"), data, dict))
            return INVALID
        prefix = f"{path}." if path else ""
        values = {}
        complete = True
        strangers: list[str] = []
        for key, item in data.items():
            decoder = decoders.get(key)
            if decoder is None:
                strangers.append(key)
                continue
            value = decoder(item, prefix + key, problems)
            if value is INVALID:
                complete = False
            else:
                values[key] = value
        meant: list[str | None] = []
        if strangers:
            found = strange(strangers, path, known)
            meant = [problem.nearest for problem in found]
            problems.extend(found)
        if not required.keys() <= data.keys():
            complete = False
            absent = (name for name in required if name not in data and name not in meant)
            problems.extend(missing(name, path) for name in absent)
        return target(**values) if complete else INVALID

    return decode


def _recurring(inner: Decode) -> Decode:
    """Decode a section, and remember the value: where the same stands again, the same value is returned."""
    known: dict[object, Any] = {}

    def decode(data: Any, path: str, problems: list[Problem]) -> Any:
        try:
            # 1, 1.0 and true are alike as keys.
            key = (tuple(data.items()), tuple(map(type, data.values())))
            value = known.get(key)
        except (AttributeError, TypeError):  # no section, or one that holds others
            return inner(data, path, problems)
        if value is None:
            count = len(problems)
            value = inner(data, path, problems)
            if len(problems) == count:
                if len(known) >= _REMEMBERED:
                    known.clear()
                known[key] = value
        return value

    return decode


def _optional(inner: Decode) -> Decode:
    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        return None if value is None else inner(value, path, problems)

    return decode


def _tagged(members: list[Any]) -> Decode:
    """Decode a union of dataclasses which is told apart by the one field that is a single-valued `Literal` in each."""
    hints = [typing.get_type_hints(member) for member in members]
    tag = next(name for name, hint in hints[0].items() if typing.get_origin(hint) is Literal)
    tags = [typing.get_args(hint[tag])[0] for hint in hints]
    by_tag = {value: _section(member) for value, member in zip(tags, members, strict=True)}
    owners: dict[str, list[str]] = {}
    for value, hint in zip(tags, hints, strict=True):
        for name in hint:
            owners.setdefault(name, []).append(value)
    others = {value: owners.keys() - hint.keys() for value, hint in zip(tags, hints, strict=True)}

    def decode(data: Any, path: str, problems: list[Problem]) -> Any:
        if type(data) is not dict:
            problems.append(wrong_type(path, msg("a section with fields"), data, dict))
            return INVALID
        if tag not in data:
            problems.append(missing(tag, path))
            return INVALID
        value = data[tag]
        section = by_tag.get(value) if isinstance(value, str) else None
        if section is None:
            problems.append(not_among(value, join(path, tag), tags))
            return INVALID
        if not others[value].isdisjoint(data):
            strays = [name for name in data if name in others[value]]
            problems.extend(foreign(name, path, tag, value, owners[name]) for name in strays)
            data = {name: item for name, item in data.items() if name not in strays}
        return section(data, path, problems)

    return decode


def _list(inner: Decode, *, or_one: bool) -> Decode:
    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if or_one and isinstance(value, str):
            one = inner(value, path, problems)
            return INVALID if one is INVALID else (one,)
        if type(value) is not list:
            problems.append(wrong_type(path, msg("a list"), value, list))
            return INVALID
        items = [inner(item, f"{path}.{index}", problems) for index, item in enumerate(value)]
        return INVALID if any(item is INVALID for item in items) else tuple(items)

    return decode


def _mapping(name: Decode, inner: Decode) -> Decode:
    def decode(value: Any, path: str, problems: list[Problem]) -> Any:
        if type(value) is not dict:
            problems.append(wrong_type(path, msg("a section with fields"), value, dict))
            return INVALID
        items = {}
        complete = True
        for key, item in value.items():
            where = f"{path}.{key}"
            known, meant = name(key, where, problems), inner(item, where, problems)
            if known is INVALID or meant is INVALID:
                complete = False
            else:
                items[known] = meant
        return items if complete else INVALID

    return decode
