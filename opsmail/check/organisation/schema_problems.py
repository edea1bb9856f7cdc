"""What an organisation's schema found, in words: which field, what is demanded, and never what the file says there.

jsonschema's own messages repeat the values that they complain of, and one of them may be a password in a wrong place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from jsonschema import ValidationError
from jsonschema.exceptions import best_match

from opsmail.check.disclosure import Disclosure
from opsmail.check.interface import Problem
from opsmail.messages import Message, msg
from opsmail.shape import shown

#: Keywords whose errors are about a field by its name, which stands where jsonschema has its message.
_MISSING = frozenset(("required", "dependentRequired", "dependencies"))
_UNWANTED = frozenset(("properties", "patternProperties", "additionalProperties", "propertyNames"))
_MOST_VALUES = 10
_TYPES: Mapping[str, Message] = MappingProxyType(
    {
        "string": msg("text"),
        "integer": msg("a whole number"),
        "number": msg("a number"),
        "boolean": msg("`true` or `false`"),
        "object": msg("a section with fields"),
        "array": msg("a list"),
        "null": msg("empty"),
    }
)
_PLAIN: Mapping[str, Callable[[Message], Message]] = MappingProxyType(
    {
        "uniqueItems": lambda what: msg("{what} holds something twice", what=what),
        "not": lambda what: msg("{what} is as the schema excludes it", what=what),
        "anyOf": lambda what: msg("{what} fits none of the schema's choices", what=what),
    }
)
#: What the keywords demand of `what`, with their value in the schema.
_DEMANDS: Mapping[str, Callable[[Message, Any], Message]] = MappingProxyType(
    {
        "type": lambda what, value: msg("{what} should be {wanted}", what=what, wanted=_type(value)),
        "const": lambda what, value: msg("{what} should be `{value}`", what=what, value=shown(value)),
        "enum": lambda what, value: msg("{what} is none of {values}", what=what, values=_values(value)),
        "pattern": lambda what, value: msg("{what} does not match `{pattern}`", what=what, pattern=shown(value)),
        "format": lambda what, value: msg("{what} is not of the format `{name}`", what=what, name=value),
        "minLength": lambda what, value: msg("{what} has fewer than {count} characters", what=what, count=value),
        "maxLength": lambda what, value: msg("{what} has more than {count} characters", what=what, count=value),
        "minimum": lambda what, value: msg("{what} is less than {limit}", what=what, limit=value),
        "maximum": lambda what, value: msg("{what} is more than {limit}", what=what, limit=value),
        "exclusiveMinimum": lambda what, value: msg("{what} is not more than {limit}", what=what, limit=value),
        "exclusiveMaximum": lambda what, value: msg("{what} is not less than {limit}", what=what, limit=value),
        "multipleOf": lambda what, value: msg("{what} is no multiple of {number}", what=what, number=value),
        "minProperties": lambda what, value: msg("{what} has fewer than {count} fields", what=what, count=value),
        "maxProperties": lambda what, value: msg("{what} has more than {count} fields", what=what, count=value),
        "minItems": lambda what, value: msg("{what} has fewer than {count} elements", what=what, count=value),
        "maxItems": lambda what, value: msg("{what} has more than {count} elements", what=what, count=value),
    }
)


def problem_of(error: ValidationError, file: str, disclosure: Disclosure) -> Problem:
    """Return the problem of an error: where a file fits none of several choices, that of the one it nearly fits.

    Args:
        error: from the whole file.
        file: the schema.
        disclosure: what of the file may be shown.
    """
    cause = best_match([error]) or error
    keyword = str(cause.validator)
    section = ".".join(str(part) for part in cause.absolute_path)
    is_missing, by_name = keyword in _MISSING, keyword in _MISSING | _UNWANTED
    what = _called(section, disclosure)
    if is_missing:
        message = msg("{what} lacks the field `{name}`", what=what, name=shown(cause.message))
    elif by_name:
        message = msg("{what} has a field that the schema does not allow", what=what)
    elif keyword == "oneOf":
        message = _one_of(what, cause)
    elif keyword in _DEMANDS:
        message = _DEMANDS[keyword](what, cause.validator_value)
    elif keyword in _PLAIN:
        message = _PLAIN[keyword](what)
    else:
        message = msg("{what} is not as the schema demands it", what=what)
    return Problem(
        f"{section}.{cause.message}".lstrip(".") if by_name else section,
        message,
        label=msg("lacks a field") if is_missing else msg("not as the schema demands"),
        help=_help(cause.schema, file),
        at_key=by_name,
    )


def _called(path: str, disclosure: Disclosure) -> Message:
    """Return what a field is called: its path, as far as its names may be shown."""
    while path and not disclosure.shows_key(path):
        path = path.rpartition(".")[0]
    return msg("`{path}`", path=path) if path else msg("the file")


def _type(value: str | list[str]) -> Message:
    names = [value] if isinstance(value, str) else value
    first, *others = [_TYPES[name] for name in names]
    for other in others:
        first = msg("{first} or {second}", first=first, second=other)
    return first


def _values(values: list[Any]) -> str:
    told = ", ".join(f"`{shown(value)}`" for value in values[:_MOST_VALUES])
    return told if len(values) <= _MOST_VALUES else f"{told}, …"


def _one_of(what: Message, error: ValidationError) -> Message:
    if error.context:
        return _PLAIN["anyOf"](what)
    return msg("{what} fits more than one of the schema's choices", what=what)


def _help(schema: Any, file: str) -> Message:
    """Return who demands it, with what the schema says of it by itself."""
    said = schema.get("description", schema.get("title")) if isinstance(schema, dict) else None
    if isinstance(said, str) and said.strip():
        return msg("{file} says: {text}", file=file, text=said.strip()[:300])
    return msg("{file} demands it", file=file)
