"""`opsmail hold`."""

from __future__ import annotations

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.generations import require_known
from opsmail.cli.groups import Command
from opsmail.cli.holding import opened, say_published
from opsmail.cli.options import session_options
from opsmail.cli.publishing import mark_of
from opsmail.cli.session import Session
from opsmail.messages import msg
from opsmail.publish.marks import MarkKind, with_mark
from opsmail.publish.publisher import Act


@click.command(
    "hold", cls=Command, epilog='Example:  opsmail hold rh-notificacoes --reason "until the relay answers, INC-4711"'
)
@click.argument("operators", nargs=-1, required=True)
@click.option("--reason", default="", help="Why, for whoever meets the hold.")
@click.option("--commit", metavar="SHA", help="Trust the keys that this commit names.  [default: HEAD]")
@session_options
def command(operators: tuple[str, ...], reason: str, commit: str | None, session: Session) -> int:
    """Keep operators as they are published, whatever git says, until they are released."""
    names = tuple(dict.fromkeys(operators))
    with opened(session, commit, reason) as holding:
        require_known(names, holding.published.manifest)
        circumstances = holding.circumstances(Act.HOLD, reason, names)
        mark = mark_of(MarkKind.HELD, holding.published, circumstances)
        generation = holding.write(with_mark(holding.marks, names, mark), circumstances)
    for operator in names:
        session.console.say(msg("`{operator}` is held; `opsmail release {operator}` ends that", operator=operator))
    say_published(session, generation)
    return ExitCode.DONE
