"""`opsmail history`."""

from __future__ import annotations

import sys

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.options import session_options
from opsmail.cli.outputs import parse_outputs
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.session import Session
from opsmail.output.results import history
from opsmail.output.style import Style


@click.command("history", epilog="Example:  opsmail history --env production --limit 5")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many generations to show.")
@click.option("--format", "formats", multiple=True, metavar="FORMAT[:FILE]", help="text or json.  [default: text]")
@session_options
def command(limit: int, formats: tuple[str, ...], session: Session) -> int:
    """Show what was published: when, by whom, from which commit. The newest comes first."""
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    settings = session.settings()
    verify = generation_verifier(settings)
    with opened_store(session, settings, read_only=True) as store:
        newest = store.head(settings.environment).number
        digests = store.generations(settings.environment, after=max(0, newest - limit), limit=limit)
        envelopes = store.read(set(digests.values()))
        generations = [verify(envelopes[digest]) for _, digest in sorted(digests.items(), reverse=True)]
    for output in outputs:
        style = Style(output.file is None and session.console.colors(sys.stdout))
        text = history.as_json(generations) if output.format == "json" else history.as_text(generations, session.console.language, style)
        output.write(session.console, text)
    return ExitCode.DONE
