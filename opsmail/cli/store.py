"""`opsmail store`."""

from __future__ import annotations

import os
from dataclasses import replace

import click

from opsmail.cli.ci import current_run
from opsmail.cli.consent import require_consent, require_text
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.generations import require_published
from opsmail.cli.groups import Group
from opsmail.cli.holding import Holding
from opsmail.cli.language import language_option
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier, now
from opsmail.cli.publishing import Publishing
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.errors import RefusedError
from opsmail.messages import msg
from opsmail.output.results import collection
from opsmail.publish.adoption import Adoptee, doubtful, find_adoptee, needs_epoch
from opsmail.publish.collection import Collector, Retention
from opsmail.publish.marks import read_marks
from opsmail.publish.publisher import Act
from opsmail.store.generation import Published


@click.group("store", cls=Group, invoke_without_command=True)
@language_option
@click.pass_context
def command(ctx: click.Context) -> None:
    """What is done to a store as a whole."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(ExitCode.USAGE)


@command.command("adopt", epilog='Example:  opsmail store adopt --env production --reason "restored the backup" --yes')
@click.option("--yes", is_flag=True, help="Adopt without asking.")
@click.option(
    "--accept-head",
    "accepted",
    metavar="DIGEST",
    help="Answer for the generation with this digest, although its signature does not hold.",
)
@click.option("--reason", default="", help="Why, for the history.")
@click.option("--commit", metavar="SHA", help="Trust the keys that this commit names.  [default: HEAD]")
@session_options
def adopt(yes: bool, accepted: str | None, reason: str, commit: str | None, session: Session) -> int:
    """Take a store as it is that went back, so that readers follow it: the same operators, in a new, signed epoch."""
    require_text(reason)
    run = current_run(os.environ)
    run.require_trusted()
    revision = Revision.open(session, commit)
    environment = revision.settings.environment
    with opened_store(session, revision.settings, writing=True) as store:
        publishing = Publishing(session, revision, run, store)
        publishing.tell_earlier()
        head = store.head(environment)
        if head.digest is None:
            require_published(Published(head, None, None, {}))
        adoptee = find_adoptee(store, head, generation_verifier(revision.settings))
        _require_trust(adoptee, accepted)
        published = adoptee.published
        holding = Holding(publishing, published, adoptee.generation, read_marks(store, adoptee.generation))
        circumstances = holding.circumstances(Act.ADOPT, reason, ())
        if adoptee.doubt is not None:
            # Nobody vouches for what it says was trusted.
            circumstances = replace(circumstances, trust=b"")
        # Before anything changes: an epoch that nobody can sign would leave readers with what they have.
        publishing.key()
        if not yes:
            question = msg("Adopt generation {number} of {environment}?", number=head.number, environment=environment)
            require_consent(session, holding.plan(holding.fleet()), question, msg("pass --yes"))
        if needs_epoch(adoptee):
            identity = store.raise_epoch(head.identity)
            holding = replace(holding, published=replace(published, head=replace(head, identity=identity)))
        generation = holding.write(holding.marks, circumstances)
    session.console.say(
        msg(
            "published generation {number} for {environment}: what generation {before} had, in epoch {epoch}",
            number=generation.number,
            environment=environment,
            before=head.number,
            epoch=generation.epoch,
        )
    )
    return ExitCode.DONE


@command.command("collect", epilog="Example:  opsmail store collect --env production --dry-run")
@click.option("--dry-run", is_flag=True, help="Tell what would be taken away; change nothing.")
@click.option("--commit", metavar="SHA", help="Keep what the settings of this commit say.  [default: HEAD]")
@format_option("text or json")
@session_options
def collect(dry_run: bool, commit: str | None, formats: tuple[str, ...], session: Session) -> int:
    """Take away what a store does not need any more.

    That is: generations beyond store.keep_generations and store.keep_days, and content that nothing leads to. What is
    published stays as it is, and so does the event log; publishers and readers may be at work meanwhile.
    """
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    run = current_run(os.environ)
    run.require_trusted()
    settings = Revision.open(session, commit).settings
    limits = settings.file.store
    with opened_store(session, settings, writing=not dry_run) as store:
        collector = Collector(
            store,
            generation_verifier(settings),
            Retention(limits.keep_generations, limits.keep_days),
            run.actor,
            now(),
        )
        done = (collector.look if dry_run else collector.collect)(settings.environment)
    for output in outputs:
        if output.format == "json":
            text = collection.as_json(done, dry_run=dry_run)
        else:
            text = collection.as_text(done, session.console.language, dry_run=dry_run)
        output.write(session.console, text)
    return ExitCode.DONE


def _require_trust(adoptee: Adoptee, accepted: str | None) -> None:
    doubt = doubtful(adoptee, accepted)
    if doubt is not None:
        raise RefusedError(
            doubt,
            hint=msg(
                "make sure that it is what should be published, then pass `--accept-head {digest}`",
                digest=adoptee.published.digest,
            ),
        )
