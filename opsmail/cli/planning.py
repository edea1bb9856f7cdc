"""What `plan`, `publish` and `test --unproven` begin with: the store, what is published, and what would change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from opsmail.check.result import CheckResult
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.cli.trusting import TrustChange, trust_change
from opsmail.publish.kept import keep
from opsmail.publish.marks import MarkKind, Marks, marked, read_marks
from opsmail.publish.pins import revoked
from opsmail.publish.plan import Plan, documents_needed, make_plan
from opsmail.publish.saved import NO_STORE
from opsmail.secrets import open_secrets
from opsmail.settings.load import Settings
from opsmail.settings.trust import record
from opsmail.store.backends import open_store
from opsmail.store.generation import Published, read_published
from opsmail.store.interface import Head, Store, StoreMissing
from opsmail.store.server import Access
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with what it was made from.

    Args:
        published: the present generation.
        wanted: operator to canonical document: what git wants, but for what is held.
        plan: the difference.
        trust: how far the commit's settings go beyond the recorded ones.
        record: what the commit's settings trust, as a publish would record it.
        documents: the published documents that differ from what git wants, by digest.
        marks: of the published operators.
    """

    published: Published
    wanted: Mapping[str, bytes]
    plan: Plan
    trust: TrustChange
    record: bytes
    documents: Mapping[str, bytes]
    marks: Marks

    def records_other_settings(self) -> bool:
        """Whether a publish has something to record also where no operator changes: what is trusted from now on."""
        generation = self.published.generation
        return generation is not None and generation.trust != hashlib.sha256(self.record).hexdigest()


@contextmanager
def opened_store(
    session: Session, settings: Settings, *, writing: bool = False, create: bool = False
) -> Iterator[Store]:
    """Open the store that the settings name and close it again.

    Args:
        session: where relative paths start.
        settings: name it.
        writing: whether it will be changed.
        create: make it where there is none.
    """
    url, password = settings.store_login(writing=writing)
    store = open_store(
        url,
        read_only=not writing,
        create=create,
        root=session.root,
        access=Access.resolve(password, settings.store_ca, open_secrets()),
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
    asked = revision.documents(checked)
    if store is None:
        nothing = Published(Head(NO_STORE, settings.environment), None, None, {})
        return compare(revision, checked, asked, nothing, {}, {})
    published = read_published(store, settings.environment, generation_verifier(settings))
    faulty = {published.manifest[name] for name in _faulty(checked) if name in published.manifest}
    documents = store.read(documents_needed(published, asked) | faulty)
    prepared = compare(revision, checked, asked, published, documents, read_marks(store, published.generation))
    return replace(prepared, trust=trust_change(store, published, settings))


def compare(
    revision: Revision,
    checked: CheckResult,
    asked: Mapping[str, bytes],
    published: Published,
    documents: Mapping[str, bytes],
    marks: Marks,
) -> Prepared:
    """Compare a commit with what is published; its settings are not compared.

    Args:
        revision: the commit.
        checked: its check; files that cannot be read stay as they are published.
        asked: operator to canonical document, as the commit has it.
        published: the head.
        documents: the published documents, by digest, at least those that differ or have errors.
        marks: of the published operators.
    """
    unread = {member.name for member in checked.members if member.operator is None and member.name is not None}
    wanted, _ = keep(asked, unread & published.manifest.keys(), published, documents)
    wanted, held = keep(wanted, marked(marks, MarkKind.HELD), published, documents)
    # What is published as it was just checked, and found right, is allowed.
    faulty = _faulty(checked)
    right = {name: hashlib.sha256(content).hexdigest() for name, content in asked.items() if name not in faulty}
    doubtful = {
        name: documents[digest]
        for name, digest in published.manifest.items()
        if digest in documents and right.get(name) != digest
    }
    plan = replace(
        make_plan(published, documents, wanted, revision.origin),
        held=held,
        revoked=tuple(revoked(doubtful, revision.settings)),
    )
    trust = TrustChange(revision.settings.digest, (), None)
    return Prepared(published, wanted, plan, trust, record(revision.settings), documents, marks)


def _faulty(checked: CheckResult) -> set[str]:
    """Return the operators that the check finds errors in."""
    return {finding.operator for finding in checked.errors() if finding.operator is not None}


def prepare_reading(session: Session, revision: Revision, checked: CheckResult) -> Prepared:
    """Compare a commit with what is published, without making a store where there is none."""
    try:
        with opened_store(session, revision.settings) as store:
            return prepare(store, revision, checked)
    except StoreMissing:
        return prepare(None, revision, checked)
