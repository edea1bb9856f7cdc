"""`opsmail publish`."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import click

from opsmail.cli.attesting import context_of
from opsmail.cli.ci import current_run
from opsmail.cli.consent import require_consent, require_text
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.freshness import record_fresh
from opsmail.cli.groups import Command
from opsmail.cli.judging import Judgement, judge_publish
from opsmail.cli.options import session_options
from opsmail.cli.planning import Prepared, opened_store, prepare
from opsmail.cli.proofs import signing_key
from opsmail.cli.publishing import MOST_TOLD, Publishing, mark_of, tell, with_accepted, with_event
from opsmail.cli.requesting import Wish, requesting_options
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.errors import UnavailableError
from opsmail.evidence.envelope import sign
from opsmail.evidence.keys import SigningKey
from opsmail.evidence.statement import Kind, Statement
from opsmail.messages import msg, msgn, quoted
from opsmail.output.results import plans
from opsmail.publish.marks import MarkKind, Marks, plain, with_mark, without
from opsmail.publish.plan import Action
from opsmail.publish.publisher import Act, Circumstances, Proofs
from opsmail.publish.saved import MAX_BYTES, SavedPlan, load
from opsmail.secrets import open_secrets
from opsmail.store.generation import Generation


@click.command("publish", cls=Command, epilog="Example:  opsmail publish plan.json --env production")
@click.argument("plan_file", metavar="[PLAN]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--yes", is_flag=True, help="Publish without asking.")
@requesting_options
@click.option("--reason", default="", help="Why, for the history.")
@click.option("--commit", metavar="SHA", help="Publish this commit.  [default: HEAD]")
@session_options
def command(plan_file: Path | None, yes: bool, wish: Wish, reason: str, commit: str | None, session: Session) -> int:
    """Publish a commit, all of it or nothing.

    The check runs again, every change needs evidence, and readers see one step. PLAN is a file from `plan --out`; it is
    published exactly as it was saved, or not at all.
    """
    wish.require_sense(saved=plan_file is not None)
    require_text(reason)
    run = current_run(os.environ)
    run.require_trusted()
    saved = None if plan_file is None else load(_read(plan_file))
    revision = Revision.open(session, commit)
    checked = revision.check()
    with opened_store(session, revision.settings, writing=True, create=True) as store:
        publishing = Publishing(session, revision, run, store)
        publishing.tell_earlier()
        prepared = prepare(store, revision, checked)
        circumstances = publishing.circumstances(Act.PUBLISH, wish.glass_reason or reason)
        request = wish.request(saved, _approved_deletes(saved, prepared))
        judgement = judge_publish(session, revision, checked, prepared, request)
        prepared = judgement.prepared
        if judgement.refusals:
            publishing.refuse(prepared.published, prepared.plan, circumstances, judgement.refusals)
            return ExitCode.REFUSED
        if not prepared.plan.changes and not prepared.records_other_settings():
            _tell_unchanged(session, judgement)
            record_fresh(publishing, prepared)
            return _exit_code(judgement)
        # Before anybody is asked: a publish that cannot be signed is not worth a question.
        key = publishing.key()
        proofs = judgement.proofs
        if judgement.broken:
            proofs = _with_glass(
                publishing, judgement, circumstances, signing_key(revision.settings, open_secrets(), Kind.BREAK_GLASS)
            )
        if saved is None and not yes:
            require_consent(
                session,
                prepared.plan,
                msg("Publish to {environment}?", environment=prepared.plan.environment),
                msg("pass --yes, or publish a plan saved with `opsmail plan --out FILE`"),
            )
        circumstances = _with_events(judgement, circumstances)
        generation = publishing.publish(prepared.published, prepared.plan, prepared.wanted, proofs, circumstances, key)
    _tell(session, generation, judgement)
    return _exit_code(judgement)


def _exit_code(judgement: Judgement) -> int:
    return ExitCode.FINDINGS if judgement.left else ExitCode.DONE


def _tell_unchanged(session: Session, judgement: Judgement) -> None:
    plan = judgement.prepared.plan
    session.console.say(msg("nothing to publish: generation {number} has the same settings", number=plan.base))
    _tell_left(session, judgement)


def _tell(session: Session, generation: Generation, judgement: Judgement) -> None:
    plan = judgement.prepared.plan
    session.console.say(
        msg(
            "published generation {number} for {environment}: {summary}",
            number=generation.number,
            environment=generation.environment,
            summary=plans.summary(plan),
        )
    )
    for operator in plan.held:
        session.console.say(msg("`{operator}` is held as it is published", operator=operator))
    for operator in judgement.broken:
        session.console.say(
            msg("`{operator}` went live unproven: {reason}", operator=operator, reason=generation.reason)
        )
    _tell_left(session, judgement)
    if not generation.required:
        session.console.say(msg("no evidence was required: `gate.require` is empty in opsmail.toml"))


def _tell_left(session: Session, judgement: Judgement) -> None:
    if judgement.left:
        tell(session, judgement.left, msg("left as published"))
        count = len({refusal.operator for refusal in judgement.left})
        session.console.say(
            msgn(
                "{count} operator was left as it is published",
                "{count} operators were left as they are published",
                count,
            )
        )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError as error:
        raise UnavailableError(
            msg("the plan {path} cannot be read: {reason}", path=path, reason=quoted(error.strerror)),
            hint=msg("save one with `opsmail plan --out FILE`"),
        ) from error


def _approved_deletes(saved: SavedPlan | None, prepared: Prepared) -> frozenset[str]:
    """Return the deletes that a saved plan lists: whoever approved it has seen them, and it is this plan or refused."""
    if saved is None:
        return frozenset()
    return frozenset(change.operator for change in prepared.plan.with_action(Action.DELETE))


def _with_glass(publishing: Publishing, judgement: Judgement, circumstances: Circumstances, key: SigningKey) -> Proofs:
    """Return the proofs with a signed statement for each operator that goes live unproven."""
    origin, environment = publishing.revision.origin, publishing.revision.settings.environment
    context = context_of(origin, environment, publishing.run)
    facts = {"actor": circumstances.actor, "reason": circumstances.reason}
    envelopes = list(judgement.proofs.envelopes)
    by_operator = {name: list(digests) for name, digests in judgement.proofs.by_operator.items()}
    for change in judgement.prepared.plan.changes:
        if change.operator in judgement.broken:
            envelope = sign(Statement.break_glass(change.operator, str(change.after), context, facts), key)
            envelopes.append(envelope)
            by_operator.setdefault(change.operator, []).append(hashlib.sha256(envelope).hexdigest())
    return Proofs(envelopes, by_operator)


def _with_events(judgement: Judgement, circumstances: Circumstances) -> Circumstances:
    """Return the circumstances with what the log tells besides, and with the marks that there are from now on."""
    prepared = judgement.prepared
    circumstances = with_accepted(circumstances, prepared.trust)
    marks: Marks = without(prepared.marks, prepared.plan.changing, MarkKind.BREAK_GLASS)
    if judgement.broken:
        names = list(judgement.broken[:MOST_TOLD])
        circumstances = with_event(circumstances, "break-glass", {"operators": names})
        marks = with_mark(marks, judgement.broken, mark_of(MarkKind.BREAK_GLASS, prepared.published, circumstances))
    return replace(circumstances, marks=plain(marks))
