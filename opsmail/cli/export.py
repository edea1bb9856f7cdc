"""`opsmail export`."""

from __future__ import annotations

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.generations import require_published
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.session import Session
from opsmail.messages import msg
from opsmail.output.exports import FORMATS
from opsmail.store.generation import read_published
from opsmail.transfer.published import read_fleet


@click.command("export", cls=Command, epilog="Example:  opsmail export --env production --format env:mail.env")
@format_option("json, env, appsettings or msmtp", default="json")
@session_options
def command(formats: tuple[str, ...], session: Session) -> int:
    """Write the published settings in a form that other programs read: all operators of the present generation.

    References to secrets stay references. The generation's signature is verified here; what is written is not signed.
    """
    outputs = parse_outputs(formats or ("json",), FORMATS)
    settings = session.settings()
    with opened_store(session, settings) as store:
        published = read_published(store, settings.environment, generation_verifier(settings))
        require_published(published)
        fleet = read_fleet(store, published)
    # Before the first is written: a format that cannot have a value ends the command.
    texts = [FORMATS[output.format](fleet) for output in outputs]
    for output, text in zip(outputs, texts, strict=True):
        output.write(session.console, text)
    session.console.say(
        msg(
            "generation {number} of {environment}; this is not signed: keep it where nobody else can change it",
            number=fleet.generation,
            environment=fleet.environment,
        )
    )
    return ExitCode.DONE
