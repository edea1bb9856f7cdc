"""`opsmail drift`."""

from __future__ import annotations

import click

from opsmail.cli.drifting import drift_report
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.messages import msgn
from opsmail.output.results import drift


@click.command("drift", cls=Command, epilog="Example:  opsmail drift --env production --format json")
@format_option("text or json")
@click.option("--commit", metavar="SHA", help="Compare with this commit.  [default: HEAD]")
@session_options
def command(formats: tuple[str, ...], commit: str | None, session: Session) -> int:
    """Compare what is published with git: what is still to come, and what something else has changed. Changes nothing.

    The state is `clean`, `pending` (git is ahead), `drift` (something else changed the store) or `both`; all but
    `clean` exit with 1.
    """
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    revision = Revision.open(session, commit)
    checked = revision.check()
    errors = checked.errors()
    if errors:
        session.console.say(
            msgn(
                "the commit has {count} error: `opsmail check` shows it",
                "the commit has {count} errors: `opsmail check` shows them",
                len(errors),
            )
        )
    report = drift_report(session, revision, checked)
    for output in outputs:
        as_json = output.format == "json"
        console = session.console
        text = drift.as_json(report) if as_json else drift.as_text(report, console.language, output.style(console))
        output.write(console, text)
    return ExitCode.FINDINGS if report.items else ExitCode.DONE
