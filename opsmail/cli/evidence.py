"""`opsmail evidence`."""

from __future__ import annotations

from pathlib import Path

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Group
from opsmail.cli.language import language_option
from opsmail.cli.options import session_options
from opsmail.cli.proofs import trusted_keys
from opsmail.cli.session import Session
from opsmail.evidence.envelope import VerifiedStatement
from opsmail.evidence.facts import format_time
from opsmail.evidence.files import FOLDER, list_envelopes, verify_files
from opsmail.evidence.invalid import InvalidEvidence
from opsmail.messages import Message, msg, msgn


@click.group("evidence", cls=Group, invoke_without_command=True)
@language_option
@click.pass_context
def command(ctx: click.Context) -> None:
    """Signed statements of what was proven."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(ExitCode.USAGE)


@command.command("verify", epilog="Example:  opsmail evidence verify .opsmail/evidence/*.json")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@session_options
def verify(files: tuple[Path, ...], session: Session) -> int:
    """Tell what each statement says, who signed it, and whether it holds. Without FILES, those in .opsmail/evidence."""
    paths = files or list_envelopes(session.root / FOLDER)
    refused = 0
    for answer in verify_files(paths, trusted_keys(session.settings())):
        refused += isinstance(answer, InvalidEvidence)
        session.console.result(session.console.text(_line(answer)) + "\n")
    session.console.say(
        msgn(
            "{count} statement, {refused} refused", "{count} statements, {refused} refused", len(paths), refused=refused
        )
    )
    return ExitCode.FINDINGS if refused else ExitCode.DONE


def _line(answer: VerifiedStatement | InvalidEvidence) -> Message:
    file = Path(answer.source).name
    if isinstance(answer, InvalidEvidence):
        return msg("✗ {file}: {reason}", file=file, reason=answer.message)
    statement = answer.statement
    return msg(
        "✓ {file}: `{kind}` for {subject}, environment {environment}, {time}, signed by {key}",
        file=file,
        kind=statement.kind.value,
        subject=statement.subject,
        environment=statement.context.environment,
        time=format_time(statement.context.time),
        key=answer.key,
    )
