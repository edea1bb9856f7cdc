"""Each sink's own escaping."""

from __future__ import annotations

import json
import time

import pytest

from opsmail.output.escape import (
    for_azure,
    for_azure_property,
    for_github,
    for_github_property,
    for_html,
    for_markdown,
    for_markdown_block,
    for_markdown_code,
    for_program,
    for_sarif,
    for_terminal,
    for_uri,
    for_xml,
    json_text,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain: # and :: are fine", "plain: # and :: are fine"),
        ("\x1b[31m\x9b\u202e\U000e0001\n\t", r"\x1b[31m\x9b\u202e\U000e0001\x0a\x09"),
        ("::error::x", r"\x3a:error::x"),
        (" \u00a0::error::x", " \u00a0\\x3a:error::x"),
        (":\ufe0f:error::x", "\\x3a\ufe0f:error::x"),
        ("::1", "::1"),
        ("a ##[error]x", r"a \x23#[error]x"),
        ("#\ufe0f#vso[a.b]", "\\x23\ufe0f#vso[a.b]"),
        ("# one # two", "# one # two"),
    ],
)
def test_a_terminal_and_a_runner_obey_nothing(text: str, shown: str) -> None:
    assert for_terminal(text) == shown


def test_json_is_what_it_was_and_commands_nothing() -> None:
    document = {"a": ["##[error]x", "####", "\ud800", "\x1b"], "##": None}
    text = json_text(document)
    assert json.loads(text) == document
    assert text.isascii()
    assert "##" not in text


def test_json_values_are_written_out() -> None:
    assert for_program("\x1b[1m\u202e") == r"\x1b[1m\u202e"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("field [0] of a\\b", "field [0] of a\\b"),
        ("[click](https://evil.example)", r"\[click\](https://evil.example)"),
        ("[a\\](1)\n", r"\[a\\\](1)\\x0a"),
    ],
)
def test_a_sarif_message_has_no_links(text: str, escaped: str) -> None:
    assert for_sarif(text) == escaped


def test_addresses_are_percent_encoded() -> None:
    assert for_uri("operators/ação 1%.yaml") == "operators/a%C3%A7%C3%A3o%201%25.yaml"
    assert for_uri("a:b?c#d\n\ud800") == "a%3Ab%3Fc%23d%0A%ED%A0%80"


def test_github_commands() -> None:
    assert for_github("100%\nsecond: a, b\r::error::") == r"100%25%0Asecond: a, b\x0d::error::"
    assert for_github_property("a,b:c%\nd") == "a%2Cb%3Ac%25%0Ad"


def test_azure_commands() -> None:
    assert for_azure("100%\nsecond; a]b\r") == r"100%AZP25%0Asecond; a]b\x0d"
    assert for_azure_property("a;b]c%\nd") == "a%3Bb%5Dc%AZP25%0Ad"


@pytest.mark.parametrize("escape", [for_html, for_xml])
def test_markup(escape: type[str]) -> None:
    assert escape("<a b=\"c\" d='e'>&\x1b</a>") == r"&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\x1b&lt;/a&gt;"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        (
            "port 465 expects implicit TLS, but it is `starttls`.",
            "port 465 expects implicit TLS, but it is `starttls`.",
        ),
        ("(see \u201cimplicit-TLS\u201d), 1.2 or d’água – ação!", "(see “implicit-TLS”), 1.2 or d’água – ação!"),
        ("`two words`, (`x`)", "`two words`, (`x`)"),
        ("@team, #1 a@b.c.", "`@team`, `#1` `a@b.c`."),
        ("https://x.example :smile: /close", "`https://x.example` `:smile:` `/close`"),
        ("*a* _b_ ~c~ <d> [e](f) |", "`*a*` `_b_` `~c~` `<d>` `[e](f`) `|`"),
        ("deadbeef 1234567 TLS12", "`deadbeef` `1234567` `TLS12`"),
        ("a`b ``c`` `", "``a`b`` ``` ``c`` ``` `` ` ``"),
        ("$`a`$", "``$`a`$``"),
        ("... )a", "`...` `)a`"),
        ("\u00a0\n  x", r" `\x0a` x"),
        ("", ""),
    ],
)
def test_markdown_sentences(text: str, escaped: str) -> None:
    assert for_markdown(text) == escaped


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("a", "`a`"),
        ("", "` `"),
        ("  ", "`    `"),
        (" a", "`  a `"),
        ("a`", "`` a` ``"),
        ("``", "``` `` ```"),
        ("a``b`c", "```a``b`c```"),
    ],
)
def test_markdown_code(text: str, span: str) -> None:
    assert for_markdown_code(text) == span


def test_markdown_blocks() -> None:
    assert for_markdown_block(["a", "````", "\x1b"]) == ["`````text", "a", "````", r"\x1b", "`````"]
    assert for_markdown_block([]) == ["```text", "```"]


@pytest.mark.parametrize("unit", ["`", "` ", "`a ", ",", "(", "a,", "'a", "#", ":", "](", "\n", "a-"])
def test_time_grows_with_the_length(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    start = time.process_time()
    for sink in (for_terminal, for_sarif, for_github_property, for_html, for_markdown, for_markdown_code):
        sink(text)
    assert time.process_time() - start < 5
