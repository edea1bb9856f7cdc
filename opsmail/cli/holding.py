"""What `hold` and `release` have in common: a generation with the same operators and other marks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from opsmail.cli.ci import current_run
from opsmail.cli.consent import require_text
from opsmail.cli.generations import require_published
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.publishing import Publishing
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.messages import msg
from opsmail.publish.marks import Marks, plain, read_marks
from opsmail.publish.plan import Origin, Plan, make_plan
from opsmail.publish.publisher import Act, Circumstances, Proofs
from opsmail.store.generation import Generation, Published, read_published

_NOTHING = Proofs((), {})


@dataclass(frozen=True, slots=True)
class Holding:
    """What is published, to be published again with other marks.

    Args:
        publishing: how.
        published: the head.
        generation: its facts.
        marks: as they are.
    """

    publishing: Publishing
    published: Published
    generation: Generation
    marks: Marks

    def circumstances(self, act: Act, reason: str, operators: tuple[str, ...]) -> Circumstances:
        """Return what the next generation says; what was required and trusted stays as the last publish recorded it."""
        kept = self.generation.trust
        return replace(
            self.publishing.circumstances(act, reason),
            operators=operators,
            required=self.generation.required,
            trust=b"" if kept is None else self.publishing.store.read([kept])[kept],
        )

    def plan(self, wanted: Mapping[str, bytes]) -> Plan:
        """Return the plan that changes nothing of `wanted`, from where the published operators come from."""
        before = self.generation
        origin = Origin(repository=before.repository, commit=before.commit, settings_digest=before.settings_digest)
        return make_plan(self.published, {}, wanted, origin)

    def write(self, marks: Marks, circumstances: Circumstances) -> Generation:
        """Publish the same operators with these marks."""
        wanted = self.fleet()
        return self.publishing.publish(
            self.published,
            self.plan(wanted),
            wanted,
            _NOTHING,
            replace(circumstances, marks=plain(marks)),
            self.publishing.key(),
        )

    def fleet(self) -> dict[str, bytes]:
        """Return the published operators: each with its canonical document."""
        contents = self.publishing.store.read(set(self.published.manifest.values()))
        return {operator: contents[digest] for operator, digest in self.published.manifest.items()}


@contextmanager
def opened(session: Session, commit: str | None, reason: str) -> Iterator[Holding]:
    """Open what is published.

    Args:
        session: the circumstances.
        commit: whose settings say which keys count; None for HEAD.
        reason: to be recorded.

    Raises:
        UsageError: nothing is published, or the reason is none.
    """
    require_text(reason)
    run = current_run(os.environ)
    run.require_trusted()
    revision = Revision.open(session, commit)
    with opened_store(session, revision.settings, writing=True) as store:
        publishing = Publishing(session, revision, run, store)
        publishing.tell_earlier()
        published = read_published(store, revision.settings.environment, generation_verifier(revision.settings))
        generation = require_published(published)
        yield Holding(publishing, published, generation, read_marks(store, generation))


def say_published(session: Session, generation: Generation) -> None:
    """Say which generation has the new marks."""
    session.console.say(
        msg(
            "published generation {number} for {environment}",
            number=generation.number,
            environment=generation.environment,
        )
    )
