"""Annotations, read back as the runner reads them (actions/runner, ActionCommand.TryParseV2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from inline_snapshot import external_file

from opsmail.findings import FIRST_CHARACTER, Severity
from opsmail.messages import msg
from opsmail.output.escape import for_terminal
from tests.unit.output.findings.naughty import NAUGHTY
from tests.unit.output.findings.reports import FINDINGS, RICH, hostile, render, report_of


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    data: str


def read(line: str) -> Command:
    """Read a workflow command; the order of unescaping is the runner's, the percent sign last."""
    assert line.startswith("::")
    head, separator, data = line[2:].partition("::")
    assert separator
    name, _, rest = head.partition(" ")
    pairs = (pair.split("=", 1) for pair in rest.strip().split(",") if pair)
    properties = {pair[0]: unescape(pair[1], (("%3A", ":"), ("%2C", ","))) for pair in pairs if pair[1:] != [""]}
    return Command(name, properties, unescape(data, ()))


def unescape(text: str, more: tuple[tuple[str, str], ...]) -> str:
    for escaped, sign in (("%0D", "\r"), ("%0A", "\n"), *more, ("%25", "%")):
        text = text.replace(escaped, sign)
    return text


def test_all_of_it() -> None:
    assert render("github", RICH) == external_file("golden/github.txt")


def test_a_command_is_read_back() -> None:
    line = next(line for line in render("github", RICH).splitlines() if "ação" in line)
    assert read(line) == Command(
        "error",
        {
            "file": "operators/ação 1.yaml",
            "line": "1",
            "endLine": "1",
            "col": "1",
            "endColumn": "1",
            "title": "OM001 unreadable-file",
        },
        "the file is a link",
    )


@pytest.mark.case("X-01", "X-02")
@pytest.mark.parametrize("text", NAUGHTY)
def test_no_text_changes_a_command(text: str) -> None:
    lines = render("github", hostile(text)).split("\n")
    assert lines.pop() == ""
    commands = [read(line) for line in lines]
    assert [command.name for command in commands] == ["error", "warning", "notice"]
    told = f"it is {text}, not `{text}`"
    for command in commands:
        known = {"file", "line", "endLine", "col", "endColumn", "title"}
        assert known - {"file", "title"} <= set(command.properties) <= known
        assert command.properties["line"] == "1"
        if "\n" not in text:
            assert command.properties.get("file", "") == for_terminal(text)
        assert command.data == f"{for_terminal(told)}\nhelp: {for_terminal(told)}"


def test_a_place_over_several_lines_has_no_columns() -> None:
    line = next(line for line in render("github", RICH).splitlines() if line.startswith("::warning"))
    assert {key: value for key, value in read(line).properties.items() if key != "title"} == {
        "file": "operators/rh.yaml",
        "line": "7",
        "endLine": "8",
    }


def test_ten_of_each_kind_and_how_many_more() -> None:
    base = replace(FINDINGS[2], message=msg("wrong"))
    many = [
        replace(base, severity=severity, span=FIRST_CHARACTER._replace(line=number))
        for number in range(1, 13)
        for severity in (Severity.NOTE, Severity.ERROR, Severity.WARNING)
        if number <= 12 or severity is Severity.ERROR
    ]
    lines = render("github", report_of(*many, base)).splitlines()
    names = [read(line).name for line in lines[:-1]]
    assert names == ["error"] * 10 + ["warning"] * 10 + ["notice"] * 10
    assert [read(line).properties["line"] for line in lines[:10]] == [str(number) for number in range(1, 11)]
    assert lines[-1] == "GitHub shows 10 of each kind, so left out are: 3 errors, 2 warnings, 2 notes"


def test_only_what_is_left_out_is_counted() -> None:
    lines = render("github", report_of(*[FINDINGS[2]] * 11, FINDINGS[4])).splitlines()
    assert lines[-1] == "GitHub shows 10 of each kind, so left out are: 1 error"
    assert render("github", report_of(*[FINDINGS[2]] * 10)).count("\n") == 10
