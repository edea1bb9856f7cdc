"""Each format is shown every hostile text in every field, and tells it without obeying it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

import pytest

from opsmail.findings import Edit, ExcerptLine, Finding, Fix, Related, RuleMeta, Waiver
from opsmail.messages import Message
from opsmail.output.escape import for_program, for_terminal
from opsmail.output.findings import FORMATS
from opsmail.source.characters import FORBIDDEN_IN_VALUE
from tests.published import read_json
from tests.unit.output.findings import (
    test_azure,
    test_github,
    test_gitlab,
    test_html,
    test_junit,
    test_markdown,
    test_sarif,
)
from tests.unit.output.findings.naughty import NAUGHTY
from tests.unit.output.findings.reports import hostile, render


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_text_stays_on_its_line(text: str) -> None:
    """Our own lines are all there is: as many as for a harmless text, each beginning with its own margin."""
    lines, harmless = (render("text", hostile(each)).split("\n") for each in (text, "x"))
    assert len(lines) == len(harmless)
    margins = re.compile(
        r"(?:error|warning|note)\[|  -->|   \||   =| ?\d+ \||\.\.\.|\d+ errors?,|`opsmail check --fix` fixes |$"
    )
    assert [margins.match(line) is not None for line in lines] == [True] * len(lines)
    told = for_terminal(f"it is {text}, not `{text}`")
    assert sum(line.endswith(f": {told}") for line in lines) >= 6


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_concise_line_stays_one(text: str) -> None:
    *lines, end = render("concise", hostile(text)).split("\n")
    assert end == ""
    told = for_terminal(f"it is {text}, not `{text}`")
    rule = for_terminal(text)
    where = for_terminal(f"{text}:1:1")
    assert lines == [f"{where}: {word}[{rule}] {told}" for word in ("note", "warning", "error")]


@pytest.mark.parametrize("text", NAUGHTY)
def test_json_is_what_its_schema_says_and_no_value_acts_when_it_is_printed(text: str) -> None:
    document = read_json(render("json", hostile(text)))
    exact = {item["text"] for finding in document["findings"] if finding["fix"] for item in finding["fix"]["edits"]}
    assert exact == {text}  # what is to be written is exactly that
    for finding in document["findings"]:
        finding["fix"] = None
        assert finding["message"] == for_program(f"it is {text}, not `{text}`")
    assert [value for value in _texts(document) if FORBIDDEN_IN_VALUE.search(value)] == []


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


#: What shows for each format that no text acts in it. A format without such a test is not finished.
SHOWN_BY: Mapping[str, Callable[[str], None]] = MappingProxyType(
    {
        "text": test_a_text_stays_on_its_line,
        "concise": test_a_concise_line_stays_one,
        "json": test_json_is_what_its_schema_says_and_no_value_acts_when_it_is_printed,
        "sarif": test_sarif.test_any_text_is_valid,
        "github": test_github.test_no_text_changes_a_command,
        "gitlab": test_gitlab.test_any_text_is_valid,
        "junit": test_junit.test_no_text_changes_the_structure,
        "azure": test_azure.test_no_text_changes_a_command,
        "markdown": test_markdown.test_no_text_is_markup,
        "html": test_html.test_no_text_changes_the_structure,
    }
)


def test_each_format_is_shown_the_hostile_texts() -> None:
    assert set(SHOWN_BY) == set(FORMATS)
    for name, shown in SHOWN_BY.items():
        (mark,) = (mark for mark in getattr(shown, "pytestmark", ()) if mark.name == "parametrize")
        assert mark.args == ("text", NAUGHTY), name


def test_the_hostile_report_has_the_text_in_every_field() -> None:
    found: dict[tuple[type, str], bool] = defaultdict(bool)
    for finding in hostile("naughty").findings:
        for owner, field, value in _fields(finding):
            found[owner, field] |= "naughty" in value
    missing = [(owner.__name__, field) for (owner, field), there in found.items() if not there]
    assert missing == []
    # Nothing that a finding can hold is left out of the search.
    assert {owner for owner, _ in found} == {Finding, RuleMeta, Related, Fix, Edit, Waiver, ExcerptLine}


def _fields(value: Any) -> Iterator[tuple[type, str, str]]:
    names = getattr(value, "_fields", None) or [item.name for item in dataclasses.fields(value)]
    for name in names:
        for item in _items(getattr(value, name)):
            if isinstance(item, Enum):
                continue
            if isinstance(item, str | Message):
                yield type(value), name, str(item)
            elif dataclasses.is_dataclass(item) or hasattr(item, "_fields"):
                yield from _fields(item)


def _items(value: Any) -> tuple[Any, ...]:
    return value if type(value) is tuple else (value,)


def test_the_texts_are_of_all_kinds() -> None:
    """One of each sign that some sink obeys is among them."""
    everything = json.dumps(NAUGHTY, ensure_ascii=False)
    signs = ("::error", "##vso[", "##[", "<script", "```", "](", "@org/team", "#123", "&lt;", "]]>", "/merge", "| a |")
    for sign in signs:
        assert sign in everything
    raw = "".join(NAUGHTY)
    for character in "\x1b\x07\x9b\x00\u202e\u2066\u200b\u2028\ufffe\ud800\r\n\t":
        assert character in raw
