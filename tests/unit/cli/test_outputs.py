"""`--format`: what is asked for, and files written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opsmail.cli.console import Console
from opsmail.cli.outputs import Output, parse_outputs
from opsmail.errors import UnavailableError, UsageError

KNOWN = ("text", "json")


def test_what_is_asked_for() -> None:
    assert parse_outputs(["text", "json:out/a:b.json"], KNOWN) == [
        Output("text", None),
        Output("json", Path("out/a:b.json")),
    ]
    assert parse_outputs([r"json:C:\out\a.json"], KNOWN) == [Output("json", Path(r"C:\out\a.json"))]
    assert parse_outputs(["json:"], KNOWN) == [Output("json", None)]


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["yaml"], "there is no format `yaml`"),
        ([""], "there is no format ``"),
        (["text", "json"], "two formats would go to standard output"),
        (["text:a", "json:a"], "two formats would go to one file"),
        (["text:a", "json:b/../a"], "two formats would go to one file"),
    ],
)
def test_what_makes_no_sense(texts: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        parse_outputs(texts, KNOWN)
    assert caught.value.hint is not None


def test_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    Output("text", None).write(Console(), "ação\n")
    assert capsys.readouterr().out == "ação\n"


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("before")
    with file.open() as held:
        Output("json", file).write(Console(), "ação \udcff\n")
        assert held.read() == "before"
    assert file.read_text("utf-8") == "ação \\udcff\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_file_is_never_painted() -> None:
    always = Console(color="always")
    assert not Output("text", Path("a")).style(always).color
    assert Output("text", None).style(always).color
    assert not Output("text", None).style(Console(color="never")).color


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "folder").mkdir()
    for name, reason in (("none/a", "No such file"), ("link", "it is a link"), ("folder", "Is a directory")):
        with pytest.raises(UnavailableError, match=f"cannot be written: {reason}"):
            Output("text", tmp_path / name).write(Console(), "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "link"]


def test_a_device_is_written_to_as_it_is(tmp_path: Path) -> None:
    Output("text", Path(os.devnull)).write(Console(), "x")
    assert not Path(os.devnull).is_file()
