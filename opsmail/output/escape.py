"""Escaping, one function per sink: nothing that came from a file or a server acts on what shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from opsmail.expressions import expression
from opsmail.source.characters import visible

# What a CI runner takes for a command in any line that a program prints: `::name …::` where a line starts (GitHub), and
# `##[name]` or `##vso[area.name]` anywhere (GitHub's old form, Azure). They compare by culture, that is they skip
# characters that cannot be seen, so what stands between the signs must not matter here either.
# Sources: actions/runner ActionCommand.cs, microsoft/azure-pipelines-agent Command.cs.
_COMMAND = expression(r"\A[^!-~]*:(?=[^ -~]*:[^ -~]*[A-Za-z])|#(?=[^ -~]*#)")
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
_GITHUB_PROPERTY = str.maketrans({"%": "%25", ":": "%3A", ",": "%2C"})
_AZURE_PROPERTY = str.maketrans({"%": "%AZP25", ";": "%3B", "]": "%5D"})

# A word or number that no Markdown dialect makes anything of. Hexadecimal ones of seven digits and more are links to
# commits for GitHub.
_LETTERS = r"[^\W\d_]+(?:['’-][^\W\d_]+)*"
_PLAIN = expression(rf"(?![0-9a-f]{{7,40}}\b){_LETTERS}|\d{{1,6}}(?:[.,]\d{{1,6}})?|[–—→]")
_OPENING, _CLOSING = "\"'(«“", "\"')»”’,.;:!?…"
# A piece of code as messages mark it, blanks, or anything up to the next blank.
_PIECE = expression(rf"(?P<before>[{_OPENING}]*)`(?P<code>[^`]+)`(?P<after>[{_CLOSING}]*)(?!\S)|\s+|\S+")


def for_terminal(text: str) -> str:
    """Return `text` on one line: what a terminal or CI runner would obey, or a person would not see, is written out."""
    seen = visible(text)
    # Every command has two of one of its signs, and few texts do.
    return _COMMAND.sub(_last_written_out, seen) if seen.count(":") > 1 or seen.count("#") > 1 else seen


def for_program(text: str) -> str:
    """Return `text` as a value for JSON: programs print it sooner or later, so the same characters are written out."""
    return visible(text)


def json_text(document: Any) -> str:
    """Return plain data as JSON that does not act when it is printed in a CI job."""
    import json  # the output that people read needs neither this nor the next

    text = json.dumps(document, ensure_ascii=True, indent=1, allow_nan=False)
    return text.replace("##", r"#\u0023") + "\n"


def for_sarif(text: str) -> str:
    """Return `text` for a SARIF message, in which `[text](target)` is a link (SARIF 2.1.0, section 3.11.6)."""
    seen = visible(text)
    return re.sub(r"[\\\[\]]", r"\\\g<0>", seen) if "](" in seen else seen


def for_uri(path: str) -> str:
    """Return a file's path, or another part of an address, percent-encoded."""
    from urllib.parse import quote

    return quote(path, errors="surrogatepass")


def for_github(text: str) -> str:
    """Return `text` as the message of a GitHub workflow command; its lines stay lines."""
    return "%0A".join(for_terminal(line).replace("%", "%25") for line in text.split("\n"))


def for_github_property(text: str) -> str:
    """Return `text` as the value of a GitHub workflow command's property."""
    return "%0A".join(for_terminal(line).translate(_GITHUB_PROPERTY) for line in text.split("\n"))


def for_azure(text: str) -> str:
    """Return `text` as the message of an Azure Pipelines logging command; its lines stay lines."""
    return "%0A".join(for_terminal(line).replace("%", "%AZP25") for line in text.split("\n"))


def for_azure_property(text: str) -> str:
    """Return `text` as the value of an Azure Pipelines logging command's property."""
    return "%0A".join(for_terminal(line).translate(_AZURE_PROPERTY) for line in text.split("\n"))


def for_html(text: str) -> str:
    """Return `text` as text or as the value of a quoted attribute of an HTML page."""
    return for_terminal(text).translate(_MARKUP)


def for_xml(text: str) -> str:
    """Return `text` as text or as the value of a quoted attribute of an XML 1.0 document."""
    return for_terminal(text).translate(_MARKUP)


def for_markdown(text: str) -> str:
    """Return a sentence for Markdown, to stand behind other text on its line.

    Words and numbers stay; whatever could be a link, a mention, a reference, an emoji or markup for GitHub, GitLab or
    Azure becomes code, and so does what the sentence itself marks as code.
    """
    return "".join(_inert(piece) for piece in _PIECE.finditer(for_terminal(text)))


def for_markdown_code(text: str) -> str:
    """Return `text` as a code span of Markdown (CommonMark 0.31, section 6.1)."""
    seen = for_terminal(text)
    fence = "`" * (_longest_fence(seen) + 1)
    # One blank at both ends belongs to the fence, unless there are only blanks.
    pad = " " if seen.strip() != seen or seen.startswith("`") or seen.endswith("`") else ""
    return f"{fence}{pad}{seen or ' '}{pad}{fence}"


def for_markdown_block(lines: Sequence[str]) -> list[str]:
    """Return `lines` as a fenced block of Markdown (CommonMark 0.31, section 4.5)."""
    seen = [for_terminal(line) for line in lines]
    fence = "`" * max([3, *(_longest_fence(line) + 1 for line in seen)])
    return [f"{fence}text", *seen, fence]


def _inert(piece: re.Match[str]) -> str:
    if piece["code"] is not None:
        return f"{piece['before']}{for_markdown_code(piece['code'])}{piece['after']}"
    text = piece[0]
    if text.isspace():
        return " "
    core = text.strip(_OPENING + _CLOSING)
    if not core:
        return for_markdown_code(text)
    before, after = text.split(core, 1)
    if before.strip(_OPENING) or after.strip(_CLOSING):
        return for_markdown_code(text)
    return f"{before}{core if _PLAIN.fullmatch(core) else for_markdown_code(core)}{after}"


def _longest_fence(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _last_written_out(match: re.Match[str]) -> str:
    return f"{match[0][:-1]}\\x{ord(match[0][-1]):02x}"
