"""Whatever is typed reads back exactly, with every reader of YAML, or is refused."""

from __future__ import annotations

import io

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from opsmail.scaffold.scalars import scalar
from opsmail.source.characters import unseen_in_value
from opsmail.source.reader import read_document

AWKWARD = (
    *("yes", "No", "on", "null", "true", "~", "0123", "0x1F", "1_000", "12:30", "2027-05-01", "1e3", ".inf", "=", "<<"),
    *("#", "a #b", "a#b", "a: b", "a:", ":a", "- a", "-", "?", "? a", "!tag", "&a", "*a", "|", ">", "%a", "@a", "`a`"),
    *("'", '"', "\\", '\\"', "a'b", '"quoted"', "{a: b}", "[a]", "a, b", " a", "a ", "---", "...", "--- a", "a ---"),
    *(
        "Empresa · Agendador",
        "Notificações do RH",
        "\U0001f4e7 \ufe0f",
        "日本語",
        "env://A_B",
        "vault://a/b#c",
        "rh@empresa.com.br",
    ),
    *("1", "1.5", "11111111-2222-3333-4444-555555555555", "É", "a\u00a0b", "y", "n"),
)


def read_back(value: str) -> None:
    text = f"first: {scalar(value)} # and a comment\nsecond:\n  third: {scalar(value)}\n"
    document, problems = read_document(text.encode())
    assert problems == []
    assert document is not None
    expected = {"first": value, "second": {"third": value}}
    assert document.data == expected
    assert yaml.safe_load(text) == expected  # by YAML 1.1
    assert YAML(typ="safe", pure=True).load(io.StringIO(text)) == expected  # by YAML 1.2


@pytest.mark.parametrize("value", AWKWARD)
def test_what_means_something_in_yaml_is_a_text(value: str) -> None:
    read_back(value)


@given(st.text(min_size=1, max_size=40))
@example("a\nrole: master")
@example("\u202e")
@example("\ud800")
def test_anything_reads_back_or_is_refused(value: str) -> None:
    refused = unseen_in_value(value)
    if refused is None:
        read_back(value)
    else:
        assert str(refused).startswith("it holds the character U+")


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\tb", "\x00", "\x1b[2J", "\u200b", "\u2028", "\ud800"])
def test_what_nobody_sees_is_refused(value: str) -> None:
    refused = unseen_in_value(value)
    assert refused is not None
    assert value not in str(refused)


def test_numbers_and_truth_values_are_themselves() -> None:
    assert [scalar(value) for value in (587, True, False)] == ["587", "true", "false"]


@pytest.mark.parametrize("value", ["rh@empresa.com.br", "Notificações do RH", "env://OPSMAIL_SECRET_RH", "starttls"])
def test_what_is_plain_stays_plain(value: str) -> None:
    assert scalar(value) == value
