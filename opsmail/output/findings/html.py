"""`--format html`: one page that loads nothing and runs nothing.

The page has no script and its only style is named by its hash, so a browser refuses whatever a value might smuggle in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from gettext import NullTranslations

from opsmail.findings import Finding
from opsmail.html import source_hash
from opsmail.messages import msg
from opsmail.output.escape import for_html
from opsmail.output.findings.interface import Report, most_severe_first, rule_url
from opsmail.output.findings.text import Page
from opsmail.output.style import Style

_MARGIN = 4
_CODE = re.compile("`([^`]+)`")

# Colours have a contrast of at least 4.5:1 on their background (WCAG 2.2, 1.4.3); no meaning is in colour alone.
_STYLE = """
:root { color-scheme: light dark; --line: #8c959f; --error: #b3261e; --warning: #8a5300; --note: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --error: #ff8a80; --warning: #ffb74d; --note: #82b1ff; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
article { border-inline-start: .3rem solid var(--line); padding-inline-start: 1rem; margin-block: 2rem; }
article.error { border-color: var(--error); } article.error .severity { color: var(--error); }
article.warning { border-color: var(--warning); } article.warning .severity { color: var(--warning); }
article.note { border-color: var(--note); } article.note .severity { color: var(--note); }
h2 { font-size: 1.1rem; margin-block: 0 .25rem; overflow-wrap: anywhere; }
p { margin-block: .25rem; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: .5rem; border: 1px solid var(--line); border-radius: .25rem; }
pre, code { font-family: ui-monospace, monospace; }
""".strip()


def render(report: Report, language: NullTranslations, style: Style) -> str:
    """Return the page: the most severe findings first, waived ones at the end."""
    page = Page(language, Style(color=False))
    closing = page.closing(report.summary)
    policy = f"default-src 'none'; style-src '{source_hash(_STYLE)}'; base-uri 'none'; form-action 'none'"
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="{for_html(language.info().get("language", "en").replace("_", "-"))}">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>opsmail {report.command}: {for_html(closing)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        f"<header><h1>opsmail {report.command}</h1><p>{for_html(closing)}</p></header>",
        "<main>",
        *(line for finding in most_severe_first(report.active) for line in _article(finding, page)),
        *_waived(report, page),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _article(finding: Finding, page: Page) -> Iterator[str]:
    yield f'<article class="{finding.severity.label}">'
    rule = f'<a href="{for_html(rule_url(finding.rule.id))}">{for_html(finding.rule.id)}</a>'
    word = f'<span class="severity">{for_html(page.word(finding.severity))}</span>'
    yield f"<h2>{word} {rule} {_prose(page.say(finding.message))}</h2>"
    yield f"<p>{_where(finding, page)}</p>"
    if finding.excerpt:
        label = for_html(page.say(msg("lines of {file}", file=finding.file)))
        text = "\n".join(for_html(line) for line in page.excerpt(finding, _MARGIN, ""))
        yield f'<pre role="region" tabindex="0" aria-label="{label}">{text}</pre>'
    *remarks, _ = page.footer(finding)  # the last one names the rule, which is linked above
    for remark in remarks:
        yield f"<p>{_prose(remark)}</p>"
    if finding.fix is not None:
        yield f"<p>{_prose(page.say(msg('fix: {what}', what=finding.fix.description)))}</p>"
    yield "</article>"


def _prose(text: str) -> str:
    """Return a sentence in which what is between backticks is code."""
    return _CODE.sub(r"<code>\1</code>", for_html(text))


def _where(finding: Finding, page: Page) -> str:
    place = f"<code>{for_html(f'{finding.file}:{finding.span.line}:{finding.span.column}')}</code>"
    if finding.operator is None:
        return place
    return f"{place} ({for_html(page.say(msg('operator')))} {for_html(finding.operator)})"


def _waived(report: Report, page: Page) -> Iterator[str]:
    if not report.waived:
        return
    yield f"<details><summary>{for_html(page.say(msg('{count} waived', count=len(report.waived))))}</summary>"
    for finding, _ in report.waived:
        yield from _article(finding, page)
    yield "</details>"
