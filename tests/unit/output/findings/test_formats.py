"""What holds for every format."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmail.output.findings import FORMATS
from opsmail.source.characters import FORBIDDEN_IN_VALUE
from tests.unit.output.findings.naughty import NAUGHTY
from tests.unit.output.findings.reports import RICH, hostile, render, report_of

_OWN_COMMANDS = {
    "github": re.compile(r"::(?:error|warning|notice) file="),
    "azure": re.compile(r"##vso\[task\.logissue type=(?:error|warning);"),
}


def assert_inert(name: str, text: str) -> None:
    """Nothing in an output acts in a terminal or in the log of a CI job."""
    assert text.encode() is not None
    assert FORBIDDEN_IN_VALUE.search(text.replace("\n", "")) is None
    for line in text.split("\n"):
        own = _OWN_COMMANDS.get(name)
        foreign = line if own is None else own.sub("", line, count=1)
        # Runners compare by culture: what cannot be seen does not count.
        seen = re.sub(r"[^ -~]", "", foreign)
        assert not re.match(r"\s*::[A-Za-z]", seen)
        assert "##[" not in seen
        assert "##vso[" not in seen


@pytest.mark.case("X-04", "X-05", "X-17")
@pytest.mark.parametrize("name", FORMATS)
def test_no_text_acts(name: str) -> None:
    for text in NAUGHTY:
        assert_inert(name, render(name, hostile(text)))


@settings(max_examples=30, deadline=None)
@given(text=st.text(max_size=40))
def test_any_text_is_shown(text: str) -> None:
    report = hostile(text)
    for name in FORMATS:
        assert_inert(name, render(name, report))


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_run_gives_the_same_bytes(name: str) -> None:
    assert render(name, RICH) == render(name, RICH)


@pytest.mark.parametrize("name", FORMATS)
def test_a_clean_run_has_an_output_too(name: str) -> None:
    text = render(name, report_of())
    assert text == "" or text.endswith("\n")


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"text", "concise"}))
def test_only_texts_for_terminals_are_painted(name: str) -> None:
    assert render(name, RICH, color=True) == render(name, RICH)


def test_the_waived_count_in_no_format_but_are_told_in_those_for_people() -> None:
    reason = "relay of the printers"
    assert {name for name in FORMATS if reason in render(name, RICH)} == {"text", "json", "junit", "markdown", "html"}


def test_formats_are_imported_when_used() -> None:
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"  # a measured run has modules of its own
        "import opsmail.cli.check\n"
        "heavy = {'jinja2', 'html', 'xml', 'rich', 'pydantic', 'jsonschema'} & (set(sys.modules) - before)\n"
        "formats = [name for name in sys.modules if name.startswith('opsmail.output.findings.')]\n"
        "print(sorted(heavy), sorted(formats))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[] ['opsmail.output.findings.interface']\n"
