"""Outputs of `rule`: pages and the list of rules, as text, Markdown and JSON."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from gettext import NullTranslations
from typing import Any

from opsmail.check.pages import Block, RulePage
from opsmail.findings import RuleMeta, Severity
from opsmail.messages import msg
from opsmail.output.escape import for_terminal, json_text
from opsmail.output.findings.interface import rule_url
from opsmail.output.style import Style

_WIDTH = 88
_LINK = re.compile(r"<(https://[^>]*)>")
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def render_list(metas: Sequence[RuleMeta], language: NullTranslations, style: Style) -> str:
    """Return one line per rule: id, severity, name."""
    lines = []
    for meta in metas:
        word = meta.severity.word.render(language)
        lines.append(f"{meta.id}  {style.paint(word.ljust(7), _COLOURS[meta.severity])}  {meta.name}\n")
    return "".join(lines)


def render_text(page: RulePage, style: Style) -> str:
    """Return a page for a terminal, in the language that it is written in."""
    lines = [style.paint(f"{page.id} {page.name}", bold=True), page.facts]
    for section in page.sections:
        lines += ["", style.paint(section.shown, "cyan", bold=True)]
        previous: str | Block | None = None
        for piece in section.pieces():
            if previous is not None and not (_is_item(previous) and _is_item(piece)):
                lines.append("")
            lines += map(for_terminal, _piece(piece))
            previous = piece
    return "\n".join(lines) + "\n"


def _is_item(piece: str | Block) -> bool:
    return isinstance(piece, str) and piece.startswith("- ")


def _piece(piece: str | Block) -> Iterator[str]:
    if isinstance(piece, Block):
        yield from (f"    {line}".rstrip() for line in piece.lines)
        return
    yield from textwrap.wrap(
        _LINK.sub(r"\1", piece),
        _WIDTH,
        subsequent_indent="  " if _is_item(piece) else "",
        break_long_words=False,
        break_on_hyphens=False,
    )


def render_markdown_list(metas: Sequence[RuleMeta], language: NullTranslations) -> str:
    """Return the list of rules as a Markdown table."""
    head = " | ".join(word.render(language) for word in (msg("rule"), msg("name"), msg("severity")))
    rows = [f"| {meta.id} | {meta.name} | {meta.severity.word.render(language)} |\n" for meta in metas]
    return "".join([f"| {head} |\n", "|---|---|---|\n", *rows])


def render_markdown(pages: Sequence[RulePage]) -> str:
    """Return pages as they are written, one after the other."""
    return "\n".join(page.markdown for page in pages)


def document(meta: RuleMeta, page: RulePage | None = None) -> dict[str, Any]:
    """Return what programs get of one rule.

    Args:
        meta: the rule.
        page: its page, whose sections are added as Markdown.
    """
    facts = {
        "id": meta.id,
        "name": meta.name,
        "severity": meta.severity.label,
        "unwaivable": meta.unwaivable,
        "ruleset": meta.ruleset,
        "url": rule_url(meta.id),
    }
    return facts if page is None else {**facts, "sections": {item.key: item.text for item in page.sections}}


def render_json(documents: dict[str, Any] | Sequence[dict[str, Any]]) -> str:
    """Return one rule as an object, several as a list."""
    return json_text(documents)
