"""`opsmail diff`."""

from __future__ import annotations

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.generations import earlier, require_published
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.session import Session
from opsmail.output.results import difference
from opsmail.publish.plan import Change, changes_between
from opsmail.store.generation import Published, read_published
from opsmail.store.interface import Store

_NUMBER = click.IntRange(1, 10**15)


@click.command("diff", cls=Command, epilog="Example:  opsmail diff 11 12 --env production")
@click.argument("first", metavar="N", type=_NUMBER)
@click.argument("second", metavar="[M]", type=_NUMBER, required=False)
@format_option("text or json")
@session_options
def command(first: int, second: int | None, formats: tuple[str, ...], session: Session) -> int:
    """Show what changed from generation N to generation M, or to the published one, field by field."""
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    settings = session.settings()
    with opened_store(session, settings) as store:
        published = read_published(store, settings.environment, generation_verifier(settings))
        require_published(published)
        numbers = (first, published.head.number if second is None else second)
        before, after = (earlier(store, published, number) for number in numbers)
        changes = _changes(store, before, after)
    console = session.console
    for output in outputs:
        if output.format == "json":
            text = difference.as_json(numbers, changes)
        else:
            text = difference.as_text(numbers, changes, console.language, output.style(console))
        output.write(console, text)
    return ExitCode.DONE


def _changes(store: Store, before: Published, after: Published) -> tuple[Change, ...]:
    """Return what changed, in the order of names; only the documents that differ are read."""
    differing = dict(before.manifest.items() ^ after.manifest.items()).keys()
    old, new = (
        {name: digest for name, digest in side.manifest.items() if name in differing} for side in (before, after)
    )
    contents = store.read({*old.values(), *new.values()})
    return changes_between(old, {name: contents[digest] for name, digest in new.items()}, contents)
