import json
from pathlib import Path

import pytest

from opsmail.cli.face import run

NAMES = ["operator", "settings", "findings", "test-results", "plan", "evidence"]


def test_their_names(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    assert capfd.readouterr().out.split() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_one_is_printed(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", name]) == 0
    assert json.loads(capfd.readouterr().out)["$schema"] == "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize(
    ("arguments", "files"),
    [((), [f"{name}.schema.json" for name in NAMES]), (("settings",), ["settings.schema.json"])],
)
def test_they_are_written(
    arguments: tuple[str, ...], files: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["schema", *arguments, "--write", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)
    assert capfd.readouterr().err.splitlines() == [f"wrote {tmp_path / name}" for name in files]


@pytest.mark.parametrize("arguments", [("opertor",), ("--write", "/nowhere")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert run(["schema", *arguments]) == 2
