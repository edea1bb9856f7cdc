"""Each rule of live tests has a page whose example is found to be what the page says."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from opsmail.check.pages import LIVE_SECTIONS, Block, PageError, RulePage, facts, load_page, parse_page
from opsmail.mail.diagnosis import ReplyTable
from opsmail.mail.rules import LIVE_RULES
from tests.diagnoses import failure
from tests.rules.test_pages import MINIMAL

TABLE = ReplyTable.load()


@pytest.fixture(params=LIVE_RULES)
def page(request: pytest.FixtureRequest) -> RulePage:
    return load_page(request.param)


def example(page: RulePage) -> dict[str, Any]:
    (block,) = (piece for piece in page.section("Example").pieces() if isinstance(piece, Block))
    assert block.language == "yaml"
    found: dict[str, Any] = yaml.safe_load("\n".join(block.lines))
    return found


def test_title_and_facts_are_those_of_the_rule(page: RulePage) -> None:
    meta = LIVE_RULES[page.id]
    assert (page.id, page.name, page.facts) == (meta.id, meta.name, facts(meta))
    assert [section.title for section in page.sections] == list(LIVE_SECTIONS)


def test_every_section_says_something_a_person_can_use(page: RulePage) -> None:
    for title in ("What it checks", "Why it happens", "How to fix"):
        pieces = list(page.section(title).pieces())
        assert pieces
        assert all(isinstance(piece, str) and piece.endswith(".") for piece in pieces)
    sources = [piece for piece in page.section("Sources").pieces() if isinstance(piece, str)]
    assert sources
    assert all(re.search(r"<https://[^\s>]+>$", source) for source in sources)


@pytest.mark.parametrize("rule", LIVE_RULES)
def test_the_example_is_what_the_page_says(rule: str) -> None:
    shown = example(load_page(rule))
    diagnosis = TABLE.diagnose(*failure(shown))
    assert (diagnosis.rule_id, diagnosis.path, diagnosis.fault) == (rule, shown["change"], shown["fault"])


def test_a_page_of_another_shape_is_refused() -> None:
    with pytest.raises(PageError, match="has the sections"):
        parse_page(MINIMAL.replace("OM899", "OM999"))
