"""`--format text`: findings for people, each with its lines and the marked places."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from gettext import NullTranslations
from typing import NamedTuple

from opsmail.findings import Finding, FixSafety, Severity, Span, Waiver
from opsmail.messages import Message, msg, msgn
from opsmail.output.columns import Window
from opsmail.output.escape import for_terminal
from opsmail.output.findings.interface import Report, Summary
from opsmail.output.style import Style

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_SMALLEST_MARGIN = 2
#: Columns for the text of a line where no terminal says how many there are, and at least on one.
_WIDEST, _NARROWEST = 160, 40


def render(report: Report, language: NullTranslations, style: Style) -> str:
    """Return the findings, what can be done about them at once, and a last line that sums up."""
    page = Page(language, style)
    blocks = ["\n".join(page.finding(finding)) + "\n\n" for finding in report.findings]
    fixing = _fixing(report.active)
    hint = "" if fixing is None else page.say(fixing) + "\n"
    return "".join(blocks) + hint + page.closing(report.summary) + "\n"


def _fixing(findings: Sequence[Finding]) -> Message | None:
    """Say how many findings the command can fix by itself, and how many more if it may guess."""
    safeties = [finding.fix.safety for finding in findings if finding.fix is not None]
    safe, unsafe = safeties.count(FixSafety.SAFE), safeties.count(FixSafety.UNSAFE)
    if safe and unsafe:
        return msg("`opsmail check --fix` fixes {safe}, with `--unsafe-fixes` {unsafe} more", safe=safe, unsafe=unsafe)
    if safe:
        return msg("`opsmail check --fix` fixes {safe}", safe=safe)
    return msg("`opsmail check --fix --unsafe-fixes` fixes {unsafe}", unsafe=unsafe) if unsafe else None


class _Mark(NamedTuple):
    """A place to underline, with what it is underlined with and what is written behind."""

    span: Span
    sign: str
    label: str
    colour: str

    @property
    def place(self) -> tuple[int, int]:
        """Where it starts and ends in its line, from 0; one over several lines is marked in its first."""
        span = self.span
        end = span.end_column if span.end_line == span.line else sys.maxsize
        return span.column - 1, end - 1


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
        # Each finding has them.
        self._words = {severity: self.say(severity.word) for severity in Severity}
        self._help, self._rule, self._operator = map(self.say, (msg("help"), msg("rule"), msg("operator")))

    def say(self, message: Message) -> str:
        """Return a message on one line."""
        return for_terminal(message.render(self.language))

    def word(self, severity: Severity) -> str:
        """Return the word for a severity."""
        return self._words[severity]

    def help(self, message: Message) -> str:
        """Return what to do."""
        return f"{self._help}: {self.say(message)}"

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
        who = f"  ({self._operator} {for_terminal(finding.operator)})" if finding.operator else ""
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
        yield f"{self._rule}: opsmail rule {for_terminal(finding.rule.id)}"

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
            here = marks[line.number]
            start, end = here[0].place if here else (0, 0)
            window = Window.around(line.text, start, end, self._room(width))
            yield f"{number} {self.bar} {window}".rstrip()
            for mark in here:
                before, marked = window.mark(*mark.place)
                underline = self.style.paint(f"{mark.sign * marked} {mark.label}".rstrip(), mark.colour)
                yield f"{' ' * width} {self.bar} {' ' * before}{underline}"

    def _room(self, margin: int) -> int:
        """Return how many columns are left for the text of a line behind its number and the bar."""
        width = self.style.width
        return _WIDEST if width is None else max(_NARROWEST, width - margin - len(" | "))

    def closing(self, summary: Summary) -> str:
        """Return the line that sums up."""
        parts = (
            msgn("{count} error", "{count} errors", summary.errors),
            msgn("{count} warning", "{count} warnings", summary.warnings),
            msgn("{count} note", "{count} notes", summary.notes),
        )
        counts = ", ".join(self.say(part) for part in parts if part.count) or self.say(msg("no findings"))
        left_out = (
            msg("{count} waived", count=summary.waived),
            msg("{count} fixable", count=summary.fixable),
            msg("{count} in the baseline", count=summary.baselined),
            msg("{count} not new", count=summary.old),
        )
        extras = ", ".join(self.say(part) for part in left_out if dict(part.arguments)["count"])
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
