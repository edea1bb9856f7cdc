from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from opsmail.settings.faults import SettingsError
from opsmail.settings.schema import settings_schema
from tests.builders import SETTINGS, settings_of

SCHEMA = settings_schema()
VALIDATOR = Draft7Validator(SCHEMA)


def data(text: str) -> dict[str, Any]:
    """Return TOML as JSON has it: days are texts."""
    return {key: _plain(value) for key, value in tomllib.loads(text).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float) else value.isoformat()


@pytest.mark.parametrize(
    "text",
    ["", SETTINGS, 'operators = ["a", "b"]', "[environments.production.store]\nurl = 'sqlite:///x.db'"]
    + [f"{SETTINGS}review_by = 2027-06-30\n", '[policy]\nseverity = {OM502 = "error"}'],
)
def test_good_settings(text: str) -> None:
    settings_of(text)
    assert [error.message for error in VALIDATOR.iter_errors(data(text))] == []


def test_the_example_and_the_repositorys_own() -> None:
    (example,) = SCHEMA["examples"]
    own = (Path(__file__).parents[3] / "opsmail.toml").read_text("utf-8")
    for document in (example, data(own)):
        assert [error.message for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize(
    "text",
    [
        "polcy = 1",
        "operators = 1",
        "[gate]\nmax_age = '7 days'",
        "[environments.a.policy]\nignore = []",
        "[policy]\nx = 1",
    ]
    + [
        SETTINGS.replace("starttls", "tls"),
        SETTINGS.replace("host", "hosts"),
        "[environments.a.store]\nmax_changes = 0",
    ],
)
def test_wrong_ones(text: str) -> None:
    with pytest.raises(SettingsError):
        settings_of(text)
    assert not VALIDATOR.is_valid(data(text))
