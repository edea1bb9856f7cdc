"""`check -`: the text of an editor in the place of a file."""

from __future__ import annotations

import contextlib
import io
import os
import pty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opsmail.output.findings import FORMATS
from opsmail.source.tree import MAX_BYTES
from tests.builders import edited, operator_text, write_files
from tests.unit.cli.running import Check

Give = Callable[[bytes], None]


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Give]:
    """Give bytes to standard input."""
    path = tmp_path_factory.mktemp("input") / "text"
    with contextlib.ExitStack() as opened:

        def give(content: bytes) -> None:
            path.write_bytes(content)
            monkeypatch.setattr("sys.stdin", opened.enter_context(path.open(encoding="utf-8")))

        yield give


@pytest.fixture(autouse=True)
def fleet(repository: Path) -> None:
    """The file on disk is wrong, and there is no master beside it."""
    write_files(repository, {"operators/rh.yaml": edited("port: 587", "port: 465")})


def standard(**sections: object) -> bytes:
    return operator_text(role="standard", **sections).encode()


def test_it_takes_the_place_of_the_file(check: Check, give: Give) -> None:
    give(standard())
    assert check("-", "--stdin-filename", "operators/rh.yaml") == 0
    assert check.out == "no findings in 1 operator\n"
    assert check.err == ""


def test_findings_stand_in_the_given_text(check: Check, give: Give) -> None:
    give(b"# a comment\n" + standard(server={"port": 465}))
    assert check("-", "--stdin-filename", "operators/x/novo.yaml") == 1
    assert "--> operators/x/novo.yaml:3:11" in check.out  # the operator has another name
    assert "--> operators/x/novo.yaml:9:9" in check.out
    assert " 9 |   port: 465" in check.out


def test_without_a_name_it_is_the_operators_file(check: Check, give: Give) -> None:
    for text, path in (
        (standard(operator="ti"), "operators/ti.yaml"),
        (standard(operator="TI"), "operators/stdin.yaml"),
        (b"a: [", "operators/stdin.yaml"),
        (b"a: b", "operators/stdin.yaml"),
    ):
        give(text)
        assert {finding["file"] for finding in check.json("-")["findings"]} == {path}, text


def test_from_a_folder_below(check: Check, give: Give, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "operators")
    give(standard(server={"port": 465}))
    (finding,) = check.json("-", "--stdin-filename", "rh.yaml")["findings"]
    assert finding["file"] == "operators/rh.yaml"


def test_what_a_fix_would_change_is_shown(check: Check, give: Give, repository: Path) -> None:
    before = (repository / "operators/rh.yaml").read_bytes()
    give(standard(server={"port": 465}))
    assert check("-", "--diff", "--unsafe-fixes") == 1
    assert "-  port: 465\n+  port: 587\n" in check.out
    assert (repository / "operators/rh.yaml").read_bytes() == before


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_works_without_the_file(check: Check, give: Give, format_: str) -> None:
    give(standard(operator="novo", server={"port": 465}, authentication={"password": "env://OPSMAIL_SECRET_NOVO"}))
    assert check("-", "--format", format_) == 1
    assert "OM201" in check.out
    assert check.err == ""


def test_outputs_read_the_text_again_and_other_files_from_disk(check: Check, give: Give, repository: Path) -> None:
    write_files(repository, {"waivers.yaml": "- {operator: novo}\n"})
    sections = {"server": {"port": 465}, "authentication": {"password": "env://OPSMAIL_SECRET_NOVO"}}
    give(standard(operator="novo", **sections))
    check("-", "--format", "sarif")
    assert check.out.count('"primaryLocationLineHash"') == check.out.count('"ruleId"') > 1


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"x" * MAX_BYTES + b"y", "OM007"),
        (b"", "OM001"),
        (b"\xff\xfe\x00", "OM006"),
        (b"\x00\x01", "OM010"),
        (b"- a", "OM004"),
    ],
)
@pytest.mark.parametrize("format_", ["json", "sarif"])
def test_any_bytes(check: Check, give: Give, content: bytes, rule: str, format_: str) -> None:
    give(content)
    assert check("-", "--format", format_) == 1
    assert rule in check.out


def test_no_more_is_read_than_a_file_may_hold(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/zero").open(encoding="utf-8") as endless:
        monkeypatch.setattr("sys.stdin", endless)
        assert check.rules("-") == ["OM007"]


def test_a_name_that_operator_files_do_not_have(check: Check, give: Give) -> None:
    give(standard())
    assert check.rules("-", "--stdin-filename", "operators/RH.yaml") == ["OM008"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("-", "operators"), "standard input and paths do not go together"),
        (("--stdin-filename", "operators/rh.yaml"), "--stdin-filename is for standard input"),
        (("operators/rh.yaml", "--stdin-filename", "operators/rh.yaml"), "--stdin-filename is for standard input"),
        (("-", "--stdin-filename", ""), "a path is empty"),
        (("-", "--watch"), "standard input cannot be watched"),
        (("-", "--fix"), "standard input cannot be fixed"),
    ],
)
def test_what_does_not_go_together(check: Check, give: Give, arguments: tuple[str, ...], sentence: str) -> None:
    give(standard())
    assert check(*arguments) == 2
    assert check.out == ""
    first, second = check.err.splitlines()
    assert first == f"error: {sentence}"
    assert second.startswith("hint: ")


def test_it_is_closed(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert check("-") == 4
    assert check.err.startswith("error: standard input cannot be read: it is closed\nhint: ")


def test_it_is_no_file_at_all(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert check("-") == 4
    assert check.err.startswith("error: standard input cannot be read: fileno\n")


def test_a_pipe_that_does_not_wait(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, standard())
    os.set_blocking(reading, False)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        assert check("-") == 4  # half a file is no file
    os.close(writing)
    assert check.err.startswith("error: standard input cannot be read: Resource temporarily unavailable\n")


def test_a_terminal_is_told_what_to_do(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard, terminal = pty.openpty()
    os.write(keyboard, standard() + b"\x04")
    with os.fdopen(terminal, encoding="utf-8") as file:
        monkeypatch.setattr("sys.stdin", file)
        assert check("-") == 0
    os.close(keyboard)
    assert check.err == "type the operator file, then Ctrl-D on a line of its own\n"
