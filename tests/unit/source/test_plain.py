"""Plain files: what is read at a glance is exactly what the parser reads, and what is not plain is left to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from opsmail.source.building import Builder, Refusal
from opsmail.source.document import Mark, Places
from opsmail.source.plain import plain_places, read_plain
from opsmail.source.reader import read_document
from tests.builders import operator_text

ROOT = Path(__file__).resolve().parents[3]
#: A file with everything that is plain.
PLAIN = """\
# yaml-language-server: $schema=../schemas/operator.schema.json

version: 1
operator: rh    # the id
name: Notificações do RH
enabled: true
note:
sender:
  address: rh@empresa.com.br
  display_name: "RH # 1"
  # who answers
  reply_to: 'o # rh' # never
server:
    # deeper than its section, as comments may be
  host: smtp.empresa.com.br
  port: 587
authentication:
  credential:
    kind: client-secret
    secret: env://OPSMAIL_RH
labels: {team: rh, centro: "x: 1"}
"""


def strict(text: str) -> tuple[Any, dict[str, str], list[Any]] | None:
    """Return what the parser makes of a text with all places, None where it has something to say about it."""
    builder = Builder(text, dict, 20)
    try:
        data = builder.build()
    except (yaml.MarkedYAMLError, Refusal):
        return None
    if builder.problems:
        return None
    texts = {path: mark.value for path, mark in builder.scalars.items()}
    return data, texts, told(Places(builder.keys, builder.scalars))


def told(places: Places) -> list[Any]:
    """Return places as plain values, and the texts there."""
    marked: list[tuple[str, Any]] = [*places.keys.items(), ("", None), *places.scalars.items()]
    return [item and (path, item.value, position(item.start_mark), position(item.end_mark)) for path, item in marked]


def position(mark: Mark) -> tuple[int, int, int]:
    return mark.line, mark.column, mark.index


def is_read_alike(text: str) -> bool:
    """Whether a text is plain; if so, it is read as the parser does: order, types, places."""
    plain = read_plain(text)
    if plain is not None:
        assert repr((*plain, told(plain_places(text)))) == repr(strict(text)), text
    return plain is not None


PIECES = (
    *("version: 1", "operator: rh", "a: x", "b:", "  c: y", "  d:", "    e: z", "      f: 1", "  - g", "- h"),
    *("# x", "   # y", "", "labels: {a: b, c: '1'}", "l: {a: b, a: c}", "m: {}", 'n: { o: p q , r: "s, t" }'),
    *("i: 'it''s'", 'j: "x"  # y', "k: x#y", "k: x #y", "o: a: b", "p: a:b", "q: a:", "yes: 1", "null: 1", "r: ~"),
    *("s: 0x1F", "t: 1_0", "u: 012", "v: -1", "w: 1.5", "x: !t y", "y: &a b", "z: *a", "? x", "---", "...", "%x"),
    *(
        "aa: |",
        "ab: >",
        "ac: [1]",
        "ad: é ü",
        "ae:  two  words ",
        "af: \\x",
        'ag: "\\x"',
        "ah: 'open",
        "<<: x",
        " ai: x",
    ),
)


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.sampled_from(("\n", "\n\n", "\n  ")))
def test_lines_of_all_kinds_are_read_alike(lines: list[str], between: str) -> None:
    is_read_alike(between.join(lines))
    is_read_alike("\n".join([*lines, ""]))


@given(st.data())
def test_a_file_with_changes_anywhere_is_read_alike(data: st.DataObject) -> None:
    text = operator_text(labels={"team": "rh"}) if data.draw(st.booleans()) else PLAIN
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 6)))
        put = data.draw(st.one_of(st.text(":#'\"{},- \n&*!|>?@`%[]~ab1é", max_size=4), st.sampled_from(PIECES)))
        text = f"{text[:start]}{put}{text[end:]}"
    is_read_alike(text)


@given(st.text("ab: #\n'\"{}-,1é", max_size=30))
def test_short_texts_are_read_alike(text: str) -> None:
    is_read_alike(text)


def test_the_files_of_this_repository_are_plain() -> None:
    files = [*(ROOT / "operators").glob("*.yaml")]
    assert files
    assert all(is_read_alike(file.read_text("utf-8")) for file in files)
    assert is_read_alike(PLAIN)


@pytest.mark.parametrize(
    "text",
    [
        *("", "# only\n", "a: x\ty\n", "a: x\r\n", "a: \u200bx\n", "a: \ufeffx\n", "日: x\n"),  # not these characters
        *("a: 1\na: 2\n", "a:\n  b: 1\n  b: 2\n", "l: {a: b, a: c}\n", "l: {yes: b}\n"),  # not twice, not these names
        *(
            "a: b\n  c: d\n",
            "a:\n    b: c\n",
            " a: b\n",
            "  a: b\n",
            "a:\n  b:\n    c:\n      d: 1\n",
        ),  # not these levels
        *(
            "yes: 1\n",
            "'a': 1\n",
            "a b: 1\n",
            "a: 'x\n",
            "a: 'it''s'\n",
            'a: "\\n"\n',
            "a: x: y\n",
            "a: - b\n",
            "a:b\n",
        ),
        *("a: &b c\n", "a: *b\n", "a: !b c\n", "a: |\n  b\n", "a: [b]\n", "l: {a: [b]}\n", "- a\n", "---\na: b\n"),
        "a: x\n" * 2,
        "a: b\n" + "# " + "x" * 10_000,
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(text: str) -> None:
    assert read_plain(text) is None


def test_no_plain_file_is_over_a_limit_of_the_parser() -> None:
    """Short fields are the most that a file can hold; the parser takes as many of them."""
    names = [
        f"{first}{second}" for first in "abcdefghijklmopqrstuvwxz" for second in "abcdefghijklmnopqrstuvwxyz0123456789_"
    ]
    sections = [f"{name}:\n" + "".join(f"  {other}:\n" for other in names[:100]) for name in names]
    text = "".join(sections)[:9_990].rpartition("\n")[0] + "\n"
    assert is_read_alike(text)


def test_places_are_found_when_they_are_asked_for() -> None:
    text = operator_text(labels={"team": "rh"})
    document, problems = read_document(text.encode())
    assert document is not None
    assert problems == []
    builder = Builder(text, dict, 1)
    builder.build()
    assert document.keys.keys() == builder.keys.keys()
    assert list(document.texts) == list(document.scalars) == list(builder.scalars)
    assert document.written("server.host") == "smtp.empresa.com.br"
    assert document.span("server.port").line == text[: text.index("port")].count("\n") + 1
