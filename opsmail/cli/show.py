"""`opsmail show`."""

from __future__ import annotations

import json
import re

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.generations import absent
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.session import Session
from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.output.escape import json_text
from opsmail.output.results import history
from opsmail.shape import nearest
from opsmail.store.generation import Published, read_published

_NUMBER = re.compile(r"[1-9][0-9]{0,14}")


@click.command("show", cls=Command, epilog="Example:  opsmail show rh-notificacoes@12")
@click.argument("operator", metavar="OPERATOR[@N]")
@format_option("text or json")
@session_options
def command(operator: str, formats: tuple[str, ...], session: Session) -> int:
    """Show an operator as it is published now, or as it was in generation N."""
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    name, number = _parse(operator)
    settings = session.settings()
    with opened_store(session, settings) as store:
        published = read_published(store, settings.environment, generation_verifier(settings), number)
        digest = _digest(published, name, number)
        document = json.loads(store.read([digest])[digest])
    for output in outputs:
        if output.format == "json":
            text = json_text(document)
        else:
            text = history.operator_text(document, session.console.language, output.style(session.console))
        output.write(session.console, text)
    return ExitCode.DONE


def _parse(text: str) -> tuple[str, int | None]:
    name, at, number = text.partition("@")
    if not at:
        return name, None
    if _NUMBER.fullmatch(number) is None:
        raise UsageError(
            msg("`{number}` is not the number of a generation", number=number), hint=msg("write for example `rh@12`")
        )
    return name, int(number)


def _digest(published: Published, name: str, number: int | None) -> str:
    """Return the digest of an operator's document."""
    hint = msg("`opsmail history` lists the generations")
    environment = published.head.environment
    if published.generation is None:
        if number is not None:
            raise UsageError(absent(published, number), hint=hint)
        raise UsageError(msg("nothing is published in environment {environment}", environment=environment), hint=hint)
    digest = published.manifest.get(name)
    if digest is None:
        guess = nearest(name, list(published.manifest))
        raise UsageError(
            msg(
                "`{name}` is not in generation {number} of environment {environment}",
                name=name,
                number=published.generation.number,
                environment=environment,
            ),
            hint=hint if guess is None else msg("did you mean `{guess}`?", guess=guess),
        )
    return digest
