"""`--format markdown`: one comment on a pull request, or the summary of a job.

The first line is a mark that is not shown: whoever posts the comment looks for one that starts with it and replaces it.
"""

from __future__ import annotations

from collections.abc import Iterator
from gettext import NullTranslations

from opsmail.findings import Finding, Waiver
from opsmail.messages import msg, msgn
from opsmail.output.escape import for_markdown, for_markdown_block, for_markdown_code
from opsmail.output.findings.interface import Report, most_severe_first, rule_url
from opsmail.output.findings.text import Page
from opsmail.output.style import Style

#: A comment on GitHub takes 65,536 characters; what stands around the findings needs less than the rest.
_MOST_CHARACTERS = 60_000


def render(report: Report, language: NullTranslations, style: Style) -> str:
    """Return the most severe findings that fit into a comment, and how many do not."""
    page = Page(language, Style(color=False))
    title = f"opsmail {report.command}"
    blocks = [f"<!-- {title} -->", f"### {title}: {for_markdown(page.closing(report.summary))}"]
    room = _MOST_CHARACTERS
    waiting = most_severe_first(report.active)
    while waiting and len(block := _finding(waiting[0], page)) <= room:
        blocks.append(block)
        room -= len(block)
        del waiting[0]
    if waiting:
        more = msgn("{count} more finding is not shown", "{count} more findings are not shown", len(waiting))
        blocks.append(f"… {for_markdown(page.say(more))}")
    blocks += _waived(report.waived, page, room)
    return "\n\n".join(blocks) + "\n"


def _finding(finding: Finding, page: Page) -> str:
    _, *lines = page.finding(finding)
    item = [f"- **{for_markdown(page.word(finding.severity))}** {_what(finding, page)}", ""]
    return "\n".join([*item, *(f"  {line}" for line in for_markdown_block(lines))])


def _what(finding: Finding, page: Page) -> str:
    rule = f"[{for_markdown_code(finding.rule.id)}]({rule_url(finding.rule.id)})"
    return f"{rule} {for_markdown(page.say(finding.message))}"


def _waived(findings: list[tuple[Finding, Waiver]], page: Page, room: int) -> Iterator[str]:
    if not findings:
        return
    yield f"<details><summary>{page.say(msg('{count} waived', count=len(findings)))}</summary>"
    for finding, waiver in findings:
        where = for_markdown_code(f"{finding.file}:{finding.span.line}:{finding.span.column}")
        item = f"- {where} {_what(finding, page)} – {for_markdown(page.waiver(waiver))}"
        room -= len(item)
        if room < 0:
            yield "- …"
            break
        yield item
    yield "</details>"
