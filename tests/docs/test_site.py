"""The site: each page has a place in it, each link leads somewhere, and the reference is what the program says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from opsmail.evidence.statement import VERIFIER, Kind
from opsmail.output.findings.interface import RULES_URL, rule_url
from opsmail.secrets import known_schemes
from tests.docs.commands import COMMANDS, LINES, unknown_options
from tests.docs.fields import sections, takes
from tests.docs.reference import DOCS, MADE, metas, pages, write

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "mkdocs.yml"

pytestmark = pytest.mark.skipif(not CONFIGURATION.is_file(), reason="not a checkout: the documents are not here")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every file of the site below `docs/`: those that are committed, and those that are made."""
    folder = tmp_path_factory.mktemp("made")
    write(folder)
    written = [path for path in DOCS.rglob("*") if path.relative_to(DOCS).parts[0] not in MADE]
    files = [(DOCS, path) for path in written] + [(folder, path) for path in folder.rglob("*")]
    return {
        path.relative_to(top).as_posix(): path.read_text("utf-8") if path.suffix == ".md" else ""
        for top, path in files
        if path.is_file()
    }


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """The files that are made of what the program says."""
    return pages()


def navigation() -> list[str]:
    def listed(item: Any) -> Iterator[str]:
        if isinstance(item, str):
            yield item
        for below in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
            yield from listed(below)

    return list(listed(yaml.safe_load(CONFIGURATION.read_text("utf-8"))["nav"]))


def links(text: str) -> Iterator[str]:
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        for child in token.children or ():
            target = child.attrGet("href" if child.type == "link_open" else "src")
            if child.type in ("link_open", "image") and isinstance(target, str):
                yield target


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as Python-Markdown makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"[-\s]+", "-", heading) for heading in plain}


def test_every_page_has_one_place_in_the_navigation(site: dict[str, str]) -> None:
    # Rules are reached by their list, in the order of ids.
    pages_of_their_own = {name for name in site if name.endswith(".md") and not name.startswith("rules/OM")}
    assert sorted(navigation()) == sorted(pages_of_their_own)


def test_every_link_leads_somewhere(site: dict[str, str]) -> None:
    broken = []
    for name, text in site.items():
        for target in links(text):
            if "://" in target or target.startswith("mailto:"):
                continue
            path, _, anchor = target.partition("#")
            found = (DOCS / name).parent.joinpath(path).resolve() if path else DOCS / name
            reached = (
                found.relative_to(DOCS.resolve()).as_posix() if found.is_relative_to(DOCS.resolve()) else "outside"
            )
            if reached not in site or (anchor and anchor not in anchors(site[reached])):
                broken.append((name, target))
    assert broken == []


def test_a_link_that_leads_nowhere_is_noticed() -> None:
    assert list(links("[a](b.md#c) ![d](e.png)\n\n| x |\n|---|\n| [f](g.md) |\n")) == ["b.md#c", "e.png", "g.md"]
    assert anchors("# A store from a backup\n\n## `servers`, each\n") == {"a-store-from-a-backup", "servers-each"}


def test_every_address_that_the_program_prints_is_a_page(site: dict[str, str]) -> None:
    assert yaml.safe_load(CONFIGURATION.read_text("utf-8"))["site_url"] == RULES_URL.removesuffix("rules/")
    addresses = {rule_url(meta.id) for meta in metas()} | {rule_url("ORG001"), VERIFIER}
    ours = RULES_URL.removesuffix("rules/")
    addresses |= {kind.predicate_type for kind in Kind if kind.predicate_type.startswith(ours)}
    assert len(addresses) == len(metas()) + 4
    assert [item for item in addresses if f"{item.removeprefix(ours).strip('/')}.md" not in site] == []


def test_the_commands_are_all_there_with_all_their_options(made: dict[str, str]) -> None:
    page = made["reference/commands.md"]
    assert re.findall("^## (opsmail .*)$", page, re.MULTILINE) == [
        " ".join(words) for words in COMMANDS if len(words) > 1
    ]
    common = page.partition("## opsmail init")[0]
    for name, command in LINES.items():
        section = page.partition(f"## {name}\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert f"| `{parameter.opts[0]}" in section + common, (name, parameter.opts)


def test_every_field_of_the_files_is_there(made: dict[str, str]) -> None:
    for page, field in (
        ("operator-file", "reply_to"),
        ("operator-file", "token_cache"),
        ("settings", "max_update_percent"),
    ):
        assert f"| `{field}` |" in made[f"reference/{page}.md"]


def test_what_a_field_takes_is_told_in_words() -> None:
    schema = {
        "description": "All.",
        "required": ["kind"],
        "properties": {
            "kind": {"type": "string", "enum": ["a", "b"]},
            "many": {"type": "array", "items": {"type": "object", "properties": {"on": {"type": "boolean"}}}},
        },
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": "a"}}},
                "then": {"properties": {"kind": {"const": "a"}, "x": {"type": "string"}}},
            }
        ],
    }
    top, many, variant = sections(schema, "Top")
    assert (top.name, top.text) == ("Top", "All.")
    assert top.rows == [("`kind`", "required", "`a`, `b`", ""), ("`many`", "", "list of sections", "")]
    assert (many.name, many.rows) == ("`many`, each", [("`on`", "", "`true`, `false`", "")])
    assert variant.rows == [("`x`", "", "text", "")]
    assert takes({"type": ["integer", "null"], "minimum": 1, "maximum": 9}) == "1 to 9"
    assert (
        takes({"anyOf": [{"type": "string", "format": "date"}, {"type": "array", "items": {"const": 1}}]})
        == "date or list of: `1`"
    )


def test_every_rule_is_in_the_list_and_has_a_page(made: dict[str, str]) -> None:
    assert re.findall(r"^\| \[(OM\d+)\]\(\1\.md\)", made["rules/index.md"], re.MULTILINE) == [
        meta.id for meta in metas()
    ]
    assert made["rules/OM201.md"].startswith("# OM201 port-encryption-mismatch\n")


def test_an_earlier_run_leaves_nothing_behind(tmp_path: Path) -> None:
    old = tmp_path / "rules" / "OM999.md"
    old.parent.mkdir()
    old.write_text("old", "utf-8")
    write(tmp_path)
    assert not old.exists()


def test_every_scheme_of_secrets_is_explained() -> None:
    rows = re.findall(r"^\| `([a-z-]+)://", (DOCS / "secret-references.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(known_schemes())


def test_every_kind_of_statement_is_explained() -> None:
    page = (DOCS / "statements.md").read_text("utf-8")
    assert re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE) == [kind.value for kind in Kind]
    addresses = [kind.predicate_type.partition("readthedocs.io/")[2] or kind.predicate_type for kind in Kind]
    assert [item for item in addresses if item not in page] == []


def test_the_comparison_has_a_cell_for_each_tool_and_its_sources() -> None:
    text = (DOCS / "comparison.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {8}
    assert set(re.findall(r"\[([a-z])\](?!:)", "\n".join(rows))) == set(
        re.findall(r"^- \[([a-z])\]", text, re.MULTILINE)
    )


def test_what_runs_in_a_container_exists() -> None:
    text = (DOCS / "container.md").read_text("utf-8")
    calls = re.findall(r"^\$ docker run .* (opsmail .*)$", text, re.MULTILINE)
    assert len(calls) == 2
    assert [call for call in calls if unknown_options(call)] == []
