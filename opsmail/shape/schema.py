"""JSON Schemas of annotated dataclasses, made with pydantic and finished for editors.

Editors' YAML servers understand draft-07, so the schemas hold under draft-07 and under 2020-12 alike. Imported by what
writes schemas only: pydantic takes longer to load than a file to check.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from gettext import NullTranslations
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from opsmail.constraints import DEFAULT_LENGTH

_DIALECT = "http://json-schema.org/draft-07/schema#"
_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_DEFINITION = "#/$defs/"
#: Keywords for people.
_PROSE = ("title", "description")
#: Keywords that hold values, not schemas.
_VALUES = frozenset(("default", "examples", "enum", "const"))


def json_schema(target: type, *, title: str, description: str, example: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a file that `target`, an annotated dataclass, describes.

    Args:
        target: the dataclass; its annotations may carry the metadata of `opsmail.constraints`.
        title: a few words.
        description: a sentence or two.
        example: a whole file.
    """
    head = schema_head(title=title, description=description, example=example)
    return {**head, **{name: value for name, value in section_schema(target).items() if name not in head}}


def schema_head(*, title: str, description: str, example: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a published schema starts with; see `json_schema`."""
    return {"$schema": _DIALECT, "title": title, "description": description, "examples": [example]}


def section_schema(target: type, *, closed: bool = True) -> dict[str, Any]:
    """Return the schema of a section that `target`, an annotated dataclass, describes.

    Args:
        target: the dataclass; its annotations may carry the metadata of `opsmail.constraints`.
        closed: whether fields that it does not have are refused.
    """
    schema = TypeAdapter(target).json_schema(schema_generator=_Generator if closed else _OpenGenerator)
    definitions = schema.pop("$defs", {})
    finished: dict[str, Any] = _Finisher(definitions).finish(schema)
    return finished


def prose(schema: Any) -> Iterator[str]:
    """Yield what a schema says to people: titles and descriptions."""
    for part in _parts(schema):
        yield from (part[word] for word in _PROSE if isinstance(part.get(word), str))


def translated(schema: Any, language: NullTranslations) -> Any:
    """Return a schema with its titles and descriptions in `language`; whatever is compared stays as it is."""
    result = copy.deepcopy(schema)
    for part in _parts(result):
        part.update({word: language.gettext(part[word]) for word in _PROSE if isinstance(part.get(word), str)})
    return result


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield a schema and those in it, fields' names and values left out."""
    if isinstance(schema, list):
        for item in schema:
            yield from _parts(item)
    elif isinstance(schema, dict):
        yield schema
        for keyword, value in schema.items():
            if keyword == "properties":
                yield from _parts(list(value.values()))
            elif keyword not in _VALUES:
                yield from _parts(value)


class _Generator(GenerateJsonSchema):
    """pydantic's schemas, as strict as `opsmail.shape.Decoder`."""

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return {**_summarised(_untitled(super().dataclass_schema(schema))), "additionalProperties": False}

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        return _untitled(super().enum_schema(schema))

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        result = super().str_schema(schema)
        if result.keys() & {"pattern", "minLength", "maxLength"}:
            return result
        return {**result, "minLength": DEFAULT_LENGTH.minimum, "maxLength": DEFAULT_LENGTH.maximum}

    def date_schema(self, schema: core_schema.DateSchema) -> JsonSchemaValue:
        # Validators check formats only when asked to.
        return {**super().date_schema(schema), "pattern": _DAY}

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        names = self.generate_inner(schema["keys_schema"])
        values = self.generate_inner(schema["values_schema"])
        return {"type": "object", "propertyNames": names, "additionalProperties": values}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        if "type" in inner:  # one hover text instead of a choice
            return {**inner, "type": [inner["type"], "null"]}
        return {"anyOf": [inner, {"type": "null"}]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        result = super().default_schema(schema)
        if not isinstance(result.get("default"), str | int):  # an editor would write nulls and whole sections out
            result.pop("default", None)
        return result

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        return value  # in the order of the fields


class _OpenGenerator(_Generator):
    """The same for sections whose unknown fields are passed over."""

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return {**super().dataclass_schema(schema), "additionalProperties": True}


def _summarised(schema: JsonSchemaValue) -> JsonSchemaValue:
    """Return a schema with the first paragraph of its docstring; the rest is for readers of the code."""
    return {**schema, "description": schema["description"].split("\n\n", 1)[0]}


def _untitled(schema: JsonSchemaValue) -> JsonSchemaValue:
    """Return a schema without its title, the name of a class."""
    return {name: value for name, value in schema.items() if name != "title"}


class _Finisher:
    """Writes choices so that a validator names the one mistake, and puts small definitions where they are used.

    Args:
        definitions: by name.
    """

    def __init__(self, definitions: Mapping[str, JsonSchemaValue]) -> None:
        self._definitions = definitions

    def finish(self, schema: Any) -> Any:
        if isinstance(schema, list):
            return [self.finish(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        around = {name: value for name, value in schema.items() if name not in ("$ref", "allOf", "anyOf")}
        if "$ref" in schema:
            return self.finish(self._referred(schema))
        if "allOf" in schema:  # a reference with what is said of it here, see `constraints.Doc`
            return self.finish({**self._referred(schema["allOf"][0]), **around})
        if "anyOf" in schema:
            return {**around, **self._choice(schema["anyOf"])}
        return {name: value if name in _VALUES else self.finish(value) for name, value in schema.items()}

    def _choice(self, choices: list[JsonSchemaValue]) -> JsonSchemaValue:
        if all("$ref" in choice for choice in choices):
            return self._tagged([self._referred(choice) for choice in choices])
        first, *others = self.finish(choices)
        if others == [{"type": "null"}]:
            words = {"enum": [*first["enum"], None]} if "enum" in first else {}
            return {**first, "type": [first["type"], "null"], **words}
        return {"anyOf": [first, *others]}

    def _referred(self, reference: JsonSchemaValue) -> JsonSchemaValue:
        return self._definitions[reference["$ref"].removeprefix(_DEFINITION)]

    def _tagged(self, choices: list[JsonSchemaValue]) -> JsonSchemaValue:
        """Return a union of sections as conditions on the field that tells them apart."""
        tag: str = next(name for name, field in choices[0]["properties"].items() if "const" in field)
        values = [choice["properties"][tag]["const"] for choice in choices]
        explained = [f"`{value}`: {choice['description']}" for value, choice in zip(values, choices, strict=True)]
        return {
            "type": "object",
            "required": [tag],
            "properties": {tag: {"type": "string", "enum": values, "description": "\n".join(explained)}},
            "allOf": [
                {
                    "if": {"properties": {tag: {"const": value}}, "required": [tag]},
                    "then": {
                        name: item for name, item in self.finish(choice).items() if name not in ("type", "description")
                    },
                }
                for value, choice in zip(values, choices, strict=True)
            ],
        }
