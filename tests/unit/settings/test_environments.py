"""All environments of a settings file at once."""

from __future__ import annotations

import pytest

from opsmail.settings.environments import load_environments
from opsmail.settings.faults import SettingsError
from tests.builders import MemoryFiles

TEXT = b"""\
[environments.production]
gate.max_age = "1h"
[environments.default]
gate.max_age = "2h"
[environments.a]
"""


def test_each_has_its_own_and_the_default_is_first() -> None:
    loaded = load_environments(MemoryFiles({"opsmail.toml": TEXT}))
    assert {name: str(settings.file.gate.max_age) for name, settings in loaded.items()} == {
        "default": "2h",
        "a": "7d",
        "production": "1h",
    }
    assert next(iter(loaded)) == "default"
    assert [settings.environment for settings in loaded.values()] == list(loaded)


def test_without_a_file_there_is_the_default() -> None:
    loaded = load_environments(MemoryFiles({}))
    assert list(loaded) == ["default"]
    assert not loaded["default"].present


def test_a_file_that_only_another_environment_names_has_to_be_there() -> None:
    server = b'servers = [{host = "a.b", connections = ["587/starttls"], authentication = ["basic"], ca = "ca.pem"}]'
    with pytest.raises(SettingsError, match=r"there is no file `ca\.pem`"):
        load_environments(MemoryFiles({"opsmail.toml": b"[environments.production]\n" + server}))
