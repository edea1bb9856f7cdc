"""`--format text`: findings for people, each with its lines and the marked places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from gettext import NullTranslations
from typing import NamedTuple
from unicodedata import combining, east_asian_width

from opsmail.findings import ExcerptLine, Finding, Severity, Span, Waiver
from opsmail.messages import Message, msg, msgn
from opsmail.output.escape import for_terminal
from opsmail.output.findings.interface import Report, Summary
from opsmail.output.style import Style

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_WORDS = {Severity.ERROR: msg("error"), Severity.WARNING: msg("warning"), Severity.NOTE: msg("note")}
_SMALLEST_MARGIN = 2


def render(report: Report, language: NullTranslations, style: Style) -> str:
    """Return the findings, and a last line that sums up."""
    page = Page(language, style)
    blocks = ["\n".join(page.finding(finding)) + "\n\n" for finding in report.findings]
    return "".join(blocks) + page.closing(report.summary) + "\n"


class _Mark(NamedTuple):
    """A place to underline, with what it is underlined with and what is written behind."""

    span: Span
    sign: str
    label: str
    colour: str


class Page:
    """Words, pieces and the closing line, as other outputs show them too.

    Args:
        language: what messages are rendered in.
        style: how to paint.
    """

    def __init__(self, language: NullTranslations, style: Style) -> None:
        self.language = language
        self.style = style
        self.bar = style.paint("|", "blue")

    def say(self, message: Message) -> str:
        """Return a message on one line."""
        return for_terminal(message.render(self.language))

    def word(self, severity: Severity) -> str:
        """Return the word for a severity."""
        return self.say(_WORDS[severity])

    def help(self, message: Message) -> str:
        """Return what to do."""
        return f"{self.say(msg('help'))}: {self.say(message)}"

    def advice(self, finding: Finding) -> str:
        """Return what is wrong, and on a second line what to do."""
        message = self.say(finding.message)
        return message if finding.help is None else f"{message}\n{self.help(finding.help)}"

    def waiver(self, waiver: Waiver) -> str:
        """Return until when and why a finding is muted."""
        return self.say(msg("waived until {date}: {reason}", date=waiver.expires, reason=waiver.reason))

    def finding(self, finding: Finding) -> Iterator[str]:
        """Yield the lines of one finding: what is wrong, where, an excerpt of the file, and what to do."""
        style, colour = self.style, COLOURS[finding.severity]
        word = self.word(finding.severity)
        yield style.paint(f"{word}[{for_terminal(finding.rule.id)}]", colour, bold=True) + style.paint(
            f": {self.say(finding.message)}", bold=True
        )
        width = max([_SMALLEST_MARGIN, *(len(str(line.number)) for line in finding.excerpt)])
        margin = " " * width
        where = for_terminal(f"{finding.file}:{finding.span.line}:{finding.span.column}")
        who = f"  ({self.say(msg('operator'))} {for_terminal(finding.operator)})" if finding.operator else ""
        yield f"{margin}{style.paint('-->', 'blue')} {where}{who}"
        yield f"{margin} {self.bar}"
        if finding.excerpt:
            yield from self.excerpt(finding, width, colour)
            yield f"{margin} {self.bar}"
        for line in self.footer(finding):
            yield f"{margin} {style.paint('=', 'blue')} {line}"

    def footer(self, finding: Finding) -> Iterator[str]:
        """Yield what stands below the excerpt: places in other files, what to do, why it is waived."""
        for item in finding.related:
            if item.file != finding.file:
                place = for_terminal(f"{item.file}:{item.span.line}:{item.span.column}")
                yield f"{place}: {self.say(item.message)}"
        if finding.help is not None:
            yield self.help(finding.help)
        if finding.waived is not None:
            yield self.waiver(finding.waived)
        yield f"{self.say(msg('rule'))}: opsmail rule {for_terminal(finding.rule.id)}"

    def excerpt(self, finding: Finding, width: int, colour: str) -> Iterator[str]:
        """Yield the lines of the file with their numbers, `width` wide, and the marks under them."""
        marks: dict[int, list[_Mark]] = defaultdict(list)
        label = self.say(finding.label) if finding.label is not None else ""
        marks[finding.span.line].append(_Mark(finding.span, "^", label, colour))
        for item in finding.related:
            if item.file == finding.file:
                marks[item.span.line].append(_Mark(item.span, "-", self.say(item.message), "blue"))
        previous = finding.excerpt[0].number
        for line in finding.excerpt:
            if line.number > previous + 1:
                yield self.style.paint("...", "blue")
            previous = line.number
            number = self.style.paint(str(line.number).rjust(width), "blue")
            yield f"{number} {self.bar} {for_terminal(line.text)}".rstrip()
            for mark in marks[line.number]:
                yield f"{' ' * width} {self.bar} {self._underline(mark, line)}"

    def _underline(self, mark: _Mark, line: ExcerptLine) -> str:
        """Return the marks under a line; a place behind the end of what is shown is marked there."""
        start = min(mark.span.column - 1, len(line.text))
        end = min(mark.span.end_column - 1, len(line.text))
        before, marked = _columns(line.text[:start]), _columns(line.text[start:end])
        return " " * before + self.style.paint(f"{mark.sign * max(1, marked)} {mark.label}".rstrip(), mark.colour)

    def closing(self, summary: Summary) -> str:
        """Return the line that sums up."""
        parts = (
            msgn("{count} error", "{count} errors", summary.errors),
            msgn("{count} warning", "{count} warnings", summary.warnings),
            msgn("{count} note", "{count} notes", summary.notes),
        )
        counts = ", ".join(self.say(part) for part in parts if part.count) or self.say(msg("no findings"))
        extras = ", ".join(
            self.say(part)
            for part in (msg("{count} waived", count=summary.waived), msg("{count} fixable", count=summary.fixable))
            if dict(part.arguments)["count"]
        )
        return f"{counts} {self._where(summary)}" + (f" ({extras})" if extras else "")

    def _where(self, summary: Summary) -> str:
        """Say how many are concerned: operators, or files where some are no operator's."""
        count, affected = summary.files, summary.affected
        if summary.operators != count:
            message = msgn("in {affected} of {count} file", "in {affected} of {count} files", count, affected=affected)
        elif affected:
            message = msgn(
                "in {affected} of {count} operator", "in {affected} of {count} operators", count, affected=affected
            )
        else:
            message = msgn("in {count} operator", "in {count} operators", count)
        return self.say(message)


def _columns(text: str) -> int:
    """Return how many columns of a terminal the text takes, as it is shown there."""
    return sum(2 if east_asian_width(char) in "WF" else not combining(char) for char in for_terminal(text))
