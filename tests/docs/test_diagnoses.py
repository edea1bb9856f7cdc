"""The page of diagnoses is what opsmail's own data say."""

from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.diagnoses import ENTRIES, examples
from tests.docs.diagnoses import PAGE, page

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not (ROOT / "README.md").is_file(), reason="not a checkout: the documents are not here")
def test_the_page_is_up_to_date() -> None:
    assert (ROOT / PAGE).read_text("utf-8") == page(), "run `python -m tests.docs.diagnoses`"


def test_it_is_one_table_with_a_row_for_each_example() -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(page())
    rows = [token for token in tokens if token.type == "tr_open"]
    assert len(rows) == 1 + sum(len(examples(entry)) for entry in ENTRIES)
    texts = [token.content for token in tokens if token.type == "inline"]
    assert not [text for text in texts if "{" in text]
