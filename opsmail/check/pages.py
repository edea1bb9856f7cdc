r"""The rules' pages, one Markdown file each in `data/rules/`: what a person reads who met a finding.

    # OM201 port-encryption-mismatch

    Severity: error.

    ## What it checks
    ## Why it matters
    ## Bad example
    ## Good example
    ## How to fix
    ## Fix safety
    ## Sources

All sections are there, in this order; the pages of the live test's rules, OM9xx, have those of `LIVE_SECTIONS`, see
below. A translation is a file of the same name in the folder of its language, with the headings of that language and
the same examples. The tests run the two examples: the bad one gives exactly the findings that it marks, the good one
none. What decides about an example can be seen in it:

- Each block is a file, and its first line a comment that names it, then, where it matters, the day and how it is
  stored: `# operators/rh.yaml`, `# opsmail.toml`, `# waivers.yaml`, `# operators/rh.yaml, checked on 2027-01-15`,
  `# operators/rh.yaml, saved as UTF-16`, `# operators/rh.yaml, with \u202E written out` (the escape stands for a
  character that cannot be seen).
- `# operators/rh.yaml, before` is the file as the revision has it that the change is compared with (`--base`); files
  that no such block shows are the same there.
- `# environment` names the environment variables of the check, `NAME=value` each; secrets are tried in examples of
  OM606 alone.
- A comment under a line marks places in it: `^^^` the finding, `---` a related place. What follows is the text shown
  there, which is the message where a finding has no label. A place in the first column begins at the `#` itself
  (`#^` is the first character alone). A finding without a mark concerns the whole of the first operator file shown.

        port: 465
        #     ^^^ 465 is the implicit-TLS port

- A block of an operator file without `version:` is a piece: the sections that it lacks are those of a complete,
  correct operator of that name.
- `opsmail.toml`, `waivers.yaml` and what was before of the bad example hold for the good one too, unless it shows its
  own.
- "Fix safety" begins with `Safe:`, `Unsafe:` or `No automatic fix`, and the bad example has just that. The tests apply
  the fix, and nothing is found any more.
- Examples of OM7xx and OM8xx are the whole folder: `agendador.yaml` joins as the master unless an example says who
  is, and `rh.yaml` where no operator is shown. The others are checked as single files.

What a live test meets is no file, so the pages of OM9xx have one example, a YAML mapping that the tests look up in the
table of what failures mean: the stage, the way of failing or the command and the server's reply to it, and then the
field to change and whose fault it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from gettext import NullTranslations
from importlib.resources import files

from opsmail.expressions import expression
from opsmail.findings import RuleMeta
from opsmail.messages import Message, msg

_OF_CHECKS = (
    msg("What it checks"),
    msg("Why it matters"),
    msg("Bad example"),
    msg("Good example"),
    msg("How to fix"),
    msg("Fix safety"),
    msg("Sources"),
)
_OF_LIVE_TESTS = (
    msg("What it checks"),
    msg("Why it happens"),
    msg("Example"),
    msg("How to fix"),
    msg("Sources"),
)
SECTIONS = tuple(map(str, _OF_CHECKS))
LIVE_SECTIONS = tuple(map(str, _OF_LIVE_TESTS))
_TITLE = expression(r"# (OM[0-9]{3}) ([a-z0-9-]+)")
_FENCE = expression(r"```([a-z]*)")


class PageError(ValueError):
    """A page that does not have the shape of one; a defect that the tests tell."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the text of a file, or a command.

    Args:
        language: as the fence names it; empty where it names none.
        lines: without line ends.
    """

    language: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a page.

    Args:
        title: English, in every language's pages.
        text: in Markdown.
        heading: the title as the page shows it; empty where that is English.
    """

    title: str
    text: str
    heading: str = ""

    @property
    def shown(self) -> str:
        """The title as the page shows it."""
        return self.heading or self.title

    @property
    def key(self) -> str:
        """The stable name that JSON uses: `what_it_checks`."""
        return self.title.lower().replace(" ", "_")

    def pieces(self) -> Iterator[str | Block]:
        """Yield paragraphs and list items, each on one line, and blocks as they are."""
        lines: list[str] = []
        block: list[str] | None = None
        language = ""
        for line in self.text.splitlines():
            fence = _FENCE.fullmatch(line)
            if block is not None and fence is None:
                block.append(line)
                continue
            if lines and (fence is not None or not line.strip() or line.startswith("- ")):
                yield " ".join(lines)
                lines = []
            if fence is not None and block is None:
                block, language = [], fence[1]
            elif fence is not None and block is not None:
                yield Block(language, tuple(block))
                block = None
            elif line.strip():
                lines.append(line.strip())
        if block is not None:
            raise PageError(f"a block in '{self.title}' does not end")
        if lines:
            yield " ".join(lines)


