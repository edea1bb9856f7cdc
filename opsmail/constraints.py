"""What a field's annotation may demand beyond its type, for `opsmail.shape` and, in JSON Schemas, for pydantic.

pydantic calls the `__get_pydantic_…__` methods; nothing here imports it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from typing import Any, NamedTuple

from opsmail.expressions import expression
from opsmail.messages import Message
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text that matches a regular expression as a whole.

    Args:
        expression: without anchors; valid for Python and ECMAScript alike.
        wanted: what the text should be, as it completes "is not …".
        example: a text that matches.
    """

    expression: str
    wanted: Message
    example: str
    compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", expression(self.expression))

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {**handler(source), "pattern": f"^(?:{self.expression})$"}


class Length(NamedTuple):
    """Text of `minimum` to `maximum` characters (code points)."""

    minimum: int
    maximum: int

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {**handler(source), "min_length": self.minimum, "max_length": self.maximum}


#: Of a text whose annotation names none: no field may be empty, and none holds a novel.
DEFAULT_LENGTH = Length(1, 1000)


@dataclass(frozen=True, slots=True)
class AnyLength:
    """Text of any length, empty too: of what opsmail writes, never of what it reads."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {**handler(source), "min_length": 0}


class Range(NamedTuple):
    """A whole number from `minimum` to `maximum`, both included."""

    minimum: int
    maximum: int

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {**handler(source), "ge": self.minimum, "le": self.maximum}


@dataclass(frozen=True, slots=True)
class OneOrMany:
    """A list of texts, or its only element by itself."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        many = handler(source)
        return {"type": "union", "choices": [many["items_schema"][0], many]}


class Parsed(NamedTuple):
    """A value written as text.

    Args:
        parse: text to value; raises ValueError.
        wanted: what the text should be, as it completes "is not …".
        example: a text that parses.
        expression: what editors can check of it, without anchors.
    """

    parse: Callable[[str], Any]
    wanted: Message
    example: str
    expression: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {
            "type": "function-after",
            "function": {"type": "no-info", "function": self.parse},
            "schema": {"type": "str", "strict": True, "pattern": f"^(?:{self.expression})$"},
        }


class Recurring:
    """A section that is the same in many files, so that one value of it serves them all."""


class Doc(NamedTuple):
    """What editors show on hover.

    Args:
        title: a few words.
        description: a sentence or two.
        examples: values that are valid here.
    """

    title: str
    description: str
    examples: tuple[Any, ...] = ()

    def __get_pydantic_json_schema__(self, schema: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        result = dict(handler(schema))
        documentation: dict[str, Any] = {"title": self.title, "description": self.description}
        if self.examples:
            documentation["examples"] = list(self.examples)
        # draft-07 ignores what stands beside a `$ref`.
        return {**documentation, "allOf": [result]} if "$ref" in result else {**result, **documentation}
