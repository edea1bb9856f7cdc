"""The page, read with a parser that only splits: the structure is asserted here."""

from __future__ import annotations

import base64
import hashlib
import re
from gettext import NullTranslations
from html.parser import HTMLParser

import pytest
from inline_snapshot import external_file

from opsmail.output.findings import FORMATS, Report
from opsmail.output.style import Style
from tests.unit.output.findings.naughty import NAUGHTY
from tests.unit.output.findings.reports import RICH, hostile, render, report_of

_VOID = {"meta"}
_ATTRIBUTES = {
    "html": {"lang"},
    "meta": {"charset", "http-equiv", "content", "name"},
    "article": {"class"},
    "span": {"class"},
    "a": {"href"},
    "pre": {"role", "tabindex", "aria-label"},
}
_TAGS = {
    *_ATTRIBUTES,
    "head",
    "title",
    "style",
    "body",
    "header",
    "h1",
    "h2",
    "p",
    "main",
    "code",
    "details",
    "summary",
}


class Reader(HTMLParser):
    """Collects elements and texts, and refuses what a page of ours never has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS
        attributes = {name: value or "" for name, value in attrs}
        assert set(attributes) <= _ATTRIBUTES.get(tag, set())
        self.elements.append((tag, attributes))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)


def policy(reader: Reader) -> dict[str, str]:
    values = [
        attributes["content"]
        for _, attributes in reader.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(values) == 1
    return {name: rest for name, _, rest in (part.strip().partition(" ") for part in values[0].split(";"))}


def test_all_of_it() -> None:
    body = render("html", RICH).partition("<body>\n")[2]
    assert body == external_file("golden/html.html", format=".txt")


def test_the_page_loads_and_runs_nothing() -> None:
    text = render("html", RICH)
    reader = Reader(text)
    (style,) = reader.texts["style"]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy(reader) == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style
    first = [tag for tag, _ in reader.elements]
    assert first.index("meta") < first.index("style")


def test_the_page_can_be_used_without_seeing_it() -> None:
    reader = Reader(render("html", RICH))
    tags = [tag for tag, _ in reader.elements]
    assert reader.elements[0] == ("html", {"lang": "en"})
    assert tags.count("main") == tags.count("h1") == tags.count("title") == 1
    assert tags.count("article") == tags.count("h2") == len(RICH.findings)
    for tag, attributes in reader.elements:
        if tag == "pre":  # scrolls, so it can be reached with the keyboard, and says what it is
            assert attributes == {"role": "region", "tabindex": "0", "aria-label": attributes["aria-label"]}
    assert [word for word in reader.texts["span"] if word.strip()] == [
        *["error"] * 3,
        *["warning"] * 2,
        "note",
        "warning",
    ]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (WCAG 2.2, definition of contrast ratio)."""
    lights = sorted(map(luminance, (one, other)), reverse=True)
    return (lights[0] + 0.05) / (lights[1] + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_have_contrast() -> None:
    (style,) = Reader(render("html", report_of())).texts["style"]
    light, dark = style.split("@media", 1)
    for part, background in ((light, "#ffffff"), (dark, "#121212")):
        colours = re.findall(r"--(?:error|warning|note): (#[0-9a-f]{6})", part)
        assert len(colours) == 3
        assert all(contrast(colour, background) >= 4.5 for colour in colours)


@pytest.mark.parametrize("text", NAUGHTY)
def test_no_text_changes_the_structure(text: str) -> None:
    reader, harmless = Reader(render("html", hostile(text))), Reader(render("html", hostile("x")))
    # A pair of backticks makes code of what is between them, also where a value brought one of the two.
    assert shape(reader) == shape(harmless)
    for tag, attributes in reader.elements:
        if tag == "a":
            assert re.fullmatch(r"https://opsmail\.readthedocs\.io/(rules/OM[0-9]{3}|own-rules)/", attributes["href"])


def shape(reader: Reader) -> list[tuple[str, frozenset[str]]]:
    return [(tag, frozenset(attributes)) for tag, attributes in reader.elements if tag != "code"]


class Portuguese(NullTranslations):
    def info(self) -> dict[str, str]:
        return {"language": "pt_BR"}


def test_the_language_is_named() -> None:
    text = FORMATS["html"](report_of(), Portuguese(), Style(color=False))
    assert Reader(text).elements[0] == ("html", {"lang": "pt-BR"})


def test_a_run_without_findings() -> None:
    reader = Reader(render("html", Report((), report_of().summary)))
    assert "article" not in [tag for tag, _ in reader.elements]
    assert "no findings" in "".join(reader.texts["p"])
