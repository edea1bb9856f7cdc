"""`opsmail report`."""

from __future__ import annotations

import click

from opsmail.check.engine import check
from opsmail.check.interface import Context
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import parse_outputs
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier, now, statements_at_hand
from opsmail.cli.session import Session
from opsmail.evidence.envelope import statement_in
from opsmail.evidence.invalid import InvalidEvidence
from opsmail.messages import msg
from opsmail.providers import load_providers
from opsmail.publish.ancestry import newest_evidence
from opsmail.report import calendar, page
from opsmail.report.fleet import Fleet, Served, Step, fleet
from opsmail.secrets import known_schemes
from opsmail.settings.load import Settings
from opsmail.store.generation import Verify, read_envelopes, read_published
from opsmail.store.interface import StoreDamaged, StoreMissing, StoreUnavailable

#: So many generations are shown.
_STEPS = 20


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
    served, code = _served(session, settings)
    shown = fleet(result, settings, context.providers, evidence, served, made)
    for output in outputs:
        output.write(session.console, _render(shown, output.format, session))
    return code


def _render(shown: Fleet, format_: str, session: Session) -> str:
    language = session.console.language
    if format_ == "ics":
        return calendar.render(shown.endings, language, shown.made)
    return page.render(shown, language)


def _served(session: Session, settings: Settings) -> tuple[Served | None, ExitCode]:
    """Return what the store says; a report without it is better than none, and says so."""
    verify = generation_verifier(settings)
    try:
        with opened_store(session, settings) as store:
            published = read_published(store, settings.environment, verify)
            last = published.head.number
            kept = read_envelopes(store, settings.environment, after=max(0, last - _STEPS), limit=_STEPS)
            proofs = store.read(set(newest_evidence(store, published)))
    except StoreMissing:
        return None, ExitCode.DONE
    except (StoreUnavailable, InvalidEvidence) as error:
        session.console.error(error, msg("warning"))
        return None, ExitCode.UNAVAILABLE
    steps = (_step(number, envelope, verify) for number, (_, envelope) in sorted(kept.items(), reverse=True))
    statements = tuple(statement_in(envelope) for envelope in proofs.values())
    return Served(published.manifest, tuple(steps), statements), ExitCode.DONE


def _step(number: int, envelope: bytes, verify: Verify) -> Step:
    try:
        return Step(number, verify(envelope))
    except (InvalidEvidence, StoreDamaged) as error:
        return Step(number, None, error.message)
