"""`opsmail drift`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import click

from opsmail.check.result import CheckResult
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.planning import compare, opened_store
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.evidence.invalid import InvalidEvidence
from opsmail.messages import msg, msgn
from opsmail.output.results import drift
from opsmail.output.results.drift import Report
from opsmail.publish.drift import Item, ItemKind, ahead, foreign
from opsmail.publish.foreign import changed_rows, readable, unlogged
from opsmail.publish.marks import Marks, read_marks
from opsmail.publish.saved import NO_STORE
from opsmail.store.generation import Published, read_published
from opsmail.store.interface import Head, Store, StoreDamaged, StoreMissing


@click.command("drift", cls=Command, epilog="Example:  opsmail drift --env production --format json")
@format_option("text or json")
@click.option("--commit", metavar="SHA", help="Compare with this commit.  [default: HEAD]")
@session_options
def command(formats: tuple[str, ...], commit: str | None, session: Session) -> int:
    """Compare what is published with git: what is still to come, and what something else has changed. Changes nothing.

    The state is `clean`, `pending` (git is ahead), `drift` (something else changed the store) or `both`; all but
    `clean` exit with 1.
    """
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    revision = Revision.open(session, commit)
    checked = revision.check()
    errors = checked.errors()
    if errors:
        session.console.say(
            msgn(
                "the commit has {count} error: `opsmail check` shows it",
                "the commit has {count} errors: `opsmail check` shows them",
                len(errors),
            )
        )
    try:
        with opened_store(session, revision.settings) as store:
            report = _report(session, store, revision, checked)
    except StoreMissing:
        report = _before_the_first(revision, checked)
    for output in outputs:
        as_json = output.format == "json"
        console = session.console
        text = drift.as_json(report) if as_json else drift.as_text(report, console.language, output.style(console))
        output.write(console, text)
    return ExitCode.FINDINGS if report.items else ExitCode.DONE


def _before_the_first(revision: Revision, checked: CheckResult) -> Report:
    environment = revision.settings.environment
    nothing = Published(Head(NO_STORE, environment), None, None, {})
    plan = compare(revision, checked, revision.documents(checked), nothing, {}, {}).plan
    return Report(environment, 0, revision.origin.commit, tuple(ahead(plan)), {})


def _report(session: Session, store: Store, revision: Revision, checked: CheckResult) -> Report:
    environment = revision.settings.environment
    head = Head(NO_STORE, environment)
    try:
        head = store.head(environment)
        published = read_published(store, environment, generation_verifier(revision.settings))
        marks = read_marks(store, published.generation)
    except (InvalidEvidence, StoreDamaged) as error:
        # What cannot be believed is not compared.
        found = tuple(foreign([error.message]))
        return Report(environment, head.number, revision.origin.commit, found, {})
    items = tuple(_items(session, store, revision, checked, published, marks))
    return Report(environment, published.head.number, revision.origin.commit, items, marks)


def _items(
    session: Session,
    store: Store,
    revision: Revision,
    checked: CheckResult,
    published: Published,
    marks: Marks,
) -> Iterator[Item]:
    """Yield every difference between what is published and the commit."""
    documents, wrong = readable(store, published)
    for operator, message in wrong.items():
        yield from foreign([message], operator)
    for operator, message in changed_rows(store, published, documents):
        yield from foreign([message], operator)
    yield from foreign(unlogged(store, published))
    generation = published.generation
    if generation is not None:
        descends = revision.repository.descends(revision.origin.commit, generation.commit)
        if descends is None:
            session.console.say(
                msg(
                    "the history that is here does not tell where commit {commit} belongs",
                    commit=generation.commit[:12],
                )
            )
        elif not descends:
            yield from foreign(
                [
                    msg(
                        "generation {number} was published from commit {commit}, which does not come before this one",
                        number=generation.number,
                        commit=generation.commit[:12],
                    )
                ]
            )
    believed = {name: digest for name, digest in published.manifest.items() if name not in wrong}
    whole = replace(published, manifest=believed)
    prepared = compare(revision, checked, revision.documents(checked), whole, documents, marks)
    if prepared.records_other_settings():
        yield Item(ItemKind.PENDING, msg("a publish would record what the settings trust now"))
    yield from (item for item in ahead(prepared.plan) if item.operator not in wrong)
