"""Logging commands, read back as the agent reads them (microsoft/azure-pipelines-agent, Command.TryParse)."""

from __future__ import annotations

import pytest
from inline_snapshot import external_file

from opsmail.output.escape import for_terminal
from tests.unit.output.findings.naughty import NAUGHTY
from tests.unit.output.findings.reports import RICH, hostile, render


def read(line: str) -> tuple[str, dict[str, str], str]:
    """Return a command's name, properties and message; the agent looks for the first `]`."""
    start = line.index("##vso[") + len("##vso[")
    end = line.index("]", start)
    name, _, rest = line[start:end].partition(" ")
    pairs = (pair.split("=", 1) for pair in rest.split(";") if pair)
    properties = {pair[0]: unescape(pair[1]) for pair in pairs if pair[1:] != [""]}
    return name, properties, unescape(line[end + 1 :])


def unescape(text: str) -> str:
    for escaped, sign in (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%AZP25", "%")):
        text = text.replace(escaped, sign)
    return text


def test_all_of_it() -> None:
    assert render("azure", RICH) == external_file("golden/azure.txt")


@pytest.mark.case("X-01", "X-02")
@pytest.mark.parametrize("text", NAUGHTY)
def test_no_text_changes_a_command(text: str) -> None:
    error, warning, note, end = render("azure", hostile(text)).split("\n")
    assert end == ""
    told = for_terminal(f"it is {text}, not `{text}`")
    for kind, line in (("error", error), ("warning", warning)):
        name, properties, message = read(line)
        assert name == "task.logissue"
        assert message == f"{told}\nhelp: {told}"
        assert properties["type"] == kind
        assert set(properties) <= {"type", "sourcepath", "linenumber", "columnnumber", "code"}
        if "\n" not in text:
            assert properties.get("sourcepath", "") == properties.get("code", "") == for_terminal(text)
    assert "##vso[" not in note
