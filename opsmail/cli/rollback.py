"""`opsmail rollback`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import click

from opsmail.cli.ci import current_run
from opsmail.cli.consent import require_consent, require_text
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.generations import earlier, require_known
from opsmail.cli.groups import Command
from opsmail.cli.judging import descent, published_commit
from opsmail.cli.options import session_options
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.publishing import Publishing, mark_of, with_accepted
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.cli.trusting import TrustChange, find_approval, trust_change
from opsmail.messages import msg
from opsmail.output.results import plans
from opsmail.publish.ancestry import introduction
from opsmail.publish.gate import Refusal, trust_refusals
from opsmail.publish.marks import MarkKind, Marks, marked, plain, read_marks, with_mark, without
from opsmail.publish.plan import Action, Plan, documents_needed, make_plan
from opsmail.publish.publisher import Act, Circumstances, Proofs
from opsmail.publish.rollback import rollback_refusals, rolled_back
from opsmail.store.generation import Generation, Published, read_published
from opsmail.store.interface import Store


@click.command("rollback", cls=Command, epilog="Example:  opsmail rollback 12 --operator rh-notificacoes --yes")
@click.argument("number", metavar="N", type=click.IntRange(1, 10**15))
@click.option("--operator", "operators", multiple=True, metavar="OPERATOR", help="Only this one; may be repeated.")
@click.option("--yes", is_flag=True, help="Roll back without asking.")
@click.option("--accept-settings", "accepted", metavar="DIGEST", help="As in `opsmail publish`.")
@click.option("--reason", default="", help="Why, for the history.")
@click.option("--commit", metavar="SHA", help="Judge by the settings of this commit.  [default: HEAD]")
@session_options
def command(
    number: int,
    operators: tuple[str, ...],
    yes: bool,
    accepted: str | None,
    reason: str,
    commit: str | None,
    session: Session,
) -> int:
    """Publish again what generation N had, as a new generation, and hold what changes by it.

    It is judged by the catalogue of today. What is held stays as it is published until `opsmail release`.
    """
    require_text(reason)
    run = current_run(os.environ)
    run.require_trusted()
    revision = Revision.open(session, commit)
    with opened_store(session, revision.settings, writing=True) as store:
        publishing = Publishing(session, revision, run, store)
        publishing.tell_earlier()
        rollback = _prepare(publishing, number, operators)
        if not rollback.plan.changes:
            session.console.say(msg("nothing to roll back: generation {number} had the same", number=number))
            return ExitCode.DONE
        circumstances = replace(publishing.circumstances(Act.ROLLBACK, reason), required=rollback.required)
        refusals = list(_refusals(publishing, rollback, accepted))
        if refusals:
            publishing.refuse(rollback.published, rollback.plan, circumstances, refusals)
            return ExitCode.REFUSED
        key = publishing.key()
        if not yes:
            question = msg("Roll back to generation {number}?", number=number)
            require_consent(session, rollback.plan, question, msg("pass --yes"))
        circumstances = with_accepted(circumstances, rollback.trust)
        generation = publishing.publish(
            rollback.published,
            rollback.plan,
            rollback.wanted,
            _proofs(store, rollback),
            replace(
                circumstances,
                marks=plain(_marks(store, rollback, circumstances)),
                operators=tuple(rollback.held),
            ),
            key,
        )
    _tell(session, generation, number, rollback)
    return ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Rollback:
    """What goes back.

    Args:
        published: the head.
        target: the generation to go back to.
        wanted: operator to canonical document: the whole fleet after it.
        plan: the difference.
        trust: how far the commit's settings go beyond the recorded ones.
        named: the operators that were named.
    """

    published: Published
    target: Published
    wanted: Mapping[str, bytes]
    plan: Plan
    trust: TrustChange
    named: tuple[str, ...]

    @property
    def required(self) -> tuple[str, ...]:
        """The kinds of evidence that everything in it has been asked for."""
        both = (self.published.generation, self.target.generation)
        now, then = (() if generation is None else generation.required for generation in both)
        return tuple(kind for kind in now if kind in then)

    @property
    def held(self) -> list[str]:
        """Who is held from now on."""
        return sorted({*self.plan.changing, *self.named})


def _prepare(publishing: Publishing, number: int, operators: tuple[str, ...]) -> _Rollback:
    """Compare what is published with what was.

    Raises:
        UsageError: there is no such generation, or no such operator in the two.
    """
    settings, store = publishing.revision.settings, publishing.store
    published = read_published(store, settings.environment, generation_verifier(settings))
    target = earlier(store, published, number)
    require_known(operators, {*published.manifest, *target.manifest})
    manifest = rolled_back(published.manifest, target.manifest, operators)
    contents = store.read(set(manifest.values()))
    wanted = {operator: contents[digest] for operator, digest in manifest.items()}
    documents = store.read(documents_needed(published, wanted))
    plan = make_plan(published, documents, wanted, publishing.revision.origin)
    return _Rollback(published, target, wanted, plan, trust_change(store, published, settings), operators)


def _refusals(publishing: Publishing, rollback: _Rollback, accepted: str | None) -> Iterator[Refusal]:
    """Yield why it does not happen; how much changes at once, and how old its proofs are, is no reason."""
    revision, trust = publishing.revision, rollback.trust
    yield from descent(revision, rollback.published)
    if find_approval(publishing.session, revision, trust, published_commit(rollback.published)) is None:
        yield from trust_refusals(trust.loosened, trust.digest, accepted)
    yield from rollback_refusals(rollback.plan, rollback.wanted, revision.settings)


def _marks(store: Store, rollback: _Rollback, circumstances: Circumstances) -> Marks:
    """Return the marks after it: what went live unproven then did so still."""
    before = read_marks(store, rollback.published.generation)
    unproven = marked(read_marks(store, rollback.target.generation), MarkKind.BREAK_GLASS)
    marks = without(before, rollback.plan.changing, MarkKind.BREAK_GLASS)
    for operator in rollback.plan.changing & unproven.keys():
        marks = with_mark(marks, [operator], unproven[operator])
    return with_mark(marks, rollback.held, mark_of(MarkKind.HELD, rollback.published, circumstances))


def _proofs(store: Store, rollback: _Rollback) -> Proofs:
    """Return what proved the documents when they went live first; it is in the store already."""
    back = [change.operator for change in rollback.plan.changes if change.action is not Action.DELETE]
    found = {operator: introduction(store, rollback.target, operator).evidence for operator in back}
    return Proofs((), {operator: list(digests) for operator, digests in found.items() if digests})


def _tell(session: Session, generation: Generation, number: int, rollback: _Rollback) -> None:
    told = msg(
        "published generation {number} for {environment}, with what generation {earlier} had: {summary}",
        number=generation.number,
        environment=generation.environment,
        earlier=number,
        summary=plans.summary(rollback.plan),
    )
    session.console.say(told)
    for operator in rollback.held:
        session.console.say(msg("`{operator}` is held; `opsmail release {operator}` ends that", operator=operator))
