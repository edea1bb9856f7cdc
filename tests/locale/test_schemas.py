"""The schemas that editors show are in Portuguese too, and judge the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from opsmail.cli.face import run
from opsmail.cli.language import language
from opsmail.cli.schema import FOR_PEOPLE, SCHEMAS, file_name, schema_text
from opsmail.shape.schema import prose
from tests.locale.english import english_in
from tests.published import FOLDER, published

PORTUGUESE = language("pt-BR")


def translated(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.pt-BR.json").read_text("utf-8"))
    return schema


@pytest.mark.skipif(not FOLDER.is_dir(), reason="not a checkout: the schemas are not here")
@pytest.mark.parametrize("name", FOR_PEOPLE)
class TestEach:
    def test_the_committed_file_is_up_to_date(self, name: str) -> None:
        text = (FOLDER / f"{name}.schema.pt-BR.json").read_text("utf-8")
        assert text == schema_text(name, PORTUGUESE), "run `opsmail schema --write schemas --lang pt-BR`"

    def test_only_titles_and_descriptions_differ(self, name: str) -> None:
        assert _without_prose(translated(name)) == _without_prose(published(name))
        assert len(list(prose(translated(name)))) == len(list(prose(published(name))))

    def test_everything_is_portuguese(self, name: str) -> None:
        assert [text for text in prose(translated(name)) if english_in(text)] == []

    def test_its_example_is_valid(self, name: str) -> None:
        schema = translated(name)
        Draft7Validator.check_schema(schema)
        Draft7Validator(schema).validate(schema["examples"][0])


def _without_prose(schema: Any) -> Any:
    """Return a schema without what `prose` yields; a field of that name is a mapping, and stays."""
    if isinstance(schema, list):
        return [_without_prose(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _without_prose(value)
        for name, value in schema.items()
        if not (name in ("title", "description") and isinstance(value, str))
    }


def test_fields_that_are_called_like_keywords_keep_their_names() -> None:
    assert "message" in translated("settings")["properties"]["rules"]["items"]["properties"]


def test_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "operator", "--lang", "pt-BR"]) == 0
    assert capsys.readouterr().out == schema_text("operator", PORTUGUESE)


def test_what_programs_read_is_english(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "plan", "--lang", "pt-BR"]) == 0
    assert capsys.readouterr().out == schema_text("plan")


def test_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--write", str(tmp_path), "--lang", "pt-BR"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {file_name(name, PORTUGUESE) for name in SCHEMAS}
    assert "operator.schema.pt-BR.json" in capsys.readouterr().err
    assert file_name("plan", PORTUGUESE) == "plan.schema.json"
