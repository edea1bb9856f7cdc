"""`opsmail history`."""

from __future__ import annotations

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import Output, format_option, parse_outputs
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.session import Session
from opsmail.evidence.invalid import InvalidEvidence
from opsmail.messages import msg
from opsmail.output.results import history
from opsmail.output.results.history import Entry
from opsmail.publish.marks import Marks, read_marks
from opsmail.publish.verification import Verification, verify_history
from opsmail.store.generation import Generation, Verify, read_envelopes
from opsmail.store.interface import Head, Store, StoreDamaged


@click.command("history", cls=Command, epilog="Example:  opsmail history --env production --limit 5")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many generations to show."
)
@click.option(
    "--verify",
    "walk",
    is_flag=True,
    help="Walk all of it, and tell where something does not follow; exits with 1 then.",
)
@format_option("text or json")
@session_options
def command(limit: int, walk: bool, formats: tuple[str, ...], session: Session) -> int:
    """Show what was published: when, by whom, from which commit. The newest comes first."""
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    settings = session.settings()
    verify = generation_verifier(settings)
    console = session.console
    with opened_store(session, settings) as store:
        if walk:
            verification = verify_history(store, settings.environment, verify)
            for output in outputs:
                output.write(console, _verified(verification, output, session))
            return ExitCode.FINDINGS if verification.breaks else ExitCode.DONE
        head = store.head(settings.environment)
        kept = read_envelopes(store, settings.environment, after=max(0, head.number - limit), limit=limit)
        entries = [
            _entry(store, head, number, digest, envelope, verify)
            for number, (digest, envelope) in sorted(kept.items(), reverse=True)
        ]
    for output in outputs:
        as_json = output.format == "json"
        text = (
            history.as_json(entries) if as_json else history.as_text(entries, console.language, output.style(console))
        )
        output.write(console, text)
    return ExitCode.DONE


def _verified(verification: Verification, output: Output, session: Session) -> str:
    if output.format == "json":
        return history.verification_as_json(verification)
    return history.verification_as_text(verification, session.console.language, output.style(session.console))


def _entry(store: Store, head: Head, number: int, digest: str, envelope: bytes, verify: Verify) -> Entry:
    """Return what stands in one place; an old key's signature must not hide the rest of the history."""
    try:
        generation = verify(envelope)
    except (InvalidEvidence, StoreDamaged) as error:
        return Entry(number, digest, None, error.message)
    if (generation.store, generation.environment, generation.number) != (head.identity.store, head.environment, number):
        return Entry(number, digest, None, msg("it was signed for another place"))
    return Entry(number, digest, generation, marks=_set_by(store, generation))


def _set_by(store: Store, generation: Generation) -> Marks:
    """Return the marks that a generation set; what cannot be read is for `--verify` to tell."""
    try:
        marks = read_marks(store, generation)
    except StoreDamaged:
        return {}
    new = {name: tuple(mark for mark in items if mark.generation == generation.number) for name, items in marks.items()}
    return {name: items for name, items in new.items() if items}