@dataclass(frozen=True, slots=True)
class RulePage:
    """A rule's page.

    Args:
        id: the rule's id.
        name: the rule's name.
        facts: the line under the title.
        sections: in the order of `SECTIONS`, or of `LIVE_SECTIONS`.
        markdown: the page as it is written.
    """

    id: str
    name: str
    facts: str
    sections: tuple[Section, ...]
    markdown: str

    def section(self, title: str) -> Section:
        """Return one section by its title."""
        return next(section for section in self.sections if section.title == title)


def sections_of(rule_id: str) -> tuple[str, ...]:
    """Return the titles of the sections that a rule's page has."""
    return tuple(map(str, _headings(rule_id)))


def _headings(rule_id: str) -> tuple[Message, ...]:
    return _OF_LIVE_TESTS if rule_id.startswith("OM9") else _OF_CHECKS


def facts(meta: RuleMeta, language: NullTranslations | None = None) -> str:
    """Return the line that a page has under its title: what the rule's metadata says, in words."""
    word = meta.severity.word
    if meta.unwaivable:
        return msg("Severity: {severity}. Cannot be waived, ignored or lowered.", severity=word).render(language)
    return msg("Severity: {severity}.", severity=word).render(language)


def load_page(rule_id: str, language: NullTranslations | None = None) -> RulePage:
    """Return the page of one rule, in a language if it has been translated into it.

    Raises:
        FileNotFoundError: the rule has none.
        PageError: it has not the shape of a page.
    """
    pages, name = files("opsmail") / "data" / "rules", f"{rule_id}.md"
    folder = None if language is None else language.info().get("language")
    if folder is not None and (translated := pages / folder / name).is_file():
        return parse_page(translated.read_text("utf-8"), language)
    return parse_page((pages / name).read_text("utf-8"))


def parse_page(markdown: str, language: NullTranslations | None = None) -> RulePage:
    """Return the page that a Markdown text writes, its headings those of `language`.

    Raises:
        PageError: the title, the line under it or a section is missing, empty, or not where it belongs.
    """
    head, *parts = re.split(r"^## ", markdown, flags=re.MULTILINE)
    title, _, below = head.partition("\n")
    match = _TITLE.fullmatch(title)
    if match is None or not below.strip():
        raise PageError("a page starts with '# OM000 name-of-the-rule' and a line on its severity")
    headings = _headings(match[1])
    wanted = [heading.render(language) for heading in headings]
    written = [part.partition("\n") for part in parts]
    if [title.strip() for title, _, _ in written] != wanted:
        raise PageError(f"{match[1]} has the sections {[title for title, _, _ in written]}, not {wanted}")
    sections = tuple(
        Section(title, text.strip("\n"), "" if shown == title else shown)
        for title, shown, (_, _, text) in zip(map(str, headings), wanted, written, strict=True)
    )
    empty = [section.title for section in sections if not section.text.strip()]
    if empty:
        raise PageError(f"{match[1]}: nothing is written under '{empty[0]}'")
    return RulePage(match[1], match[2], below.strip(), sections, markdown)
