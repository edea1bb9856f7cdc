"""The published schemas: current, valid in both dialects, and of help in an editor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from opsmail.cli.language import language
from opsmail.cli.schema import SCHEMAS, file_name, schema_text
from tests.published import FOLDER, published, read_json, validate

#: A choice is explained value by value instead of under a title of its own.
_TAGS = {"type", "kind"}


def test_each_schema_is_published_and_nothing_else() -> None:
    languages = (language("en"), language("pt-BR"))
    assert {path.name for path in FOLDER.iterdir()} == {file_name(name, item) for name in SCHEMAS for item in languages}


@pytest.mark.parametrize("name", SCHEMAS)
class TestEach:
    def test_the_committed_file_is_up_to_date(self, name: str) -> None:
        text = (FOLDER / f"{name}.schema.json").read_text("utf-8")
        assert text == schema_text(name), "run `opsmail schema --write schemas`"

    def test_it_is_a_schema_of_both_dialects(self, name: str) -> None:
        schema = published(name)
        assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
        Draft7Validator.check_schema(schema)
        Draft202012Validator.check_schema({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})

    def test_nothing_in_it_is_fetched(self, name: str) -> None:
        assert "$ref" not in json.dumps(published(name))

    def test_its_example_is_valid(self, name: str) -> None:
        (example,) = published(name)["examples"]
        validate(name, example)
        read_json(json.dumps(example))

    def test_every_field_has_a_title_and_a_description(self, name: str) -> None:
        for path, field in fields(published(name)):
            tag = path.rpartition(".")[2] in _TAGS
            if tag and "const" in field:  # one branch of a choice that is explained above it
                continue
            assert field.get("description"), path
            assert tag or field.get("title"), path

    def test_every_example_of_a_field_is_valid(self, name: str) -> None:
        judged = 0
        for path, field in fields(published(name)):
            for example in field.get("examples", ()):
                assert Draft7Validator(field).is_valid(example), path
                judged += 1
        assert judged

    def test_a_document_that_lacks_a_field_or_has_another_is_refused(self, name: str) -> None:
        schema = published(name)
        (example,) = schema["examples"]
        validator = Draft7Validator(schema)
        for field in schema.get("required", ()):
            assert not validator.is_valid({key: item for key, item in example.items() if key != field}), field
        assert validator.is_valid({**example, "unknown": 1}) == (name == "evidence")


def fields(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each field that a schema describes, with its path."""
    for name, field in schema.get("properties", {}).items():
        if field.keys() != {"const"}:  # of a condition
            yield f"{path}.{name}", field
        yield from fields(field, f"{path}.{name}")
    for inner in ("items", "additionalProperties", "contentSchema", "if", "then"):
        if isinstance(schema.get(inner), dict):
            yield from fields(schema[inner], path)
    for branch in ("allOf", "anyOf"):
        for item in schema.get(branch, ()):
            yield from fields(item, path)
