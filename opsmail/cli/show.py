"""`opsmail show`."""

from __future__ import annotations

import json
import sys

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.options import session_options
from opsmail.cli.outputs import parse_outputs
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.session import Session
from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.output.results import history
from opsmail.output.style import Style
from opsmail.shape import nearest
from opsmail.store.generation import read_published


@click.command("show", epilog="Example:  opsmail show rh-notificacoes@12")
@click.argument("operator", metavar="OPERATOR[@N]")
@click.option("--format", "formats", multiple=True, metavar="FORMAT[:FILE]", help="text or json.  [default: text]")
@session_options
def command(operator: str, formats: tuple[str, ...], session: Session) -> int:
    """Show an operator as it is published now, or as it was in generation N."""
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    name, at, number = operator.partition("@")
    if at and not (number.isascii() and number.isdigit() and 0 < int(number[:18]) and len(number) <= 15):
        raise UsageError(msg("`{number}` is not the number of a generation", number=number), hint=msg("write for example `rh@12`"))
    settings = session.settings()
    with opened_store(session, settings, read_only=True) as store:
        published = read_published(store, settings.environment, generation_verifier(settings), int(number) if at else None)
        digest = published.manifest.get(name)
        if digest is None:
            guess = nearest(name, list(published.manifest))
            raise UsageError(
                msg("`{name}` is not published in {where}", name=name, where=msg("generation {number}", number=number) if at else settings.environment),
                hint=msg("did you mean `{guess}`?", guess=guess) if guess else msg("`opsmail history` lists the generations"),
            )
        content = store.read([digest])[digest]
    for output in outputs:
        style = Style(output.file is None and session.console.colors(sys.stdout))
        document = json.loads(content)
        text = json.dumps(document, indent=1) + "\n" if output.format == "json" else history.operator_text(document, style)
        output.write(session.console, text)
    return ExitCode.DONE
