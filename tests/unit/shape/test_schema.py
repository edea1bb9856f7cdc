from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from jsonschema import Draft7Validator

from opsmail.constraints import AnyLength, Doc, Length, OneOrMany, Parsed, Pattern, Range
from opsmail.messages import msg
from opsmail.shape.schema import json_schema, section_schema


class Colour(StrEnum):
    """Of things."""

    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Cat:
    """It purrs."""

    kind: Literal["cat"]
    name: Annotated[str, Doc("Name", "What it is called.", ("Mia",))]


@dataclass(frozen=True, kw_only=True)
class Dog:
    """It barks."""

    kind: Literal["dog"]


@dataclass(frozen=True, kw_only=True)
class Everything:
    """One of each."""

    text: str
    word: Annotated[str, Pattern("[a-z]+", msg("a word"), "a")]
    short: Annotated[str, Length(0, 3)] = ""
    port: Annotated[int, Range(1, 9), Doc("Port", "A small one.")] = 5
    colour: Annotated[Colour, Doc("Colour", "Any.", ("red",))] = Colour.RED
    plain: Colour | None = None
    day: date | None = None
    folders: Annotated[tuple[str, ...], OneOrMany()] = ("a",)
    pair: Annotated[int, Parsed(int, msg("a number"), "1", "[0-9]+")] | None = None
    pet: Annotated[Cat | Dog, Doc("Pet", "Either.")] | None = None
    labels: Mapping[Annotated[str, Pattern("[a-z]+", msg("a word"), "a")], int] = field(default_factory=dict)


SCHEMA = json_schema(Everything, title="T", description="D", example={"text": "a", "word": "b"})
FIELDS = SCHEMA["properties"]


def test_the_head() -> None:
    assert list(SCHEMA)[:4] == ["$schema", "title", "description", "examples"]
    assert (SCHEMA["title"], SCHEMA["description"]) == ("T", "D")
    assert SCHEMA["required"] == ["text", "word"]
    Draft7Validator.check_schema(SCHEMA)


def test_texts() -> None:
    assert FIELDS["text"] == {"type": "string", "minLength": 1, "maxLength": 1000}
    assert FIELDS["word"] == {"type": "string", "pattern": "^(?:[a-z]+)$"}
    assert FIELDS["short"] == {"type": "string", "minLength": 0, "maxLength": 3, "default": ""}
    assert FIELDS["pair"] == {"type": ["string", "null"], "pattern": "^(?:[0-9]+)$"}
    assert FIELDS["day"] == {"type": ["string", "null"], "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


def test_what_is_said_of_a_field_stands_with_it() -> None:
    assert FIELDS["port"] == {
        "type": "integer", "minimum": 1, "maximum": 9, "title": "Port", "description": "A small one.", "default": 5,
    }  # fmt: skip
    assert FIELDS["colour"] == {
        "type": "string", "enum": ["red"], "title": "Colour", "description": "Any.", "examples": ["red"],
        "default": "red",
    }  # fmt: skip


def test_one_or_many() -> None:
    one = {"type": "string", "minLength": 1, "maxLength": 1000}
    assert FIELDS["folders"] == {"anyOf": [one, {"type": "array", "items": one}]}


def test_mappings() -> None:
    assert FIELDS["labels"] == {
        "type": "object",
        "propertyNames": {"type": "string", "pattern": "^(?:[a-z]+)$"},
        "additionalProperties": {"type": "integer"},
    }


def test_a_choice_that_may_be_left_empty() -> None:
    validator = Draft7Validator(SCHEMA)
    good = {"text": "a", "word": "b"}
    pets: list[tuple[object, bool]] = [
        (None, True),
        ({"kind": "dog"}, True),
        ({"kind": "cat", "name": "Mia"}, True),
        ({}, False),
        ({"kind": "cow"}, False),
        ({"kind": "cat"}, False),
        ({"kind": "dog", "name": "Rex"}, False),
        (5, False),
    ]
    assert [(pet, validator.is_valid({**good, "pet": pet})) for pet, _ in pets] == pets
    assert FIELDS["pet"]["title"] == "Pet"


def test_a_word_that_may_be_left_empty() -> None:
    validator = Draft7Validator(FIELDS["plain"])
    assert [validator.is_valid(value) for value in ("red", None, "blue", 1)] == [True, True, False, False]


@dataclass(frozen=True, kw_only=True)
class Written:
    """What is written.

    The rest of a docstring is for readers of the code.
    """

    text: Annotated[str, AnyLength()]
    needed: Annotated[int, Doc("Needed", "Or null.")] | None
    inner: Cat


def test_what_opsmail_writes() -> None:
    schema = section_schema(Written)
    assert schema["description"] == "What is written."
    assert schema["required"] == ["text", "needed", "inner"]
    assert schema["properties"]["text"] == {"type": "string", "minLength": 0}
    assert schema["properties"]["needed"]["type"] == ["integer", "null"]


def test_sections_are_closed_or_open_all_through() -> None:
    for closed in (True, False):
        schema = section_schema(Written, closed=closed)
        assert schema["additionalProperties"] is not closed
        assert schema["properties"]["inner"]["additionalProperties"] is not closed
