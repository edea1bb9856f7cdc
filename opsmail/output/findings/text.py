"""`--format text`: findings for people, each with its lines and the marked places."""

from __future__ import annotations

from collections.abc import Iterator
from gettext import NullTranslations

from opsmail.findings import Finding, Severity, Span
from opsmail.messages import Message, msg
from opsmail.output.escape import for_terminal
from opsmail.output.findings.interface import Report, Summary
from opsmail.output.style import Style

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_WORDS = {Severity.ERROR: msg("error"), Severity.WARNING: msg("warning"), Severity.NOTE: msg("note")}


def render(report: Report, language: NullTranslations, color: bool) -> str:
    """Return the findings, and a last line that sums up."""
    page = _Page(language, Style(color))
    blocks = ["\n".join(page.finding(finding)) + "\n\n" for finding in report.findings]
    return "".join(blocks) + page.closing(report.summary) + "\n"


class _Page:
    def __init__(self, language: NullTranslations, style: Style) -> None:
        self.language = language
        self.style = style

    def say(self, message: Message) -> str:
        return for_terminal(message.render(self.language))

    def finding(self, finding: Finding) -> Iterator[str]:
        style, colour = self.style, _COLOURS[finding.severity]
        word = self.say(_WORDS[finding.severity])
        yield style.paint(f"{word}[{finding.rule.id}]", colour, bold=True) + style.paint(
            f": {self.say(finding.message)}", bold=True
        )
        width = max([2, *(len(str(line.number)) for line in finding.excerpt)])
        where = f"{finding.file}:{finding.span.line}:{finding.span.column}"
        who = f"  ({self.say(msg('operator'))} {for_terminal(finding.operator)})" if finding.operator else ""
        yield f"{' ' * width}{style.paint('-->', 'blue')} {for_terminal(where)}{who}"
        yield from self._excerpt(finding, width, colour)
        bar = style.paint("=", "blue")
        for item in finding.related:
            if item.file != finding.file:
                place = for_terminal(f"{item.file}:{item.span.line}:{item.span.column}")
                yield f"{' ' * width} {bar} {place}: {self.say(item.message)}"
        if finding.help is not None:
            yield f"{' ' * width} {bar} {self.say(msg('help'))}: {self.say(finding.help)}"
        if finding.waived is not None:
            waived = msg("waived until {date}: {reason}", date=finding.waived.expires, reason=finding.waived.reason)
            yield f"{' ' * width} {bar} {self.say(waived)}"
        yield f"{' ' * width} {bar} {self.say(msg('rule'))}: opsmail rule {finding.rule.id}"

    def _excerpt(self, finding: Finding, width: int, colour: str) -> Iterator[str]:
        style = self.style
        bar = style.paint("|", "blue")
        if not finding.excerpt:
            yield f"{' ' * width} {bar}"
            return
        marks: dict[int, list[tuple[Span, str, str, str]]] = {}
        label = self.say(finding.label) if finding.label is not None else ""
        marks.setdefault(finding.span.line, []).append((finding.span, "^", label, colour))
        for item in finding.related:
            if item.file == finding.file:
                marks.setdefault(item.span.line, []).append((item.span, "-", self.say(item.message), "blue"))
        yield f"{' ' * width} {bar}"
        previous = finding.excerpt[0].number
        for line in finding.excerpt:
            if line.number > previous + 1:
                yield style.paint("...", "blue")
            previous = line.number
            shown = for_terminal(line.text)
            yield f"{style.paint(str(line.number).rjust(width), 'blue')} {bar} {shown}".rstrip()
            for span, sign, text, paint in marks.get(line.number, ()):
                # What stands before the mark may be longer on screen than in the file.
                before = len(for_terminal(line.text[: span.column - 1].ljust(span.column - 1)))
                end = span.end_column - 1 if span.end_line == span.line else len(line.text)
                underline = sign * max(1, min(end, len(line.text)) - (span.column - 1))
                yield f"{' ' * width} {bar} {' ' * before}{style.paint(f'{underline} {text}'.rstrip(), paint)}"
        yield f"{' ' * width} {bar}"

    def closing(self, summary: Summary) -> str:
        counts = ", ".join(self.say(part) for part in summary.sentence())
        extras = []
        if summary.waived:
            extras.append(self.say(msg("{count} waived", count=summary.waived)))
        if summary.fixable:
            extras.append(self.say(msg("{count} fixable", count=summary.fixable)))
        if summary.errors or summary.warnings or summary.notes:
            text = msg("{counts} in {affected} of {operators} operators", counts=counts, affected=summary.affected, operators=summary.operators)
        else:
            text = msg("{counts} in {operators} operators", counts=counts, operators=summary.operators)
        return self.say(text) + (f" ({', '.join(extras)})" if extras else "")
