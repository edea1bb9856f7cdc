"""`opsmail report`."""

from __future__ import annotations

import click

from opsmail.check.engine import check
from opsmail.check.interface import Context
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import parse_outputs
from opsmail.cli.proofs import now, statements_at_hand
from opsmail.cli.served import what_is_served
from opsmail.cli.session import Session
from opsmail.providers import load_providers
from opsmail.report import calendar, page
from opsmail.report.fleet import Fleet, fleet
from opsmail.secrets import known_schemes


@click.command(
    "report", cls=Command, epilog="Example:  opsmail report --format html:report.html --format ics:endings.ics"
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[:FILE]",
    help="html (one page that loads nothing), or ics (a calendar of what ends); may be given several times.  "
    "[default: html]",
)
@session_options
def command(formats: tuple[str, ...], session: Session) -> int:
    """Make a page about the whole fleet: each operator with its findings, its last test send, what ends and when.

    It shows the files as they are here, the evidence in .opsmail, and what the store serves.
    """
    outputs = parse_outputs(formats or ("html",), ("html", "ics"))
    settings = session.settings()
    made = now()
    context = Context(settings, load_providers(), made.date(), known_schemes())
    result = check(session.worktree.operator_files(settings.file.operators), context)
    evidence = statements_at_hand(session.root, settings)
    served, code = what_is_served(session, settings)
    shown = fleet(result, settings, context.providers, evidence, served, made)
    for output in outputs:
        output.write(session.console, _render(shown, output.format, session))
    return code


def _render(shown: Fleet, format_: str, session: Session) -> str:
    language = session.console.language
    if format_ == "ics":
        return calendar.render(shown.endings, language, shown.made)
    return page.render(shown, language)
