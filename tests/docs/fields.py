"""The fields of a document that a JSON Schema describes, as Markdown tables: one for each section."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]


@dataclass
class Section:
    """A mapping of the document.

    Args:
        name: as its fields are written: `server`, `authentication` with `type: basic`.
        text: what it is.
        rows: a cell each for the field's name, whether it has to be there, what it takes, and what it means.
    """

    name: str
    text: str
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)


def sections(schema: Schema, top: str) -> Iterator[Section]:
    """Yield the document's own fields, then the sections below, in the order of the file.

    Args:
        schema: of the whole document; without `$ref`, as opsmail's own are.
        top: what the first section is called.
    """
    yield from _mapping(schema, top, path="")


def table(section: Section) -> str:
    """Return a section's fields as a table."""
    head = "| field | | takes | meaning |\n|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in section.rows)


def _mapping(schema: Schema, name: str, path: str, *, variant: str | None = None) -> Iterator[Section]:
    section = Section(name, str(schema.get("description", "")))
    below: list[Iterator[Section]] = []
    required = schema.get("required", ())
    for key, value in schema["properties"].items():
        if key == variant:  # the section's name says it
            continue
        inner, where = _inner(value), f"{path}.{key}" if path else key
        if "properties" in inner:
            below.append(_mapping(inner, f"`{where}`{_each(value)}", where))
        section.rows.append((f"`{key}`", "required" if key in required else "", takes(value), _meaning(value)))
    yield section
    for item in below:
        yield from item
    for choice in schema.get("allOf", ()):
        then = choice["then"]
        ((key, condition),) = choice["if"]["properties"].items()
        if set(then["properties"]) != {key}:
            yield from _mapping(then, f"`{path}` with `{key}: {condition['const']}`", path, variant=key)


def _inner(schema: Schema) -> Schema:
    """Return what a list consists of; anything else is itself."""
    inner: Schema = schema.get("items", schema)
    return inner


def _each(schema: Schema) -> str:
    return ", each" if "items" in schema else ""


def takes(schema: Schema) -> str:
    """Return which values a field takes, in words."""
    if "const" in schema:
        return _code(schema["const"])
    if "enum" in schema:
        return ", ".join(map(_code, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(map(takes, schema["anyOf"]))
    if "items" in schema:
        return "list of sections" if "properties" in schema["items"] else f"list of: {takes(schema['items'])}"
    return _plain(schema)


def _plain(schema: Schema) -> str:
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "integer":
        return f"{schema['minimum']} to {schema['maximum']}" if "minimum" in schema else "number"
    if kind == "object":
        return "section, see below" if "properties" in schema else "names and values"
    if schema.get("format") == "date":
        return "date"
    return {"boolean": "`true`, `false`", "string": "text"}[kind]


def _meaning(schema: Schema) -> str:
    parts = [str(schema.get("description", ""))]
    if "default" in schema:
        parts.append(f"Default: {_code(schema['default'])}.")
    elif schema.get("examples"):
        parts.append(f"Example: {_code(schema['examples'][0])}.")
    return " ".join(filter(None, parts))


def _code(value: object) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
