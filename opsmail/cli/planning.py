"""What `plan`, `publish` and `test --unproven` begin with: the store, what is published, and what would change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from opsmail.check.result import CheckResult
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.publish.plan import Plan, documents_needed, make_plan
from opsmail.publish.saved import NO_STORE
from opsmail.secrets import open_secrets
from opsmail.settings.load import Settings
from opsmail.store.backends import open_store
from opsmail.store.generation import Published, read_published
from opsmail.store.interface import Head, Store, StoreMissing
from opsmail.store.server import Access


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with what it was made from.

    Args:
        published: the present generation.
        wanted: operator to canonical document.
        plan: the difference.
    """

    published: Published
    wanted: Mapping[str, bytes]
    plan: Plan


@contextmanager
def opened_store(session: Session, settings: Settings, *, writing: bool = False) -> Iterator[Store]:
    """Open the store that the settings name and close it again; for writing, it is made where there is none."""
    store = open_store(
        settings.file.store.url,
        read_only=not writing,
        create=writing,
        root=session.root,
        access=Access.resolve(settings.store_password, settings.store_ca, open_secrets()),
    )
    try:
        yield store
    finally:
        store.close()


def prepare(store: Store | None, revision: Revision, checked: CheckResult) -> Prepared:
    """Compare a commit with what is published.

    Args:
        store: None where there is none yet, so that everything is new.
        revision: the commit.
        checked: its check.
    """
    settings = revision.settings
    wanted = revision.documents(checked)
    documents = {}
    if store is None:
        published = Published(Head(NO_STORE, settings.environment), None, None, {})
    else:
        published = read_published(store, settings.environment, generation_verifier(settings))
        documents = store.read(documents_needed(published, wanted))
    return Prepared(published, wanted, make_plan(published, documents, wanted, revision.origin))


def prepare_reading(session: Session, revision: Revision, checked: CheckResult) -> Prepared:
    """Compare a commit with what is published, without making a store where there is none."""
    try:
        with opened_store(session, revision.settings) as store:
            return prepare(store, revision, checked)
    except StoreMissing:
        return prepare(None, revision, checked)
