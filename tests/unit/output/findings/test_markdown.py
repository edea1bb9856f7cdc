"""The comment, read with a Markdown parser that knows tables and HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from inline_snapshot import external_file
from markdown_it import MarkdownIt
from markdown_it.token import Token

from opsmail.findings import ExcerptLine, Waiver
from opsmail.messages import msg
from opsmail.output.findings import Report
from tests.unit.output.findings.naughty import NAUGHTY
from tests.unit.output.findings.reports import FINDINGS, MEMBERS, RICH, hostile, render, report_of

MARK = "<!-- opsmail check -->"
_BLOCKS = {
    *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "fence", "html_block"),
    *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
}
_INLINE = {"text", "code_inline", "strong_open", "strong_close", "link_open", "link_close"}
_RULE = re.compile(r"https://opsmail\.readthedocs\.io/(rules/OM[0-9]{3}|own-rules)/")
# What GitHub, GitLab or Azure make links, mentions, references, emoji, formulas or commands of is not in these.
_WORDS = re.compile(r"[\s\w\"'(«“)»”’,.;:!?…–—→-]*")
_SHORT_CODE = re.compile(r":\w+:|\b[0-9a-f]{7,40}\b|_|\w+-\d")


def parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def inline(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or ()


def assert_inert(text: str) -> list[Token]:
    """Everything but our own words is code, and every link is a rule's."""
    tokens = parse(text)
    assert {token.type for token in tokens} <= _BLOCKS
    html = [token.content.strip() for token in tokens if token.type == "html_block"]
    assert html[0] == MARK
    assert all(re.fullmatch(r"<details><summary>\d+ waived</summary>|</details>", piece) for piece in html[1:])
    pieces = list(inline(tokens))
    assert {piece.type for piece in pieces} <= _INLINE
    for piece in pieces:
        if piece.type == "text":
            assert _WORDS.fullmatch(piece.content), piece.content
            assert not _SHORT_CODE.search(piece.content), piece.content
        if piece.type == "link_open":
            assert _RULE.fullmatch(str(piece.attrs["href"]))
    assert not any(line.startswith("/") for line in text.splitlines())  # GitLab's quick actions
    return tokens


def test_all_of_it() -> None:
    assert_inert(render("markdown", RICH))
    assert render("markdown", RICH) == external_file("golden/markdown.md", format=".txt")


def test_a_comment_can_be_found_again() -> None:
    for text in ("x", MARK, f"\n{MARK}"):
        comment = render("markdown", hostile(text))
        assert comment.startswith(f"{MARK}\n")
        # Elsewhere it stands for itself, in code.
        assert sum(1 for token in parse(comment) if token.type == "html_block" and MARK in token.content) == 1


@pytest.mark.case("X-06")
@pytest.mark.parametrize("text", NAUGHTY)
def test_no_text_is_markup(text: str) -> None:
    tokens = assert_inert(render("markdown", hostile(text)))
    shape = [token.type for token in tokens]
    assert shape == [token.type for token in parse(render("markdown", hostile("x")))]


def test_a_comment_that_would_be_too_long_shows_the_most_severe() -> None:
    long = [
        replace(finding, excerpt=(ExcerptLine(1, "x" * 190),) * 10)
        for finding in [FINDINGS[4]] * 40 + [FINDINGS[1]] * 40
    ]
    waived = [replace(FINDINGS[3], waived=Waiver("why " * 100, "TI", "2027-03-01"))] * 200
    text = render("markdown", report_of(*long, *waived))
    assert len(text) < 65_536
    tokens = assert_inert(text)
    shown = [token for token in inline(tokens) if token.type == "strong_open"]
    words = [piece.content for piece in inline(tokens) if piece.type == "text" and "not shown" in piece.content]
    assert words == [f"… {80 - len(shown)} more findings are not shown"]
    assert 20 < len(shown) < 40
    assert "**warning**" not in text
    assert text.endswith("- …\n\n</details>\n")


def test_one_more() -> None:
    huge = replace(FINDINGS[1], message=msg("{text}", text="x" * 70_000))
    text = render("markdown", report_of(huge))
    assert text.endswith("\n\n… 1 more finding is not shown\n")


def test_no_findings() -> None:
    report = Report((), report_of().summary, MEMBERS)
    assert render("markdown", report) == f"{MARK}\n\n### opsmail check: no findings in 4 operators\n"
