"""What is published and a commit, compared: what `drift` and `status` tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from opsmail.check.result import CheckResult
from opsmail.cli.planning import compare, opened_store
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.evidence.invalid import InvalidEvidence
from opsmail.messages import msg
from opsmail.output.results.drift import Report
from opsmail.publish.drift import Item, ItemKind, ahead, foreign
from opsmail.publish.foreign import changed_rows, readable, unlogged
from opsmail.publish.marks import Marks, read_marks
from opsmail.publish.saved import NO_STORE
from opsmail.store.generation import Published, read_published
from opsmail.store.interface import Head, Store, StoreDamaged, StoreMissing


def drift_report(session: Session, revision: Revision, checked: CheckResult) -> Report:
    """Return every difference between what is published and a commit; nothing is changed.

    Args:
        session: how to speak.
        revision: the commit.
        checked: its check.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    try:
        with opened_store(session, revision.settings) as store:
            return _report(session, store, revision, checked)
    except StoreMissing:
        return _before_the_first(revision, checked)


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
