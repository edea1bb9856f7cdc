"""`opsmail history`."""

from __future__ import annotations

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.session import Session
from opsmail.evidence.invalid import InvalidEvidence
from opsmail.messages import msg
from opsmail.output.results import history
from opsmail.output.results.history import Entry
from opsmail.store.generation import Verify
from opsmail.store.interface import Head, StoreDamaged


@click.command("history", epilog="Example:  opsmail history --env production --limit 5")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many generations to show."
)
@format_option("text or json")
@session_options
def command(limit: int, formats: tuple[str, ...], session: Session) -> int:
    """Show what was published: when, by whom, from which commit. The newest comes first."""
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    settings = session.settings()
    verify = generation_verifier(settings)
    with opened_store(session, settings) as store:
        head = store.head(settings.environment)
        digests = store.generations(settings.environment, after=max(0, head.number - limit), limit=limit)
        envelopes = store.read(set(digests.values()))
    entries = [
        _entry(head, number, digest, envelopes[digest], verify)
        for number, digest in sorted(digests.items(), reverse=True)
    ]
    console = session.console
    for output in outputs:
        as_json = output.format == "json"
        text = (
            history.as_json(entries) if as_json else history.as_text(entries, console.language, output.style(console))
        )
        output.write(console, text)
    return ExitCode.DONE


def _entry(head: Head, number: int, digest: str, envelope: bytes, verify: Verify) -> Entry:
    """Return what stands in one place; an old key's signature must not hide the rest of the history."""
    try:
        generation = verify(envelope)
    except (InvalidEvidence, StoreDamaged) as error:
        return Entry(number, digest, None, error.message)
    if (generation.store, generation.environment, generation.number) != (head.identity.store, head.environment, number):
        return Entry(number, digest, None, msg("it was signed for another place"))
    return Entry(number, digest, generation)
