"""Each rule has a page, and its examples do what the page says; for those of live tests see `test_live_pages`."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from opsmail.check.pages import SECTIONS, Block, PageError, RulePage, Section, facts, load_page, parse_page
from opsmail.check.rules import all_rules
from opsmail.findings import FIRST_CHARACTER, Finding, FixSafety
from opsmail.mail.rules import LIVE_RULES
from tests.rules.examples import Example, Marked, example, fixed, run

RULES = list(all_rules())


@pytest.fixture(params=RULES)
def page(request: pytest.FixtureRequest) -> RulePage:
    return load_page(request.param)


def test_no_rule_is_without_a_page_and_no_page_without_a_rule() -> None:
    pages = sorted(path.name for path in (files("opsmail") / "data" / "rules").iterdir() if path.is_file())
    assert pages == [f"{rule}.md" for rule in [*RULES, *LIVE_RULES]]


def test_title_and_facts_are_those_of_the_rule(page: RulePage) -> None:
    meta = all_rules()[page.id]
    assert (page.id, page.name) == (meta.id, meta.name)
    assert page.facts == facts(meta)
    assert [section.title for section in page.sections] == list(SECTIONS)


def test_every_section_says_something_a_person_can_use(page: RulePage) -> None:
    for title in ("What it checks", "Why it matters", "How to fix", "Fix safety"):
        assert any(isinstance(piece, str) and piece.endswith((".", ":", "`")) for piece in page.section(title).pieces())
    for title in ("Bad example", "Good example"):
        assert any(isinstance(piece, Block) for piece in page.section(title).pieces())
    sources = [piece for piece in page.section("Sources").pieces() if isinstance(piece, str)]
    named = re.compile(r"(<https://[^\s>]+>|no outside source\.|comes with opsmail\.)$")
    assert all(named.search(source) for source in sources)


def test_bad_example_gives_exactly_what_it_marks(page: RulePage, tmp_path: Path) -> None:
    shown = example(page, "Bad example")
    found = run(page.id, shown, tmp_path)
    assert {finding.rule.id for finding in found} == {page.id}
    assert all(finding.help is not None for finding in found)
    assert {finding.severity for finding in found} == {all_rules()[page.id].severity}
    expected = shown.findings or (Marked(shown.operators[0], FIRST_CHARACTER, ""),)
    assert sorted(_place(finding) for finding in found) == sorted((mark.file, mark.span) for mark in expected)
    for mark in shown.findings:
        assert mark.text in _shown_at(found, mark)
    related = {(item.file, item.span, str(item.message)) for finding in found for item in finding.related}
    assert related == {tuple(mark) for mark in shown.related}


def test_good_example_gives_nothing(page: RulePage, tmp_path: Path) -> None:
    shown = example(page, "Good example")
    assert shown.findings == shown.related == ()
    assert shown.operators
    assert run(page.id, shown, tmp_path) == []


PROMISES = {"Safe:": FixSafety.SAFE, "Unsafe:": FixSafety.UNSAFE, "No automatic fix": None}


def test_the_bad_example_has_the_fix_that_the_page_promises(page: RulePage, tmp_path: Path) -> None:
    text = page.section("Fix safety").text
    (promised,) = (safety for beginning, safety in PROMISES.items() if text.startswith(beginning))
    shown = example(page, "Bad example")
    found = run(page.id, shown, tmp_path)
    assert {None if finding.fix is None else finding.fix.safety for finding in found} == {promised}
    after = fixed(page.id, shown, tmp_path)
    assert after.is_complete
    if promised is None:
        assert after.files == ()
    else:
        assert {file.path for file in after.files} == {finding.file for finding in found}
        assert after.left.findings == ()


def _place(finding: Finding) -> tuple[str, tuple[int, ...]]:
    return finding.file, finding.span


def _shown_at(found: list[Finding], mark: Marked) -> list[str]:
    """What is shown at a mark: the label, and where a finding has none, its message."""
    here = [finding for finding in found if _place(finding) == (mark.file, mark.span)]
    return [str(finding.message if finding.label is None else finding.label) for finding in here]


MINIMAL = "# OM899 made-up\n\nSeverity: note.\n\n" + "".join(f"## {title}\n\nText.\n\n" for title in SECTIONS)


def test_a_page_of_the_right_shape_is_read() -> None:
    page = parse_page(MINIMAL)
    assert (page.id, page.name, page.facts) == ("OM899", "made-up", "Severity: note.")
    assert page.section("Sources") == Section("Sources", "Text.")
    assert page.section("What it checks").key == "what_it_checks"


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL.replace("# OM899 made-up", "# made-up"),
        MINIMAL.replace("Severity: note.\n", ""),
        MINIMAL.replace("## Sources\n\nText.\n\n", ""),
        MINIMAL.replace("## Sources\n\nText.\n\n", "## Sources\n\n"),
        MINIMAL.replace("## Sources", "## Origins"),
        MINIMAL.replace("## Bad", "## X").replace("## Good", "## Bad").replace("## X", "## Good"),
    ],
)
def test_a_page_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(PageError):
        parse_page(text)


def test_pieces_are_paragraphs_items_and_blocks() -> None:
    text = "One\nparagraph.\n- an item\n  of two lines\n- another\n\n```yaml\na: 1\n\nb: 2\n```\nLast."
    assert list(Section("X", text).pieces()) == [
        "One paragraph.",
        "- an item of two lines",
        "- another",
        Block("yaml", ("a: 1", "", "b: 2")),
        "Last.",
    ]


def test_a_block_that_does_not_end_is_refused() -> None:
    with pytest.raises(PageError):
        list(Section("X", "```yaml\na: 1").pieces())


def test_a_missing_page_is_an_error_of_its_own() -> None:
    with pytest.raises(FileNotFoundError):
        load_page("OM999")


def test_a_mark_counts_columns_of_the_file_not_of_the_page() -> None:
    lines = [
        "## Bad example",
        "```yaml",
        "# operators/rh.yaml, with \\u200B written out",
        "name: a\\u200Bb",
        "#      ^^^^^^ hidden",
        "#---",
        "```",
    ]
    text = MINIMAL.replace("## Bad example\n\nText.", "\n".join(lines))
    shown = example(parse_page(text), "Bad example")
    assert shown == Example(
        shown.files,
        {},
        shown.day,
        (Marked("operators/rh.yaml", (2, 8, 2, 9), "hidden"),),  # type: ignore[arg-type]  # a Span is a tuple
        (Marked("operators/rh.yaml", (2, 1, 2, 5), ""),),  # type: ignore[arg-type]  # a plain tuple does for a span
    )
    assert b"name: a\xe2\x80\x8bb" in shown.files["operators/rh.yaml"]
