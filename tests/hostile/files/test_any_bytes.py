"""Any bytes become findings or a result, never an exception."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opsmail.errors import OpsmailError
from opsmail.settings.faults import SettingsError
from opsmail.source.reader import read_document
from tests.builders import SETTINGS, operator_text, settings_of
from tests.hostile.files.survival import survives

#: What YAML makes something of, so that more than its scanner is met.
PIECES = st.sampled_from(
    [*"[]{},:?-#&*!|>'\"%@`~<=\\ \t\n\r", "- ", ": ", "\n  ", "---\n", "...\n", "<<: ", "!!str ", "%YAML 1.2\n"]
    + ["version", "operator", "server:\n  port: ", "authentication:\n  password: ", "587", "0587", "env://A", "é"]
    + ["\ufeff", "\u2028", "\U0001f600", "\\x00", "null", "true", "no", "1e3"]
)
SOUPS = st.lists(PIECES, max_size=60).map(lambda pieces: "".join(pieces).encode())
#: Few in every run; `--hypothesis-profile` or a longer one by hand takes more.
MANY = settings(max_examples=100, deadline=None)


@MANY
@given(st.binary(max_size=4096))
@example(b"")
@example(b"\xff\xfe")
def test_noise(content: bytes) -> None:
    survives(content)


@MANY
@given(SOUPS)
def test_yaml_soup(content: bytes) -> None:
    survives(content)


@MANY
@given(st.data())
def test_a_correct_file_with_a_part_replaced(data: st.DataObject) -> None:
    text = operator_text().encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    survives(text[:start] + data.draw(SOUPS | st.binary(max_size=20)) + text[end:])


@MANY
@given(SOUPS | st.binary(max_size=500))
def test_waivers(content: bytes) -> None:
    survives(operator_text(), waivers=content.decode("utf-8", "replace"))
    read_document(content, list)


@MANY
@given(st.data())
def test_settings_are_good_or_wrong(data: st.DataObject) -> None:
    text = SETTINGS.encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    toml = st.sampled_from([b"[", b"[[", b"]", b"=", b'"', b"'''", b"\n", b".", b"{", b"1_0", b"inf", b"2027-01-01"])
    inserted = b"".join(data.draw(st.lists(toml | st.binary(max_size=4), max_size=8)))
    content = text[:start] + inserted + text[end:]
    for fault in wrong(content):
        assert fault.hint is not None


def wrong(content: bytes) -> list[OpsmailError]:
    """Return what is told of settings, nothing for good ones."""
    try:
        settings_of(content)
    except SettingsError as error:
        return [error, *error.further]
    return []


# One form each that makes parsers slow, at the largest size that is read.
SLOW = {
    "brackets": "[" * 262_000,
    "braces": "{" * 262_000,
    "dashes": "- " * 131_000,
    "questions": "? " * 131_000,
    "colons": ": " * 131_000,
    "quotes": '"' * 262_000,
    "apostrophes": "'" * 262_000,
    "an open quote": '"' + "x" * 262_000,
    "an open quote with lines": '"' + "x\n" * 131_000,
    "hashes": "#" * 262_000,
    "comments": "#\n" * 131_000,
    "empty lines": "\n" * 262_000,
    "spaces": " " * 262_000,
    "tabs": "\t" * 262_000,
    "a long word": "x" * 262_000,
    "a long key": "x" * 262_000 + ": 1",
    "plain lines": "x\n" * 131_000,
    "anchors": "a: " + "&a " * 87_000,
    "aliases": "a: [" + "*a, " * 65_000,
    "tags": "a: " + "!a " * 87_000,
    "percent": "%" * 262_000,
    "directives": "%A\n" * 87_000,
    "escapes": 'a: "' + "\\x41" * 65_000 + '"',
    "block text": "a: |\n" + " x\n" * 87_000,
    "pairs in a list": "a: [" + "b: c, " * 43_000,
    "keys": "".join(f"k{number}: 1\n" for number in range(4_900)),
    "unknown keys like known ones": "".join(f"server{number}: 1\n" for number in range(4_900)),
    "list": "a: [" + "1," * 9_900 + "]",
    "commas": "a: [" + "," * 262_000,
    "ellipses": "...\n" * 65_000,
    "wide characters": "a: '" + "😀" * 65_000 + "'",
    "labels": "labels: {" + ", ".join(f"k{number}: 'a # b'" for number in range(4_900)) + "}",
}


@pytest.mark.parametrize("content", SLOW.values(), ids=SLOW.keys())
def test_forms_that_make_parsers_slow(content: str) -> None:
    """Reading and telling about it takes under two seconds, whatever the form."""
    survives(content)


def test_ten_thousand_mutants_of_a_correct_file() -> None:
    """Bytes replaced, taken away and doubled at random, always in the same way: the reader itself is fast."""
    source = random.Random(1)
    text = operator_text().encode()
    for _ in range(10_000):
        mutant = bytearray(text)
        for _ in range(source.randrange(1, 4)):
            place = source.randrange(len(mutant))
            action = source.randrange(3)
            if action == 0:
                mutant[place] = source.randrange(256)
            elif action == 1:
                del mutant[place : place + source.randrange(1, 9)]
            else:
                mutant[place:place] = mutant[place : place + source.randrange(1, 9)]
        document, problems = read_document(bytes(mutant))
        assert document is not None or problems
