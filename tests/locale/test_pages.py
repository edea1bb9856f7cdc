"""The rules' pages in Portuguese say what the English ones say, about the same examples."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from opsmail.check.pages import Block, PageError, RulePage, Section, facts, load_page, parse_page
from opsmail.check.rules import all_rules
from opsmail.cli.face import run as opsmail
from opsmail.cli.language import language
from opsmail.mail.rules import LIVE_RULES
from tests.locale.english import english_in
from tests.rules import examples

PORTUGUESE = language("pt-BR")
METAS = {**all_rules(), **LIVE_RULES}
#: How the first line of a block says what is not in the file itself; see `opsmail.check.pages`.
HEADERS = (
    ("# ambiente", "# environment"),
    (", antes", ", before"),
    (", verificado em ", ", checked on "),
    (", salvo em ", ", saved as "),
    (", com \\u", ", with \\u"),
    (" escrito por extenso", " written out"),
)
PROMISES = {"Segura:": "Safe:", "Insegura:": "Unsafe:", "Sem correção automática": "No automatic fix"}
_MARK = re.compile(r" *# *(\^+|-+) ?")


@pytest.fixture(params=METAS)
def rule(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(rule: str) -> RulePage:
    return load_page(rule, PORTUGUESE)


@pytest.fixture
def english(rule: str) -> RulePage:
    return load_page(rule)


def test_every_page_is_translated_and_no_other() -> None:
    translated = (files("opsmail") / "data" / "rules" / "pt_BR").iterdir()
    assert sorted(path.name for path in translated) == [f"{rule}.md" for rule in METAS]


def test_title_facts_and_headings(page: RulePage, english: RulePage) -> None:
    assert (page.id, page.name) == (english.id, english.name)
    assert page.facts == facts(METAS[page.id], PORTUGUESE)
    assert page.facts.startswith("Severidade: ")
    assert [section.title for section in page.sections] == [section.title for section in english.sections]
    assert english_in("\n".join(section.shown for section in page.sections)) == []


def test_the_same_paragraphs_items_and_blocks(page: RulePage, english: RulePage) -> None:
    for section in page.sections:
        assert [_kind(piece) for piece in section.pieces()] == [
            _kind(piece) for piece in english.section(section.title).pieces()
        ]


def _kind(piece: str | Block) -> str:
    if isinstance(piece, Block):
        return piece.language
    return "- " if piece.startswith("- ") else ""


def test_the_same_code_and_links(page: RulePage, english: RulePage) -> None:
    for section in page.sections:
        assert _kept(_prose(section)) == _kept(_prose(english.section(section.title)))


def _kept(prose: str) -> Counter[str]:
    return Counter(re.findall(r"`[^`]+`|<https://[^>]+>|OM\d{3}|(?<!\d)\d{3,5}(?!\d)", prose))


def _prose(section: Section) -> str:
    return "\n".join(piece for piece in section.pieces() if isinstance(piece, str))


def test_no_english_is_left(page: RulePage) -> None:
    prose = "\n".join(_prose(section) for section in page.sections)
    quoted = re.sub(r'"[^"]*"|\([^()]*: <https[^>]*>\)', "", prose)  # what servers and pages of vendors say
    assert english_in(quoted) == []


def test_the_same_promise_of_a_fix(page: RulePage, english: RulePage) -> None:
    if page.id in LIVE_RULES:
        return
    said, meant = (shown.section("Fix safety").text for shown in (page, english))
    (promise,) = (word for word in PROMISES if said.startswith(word))
    assert meant.startswith(PROMISES[promise])


def test_the_same_examples(page: RulePage, english: RulePage) -> None:
    """But for the texts at the marks, and how a block's first line says what is not in its file."""
    for section in page.sections:
        blocks = _blocks(section.pieces())
        assert [_unmarked(block) for block in blocks] == [
            _unmarked(block) for block in _blocks(english.section(section.title).pieces())
        ]


def _blocks(pieces: Iterator[str | Block]) -> list[Block]:
    return [piece for piece in pieces if isinstance(piece, Block)]


def _unmarked(block: Block) -> list[str]:
    first, *others = block.lines
    for here, there in HEADERS:
        first = first.replace(here, there)
    marks = (_MARK.match(line) for line in others)
    return [first, *(line if mark is None else mark[0].rstrip() for line, mark in zip(others, marks, strict=True))]


def test_marks_show_what_the_program_says(page: RulePage, english: RulePage, tmp_path: Path) -> None:
    if page.id in LIVE_RULES:
        return
    found = examples.run(page.id, examples.example(english, "Bad example"), tmp_path)
    places = [
        *((finding.file, finding.label or finding.message) for finding in found),
        *((item.file, item.message) for finding in found for item in finding.related),
    ]
    said = {(file, message.render(PORTUGUESE)) for file, message in places}
    blocks = _blocks(page.section("Bad example").pieces())
    shown = {
        (block.lines[0].removeprefix("# ").partition(",")[0], line[mark.end() :])
        for block in blocks
        for line in block.lines[1:]
        if (mark := _MARK.match(line)) and line[mark.end() :]
    }
    assert shown <= said


def test_findings_of_the_bad_example_have_no_english(rule: str, english: RulePage, tmp_path: Path) -> None:
    if rule in LIVE_RULES or rule == "OM107":  # what OM107 finds is told in the words of somebody's schema
        return
    for finding in examples.run(rule, examples.example(english, "Bad example"), tmp_path):
        fix = None if finding.fix is None else finding.fix.description
        related = [item.message for item in finding.related]
        for message in (finding.message, finding.label, finding.help, fix, *related):
            if message is not None:
                assert english_in(message.render(PORTUGUESE)) == [], message


class TestTheCommand:
    def test_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert opsmail(["rule", "OM201", "--lang", "pt-BR"]) == 0
        told = capsys.readouterr().out
        assert told.startswith("OM201 port-encryption-mismatch\nSeveridade: erro.\n\nO que verifica\nA porta e a")
        assert "\nSegurança da correção\n" in told

    def test_markdown(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert opsmail(["rule", "om201", "--lang", "pt-BR", "--format", "markdown"]) == 0
        assert capsys.readouterr().out == load_page("OM201", PORTUGUESE).markdown
        assert opsmail(["rule", "--lang", "pt-BR", "--format", "markdown"]) == 0
        assert capsys.readouterr().out.startswith("| regra | nome | severidade |\n|---|---|---|\n| OM001 | ")

    def test_json_is_english(self, capsys: pytest.CaptureFixture[str]) -> None:
        told = []
        for name in ("en", "pt-BR"):
            assert opsmail(["rule", "OM201", "--lang", name, "--format", "json"]) == 0
            told.append(capsys.readouterr().out)
        assert told[0] == told[1]


def test_a_page_with_headings_of_another_language_is_refused() -> None:
    markdown = load_page("OM201").markdown
    with pytest.raises(PageError, match="has the sections"):
        parse_page(markdown, PORTUGUESE)
