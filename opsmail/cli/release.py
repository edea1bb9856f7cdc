"""`opsmail release`."""

from __future__ import annotations

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.holding import opened, say_published
from opsmail.cli.options import session_options
from opsmail.cli.session import Session
from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.publish.marks import MarkKind, marked, without
from opsmail.publish.publisher import Act


@click.command("release", cls=Command, epilog="Example:  opsmail release rh-notificacoes")
@click.argument("operators", nargs=-1, required=True)
@click.option("--reason", default="", help="Why, for the history.")
@click.option("--commit", metavar="SHA", help="Trust the keys that this commit names.  [default: HEAD]")
@session_options
def command(operators: tuple[str, ...], reason: str, commit: str | None, session: Session) -> int:
    """End the hold of operators: the next publish brings what git says of them."""
    names = tuple(dict.fromkeys(operators))
    with opened(session, commit, reason) as holding:
        held = marked(holding.marks, MarkKind.HELD)
        for operator in names:
            if operator not in held:
                raise UsageError(
                    msg("`{operator}` is not held", operator=operator),
                    hint=msg("held are: {names}", names=", ".join(f"`{name}`" for name in held) or "–"),
                )
        circumstances = holding.circumstances(Act.RELEASE, reason, names)
        generation = holding.write(without(holding.marks, names, MarkKind.HELD), circumstances)
    for operator in names:
        session.console.say(msg("`{operator}` is released; the next publish brings what git says", operator=operator))
    say_published(session, generation)
    return ExitCode.DONE
