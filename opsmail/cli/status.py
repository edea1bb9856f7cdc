"""`opsmail status`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from opsmail import __version__
from opsmail.check.result import CheckResult
from opsmail.cli.drifting import drift_report
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import Output, format_option, parse_outputs
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier, now, statements_at_hand
from opsmail.cli.revision import Revision
from opsmail.cli.served import what_is_served
from opsmail.cli.session import Session
from opsmail.evidence.facts import TestSend
from opsmail.evidence.statement import Statement
from opsmail.messages import msg
from opsmail.output.results import status as results
from opsmail.output.results.status import Ends, Kept, Serving, Status, problems_of
from opsmail.providers import load_providers
from opsmail.publish.kept import masters
from opsmail.report import fleet as fleets
from opsmail.report.endings import Ending
from opsmail.runtime.snapshot import SnapshotError, load_snapshot
from opsmail.settings.load import Settings
from opsmail.store.generation import oldest_kept, read_published
from opsmail.store.interface import StoreMissing

_FORMATS = ("text", "json", "prometheus")


@click.command("status", cls=Command, epilog="Example:  opsmail status --env production --format prometheus")
@format_option("text, json or prometheus")
@click.option(
    "--snapshot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Compare the snapshot of an application server, too.",
)
@click.option("--commit", metavar="SHA", help="Compare with this commit.  [default: HEAD]")
@session_options
def command(formats: tuple[str, ...], snapshot: Path | None, commit: str | None, session: Session) -> int:
    """Tell how an environment is, for people and for monitoring. Changes nothing.

    What is published and how old it is, whether the master is proven, what ends when, and whether something else
    changed the store. Exits with 1 where something of it is wrong.
    """
    outputs = parse_outputs(formats or ("text",), _FORMATS)
    revision = Revision.open(session, commit)
    found, unavailable = _status(session, revision, revision.check(), snapshot)
    for output in outputs:
        output.write(session.console, _render(found, output, session))
    return ExitCode.FINDINGS if found.problems else unavailable


def _status(
    session: Session, revision: Revision, checked: CheckResult, snapshot: Path | None
) -> tuple[Status, ExitCode]:
    """Return how the environment is, and the exit code where nothing is wrong with it."""
    settings, made = revision.settings, now()
    statements = tuple(statements_at_hand(session.root, settings))
    served, code = what_is_served(session, settings)
    fleet = fleets.fleet(checked, settings, load_providers(), statements, served, made)
    known = [*statements, *(served.statements if served else ())]
    serving = None if code is ExitCode.UNAVAILABLE else _serving(session, revision, checked, known)
    status = Status(
        environment=settings.environment,
        now=made,
        serving=serving,
        states={state.value: fleet.count(state) for state in fleets.State},
        ends=tuple(_ends(fleet.endings)),
        version=__version__,
    )
    problems = []
    if snapshot is not None:
        try:
            status = replace(status, snapshot=_kept(snapshot, settings, serving))
        except SnapshotError as error:
            problems.append(error.message)
    return replace(status, problems=(*problems_of(status), *problems)), code


def _serving(session: Session, revision: Revision, checked: CheckResult, statements: Iterable[Statement]) -> Serving:
    """Return what the store serves, which answered just now."""
    settings = revision.settings
    drift = drift_report(session, revision, checked)
    differences = Counter(item.kind for item in drift.items)
    nothing = Serving(
        generation=0,
        epoch=0,
        oldest=0,
        commit="",
        published=None,
        operators=0,
        master=None,
        proven=None,
        drift=drift.state,
        differences=differences,
    )
    try:
        with opened_store(session, settings) as store:
            published = read_published(store, settings.environment, generation_verifier(settings))
            documents = store.read(set(published.manifest.values()))
            oldest = oldest_kept(store, settings.environment)
    except StoreMissing:
        return nothing
    generation = published.generation
    if generation is None:
        return nothing
    found = masters({name: documents[digest] for name, digest in published.manifest.items()})
    master = found[0] if found else None
    return replace(
        nothing,
        generation=generation.number,
        epoch=generation.epoch,
        oldest=oldest,
        commit=generation.commit,
        published=generation.moment(),
        operators=generation.operators,
        master=master,
        proven=None if master is None else _proven(published.manifest[master], settings.environment, statements),
    )


def _proven(digest: str, environment: str, statements: Iterable[Statement]) -> datetime | None:
    """Return when the newest test send was made with exactly this document; None for none."""
    times = [
        item.context.time
        for item in statements
        if isinstance(item.facts, TestSend) and item.digest == digest and item.context.environment == environment
    ]
    return max(times, default=None)


def _ends(endings: Iterable[Ending]) -> Iterator[Ends]:
    for ending in endings:
        for operator in ending.operators or ("",):
            yield Ends(ending.kind.value, ending.day, operator, ending.what)


def _kept(path: Path, settings: Settings, serving: Serving | None) -> Kept:
    """Return what a snapshot has.

    Raises:
        SnapshotError: it cannot be read, or there is none.
    """
    snapshot = load_snapshot(path, settings.environment)
    if snapshot is None:
        raise SnapshotError(msg("there is no snapshot at {path}", path=path))
    stale = None if serving is None else snapshot.head.number != serving.generation
    return Kept(snapshot.head.number, stale, datetime.fromtimestamp(snapshot.confirmed, UTC).replace(microsecond=0))


def _render(status: Status, output: Output, session: Session) -> str:
    if output.format == "json":
        return results.as_json(status)
    if output.format == "prometheus":
        return results.as_prometheus(status)
    return results.as_text(status, session.console.language, output.style(session.console))
