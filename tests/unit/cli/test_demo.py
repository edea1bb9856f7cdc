"""`opsmail demo` where it cannot go on, and where it is to leave its folder."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from opsmail.cli.demo.story import Story
from opsmail.cli.face import run


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything it makes is made here."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_without_a_package(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "trustme" else find(name))
    assert run(["demo"]) == 4
    said = capsys.readouterr().err
    assert "the demonstration needs the package trustme" in said
    assert "pip install 'opsmail[demo]'" in said
    assert list(temporary.iterdir()) == []


def test_without_git(temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert run(["demo"]) == 4
    assert "the demonstration needs git" in capsys.readouterr().err
    assert list(temporary.iterdir()) == []


def test_its_folder_is_kept_where_that_is_asked_for(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Story, "tell", lambda story: (story.folder / "opsmail.toml").write_text(""))
    assert run(["demo", "--keep"]) == 0
    (folder,) = temporary.iterdir()
    assert [path.name for path in folder.iterdir()] == ["opsmail.toml"]
    assert f"the demonstration is in {folder}" in "".join(capsys.readouterr())


def test_each_step_does_what_it_says(temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo"]) == 0
    said = capsys.readouterr()
    assert said.out.count("$ opsmail ") > 6
    assert "published generation 1" in said.out
    assert list(temporary.iterdir()) == []


def test_a_step_that_does_not_do_what_it_says_ends_it(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Story, "_replace", lambda *_arguments: None)  # nothing is mended
    assert run(["demo"]) == 1
    said = capsys.readouterr()
    assert said.out.count("$ opsmail check") == 2
    assert "the demonstration failed: `opsmail check` ends with 0, but it ended with 1" in said.err
    assert list(temporary.iterdir()) == []
