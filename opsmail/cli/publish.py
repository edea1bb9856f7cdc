"""`opsmail publish`."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from opsmail.cli.ci import current_run
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.judging import judge_publish
from opsmail.cli.options import session_options
from opsmail.cli.planning import Prepared, opened_store, prepare
from opsmail.cli.proofs import generation_verifier, now, sign_generation, signing_key
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.errors import OpsmailError, RefusedError, UnavailableError, UsageError
from opsmail.evidence.facts import format_time
from opsmail.evidence.statement import Kind
from opsmail.messages import Message, msg, msgn
from opsmail.output.results import plans
from opsmail.publish.gate import Refusal
from opsmail.publish.limits import Allowances
from opsmail.publish.plan import Action
from opsmail.publish.publisher import Circumstances, publish, record_refusal
from opsmail.publish.saved import MAX_BYTES, SavedPlan, load
from opsmail.secrets import open_secrets
from opsmail.settings.trust import record
from opsmail.store.generation import Generation
from opsmail.store.interface import Store

_RULESET = "1"
_LONGEST_REASON, _MOST_REASONS = 500, 100


@click.command("publish", epilog="Example:  opsmail publish plan.json --env production")
@click.argument("plan_file", metavar="[PLAN]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--yes", is_flag=True, help="Publish without asking.")
@click.option("--prune", multiple=True, metavar="OPERATOR", help="Delete this operator; may be given several times.")
@click.option("--allow-many-updates", is_flag=True, help="Go over store.max_update_percent.")
@click.option("--allow-many-deletes", is_flag=True, help="Go over store.max_delete_percent.")
@click.option("--allow-many-changes", is_flag=True, help="Go over store.max_changes.")
@click.option("--allow-empty", is_flag=True, help="Publish a fleet without operators.")
@click.option("--allow-master-change", is_flag=True, help="Take the role of master from the present one.")
@click.option(
    "--accept-settings",
    "accepted",
    metavar="DIGEST",
    help="Accept that the settings with this digest allow more than those of the last publish.",
)
@click.option("--reason", default="", help="Why, for the history.")
@click.option("--commit", metavar="SHA", help="Publish this commit.  [default: HEAD]")
@session_options
def command(
    plan_file: Path | None,
    yes: bool,
    prune: tuple[str, ...],
    allow_many_updates: bool,
    allow_many_deletes: bool,
    allow_many_changes: bool,
    allow_empty: bool,
    allow_master_change: bool,
    accepted: str | None,
    reason: str,
    commit: str | None,
    session: Session,
) -> int:
    """Publish a commit, all of it or nothing.

    The check runs again, every change needs evidence, and readers see one step. PLAN is a file from `plan --out`; it is
    published exactly as it was saved, or not at all.
    """
    _require_text(reason)
    run = current_run(os.environ)
    run.require_trusted()
    saved = None if plan_file is None else load(_read(plan_file))
    revision = Revision.open(session, commit)
    checked = revision.check()
    circumstances = Circumstances(
        actor=run.actor,
        time=format_time(now()),
        ruleset=_RULESET,
        required=tuple(kind.value for kind in revision.settings.file.gate.require),
        reason=reason,
    )
    with opened_store(session, revision.settings, writing=True) as store:
        prepared = prepare(store, revision, checked)
        allowed = Allowances(
            many_updates=allow_many_updates,
            many_deletes=allow_many_deletes,
            many_changes=allow_many_changes,
            empty=allow_empty,
            master_change=allow_master_change,
            prune=frozenset(prune) | _approved_deletes(saved, prepared),
        )
        judgement = judge_publish(session, revision, checked, prepared, saved, allowed, accepted)
        if judgement.refusals:
            return _refuse(session, store, prepared, circumstances, judgement.refusals)
        circumstances = replace(circumstances, trust=record(revision.settings), also=_accepted(prepared, circumstances))
        if not prepared.plan.changes and not _records_other_settings(prepared, circumstances):
            number = prepared.plan.base
            session.console.say(msg("nothing to publish: generation {number} has the same settings", number=number))
            return ExitCode.DONE
        # Before anybody is asked: a publish that cannot be signed is not worth a question.
        key = signing_key(revision.settings, open_secrets(), Kind.GENERATION)
        if saved is None and not yes:
            _ask(session, prepared)
        generation = publish(
            store,
            prepared.published,
            prepared.plan,
            prepared.wanted,
            judgement.proofs,
            circumstances,
            sign=lambda facts: sign_generation(facts, key),
            verify=generation_verifier(revision.settings),
        )
    _tell(session, generation, prepared)
    return ExitCode.DONE


def _tell(session: Session, generation: Generation, prepared: Prepared) -> None:
    session.console.say(
        msg(
            "published generation {number} for {environment}: {summary}",
            number=generation.number,
            environment=generation.environment,
            summary=plans.summary(prepared.plan),
        )
    )
    if not generation.required:
        session.console.say(msg("no evidence was required: `gate.require` is empty in opsmail.toml"))


def _accepted(prepared: Prepared, circumstances: Circumstances) -> tuple[tuple[str, Mapping[str, object]], ...]:
    """Return the event that tells which settings were accepted; none where nothing had to be."""
    trust = prepared.trust
    if not trust.loosened:
        return ()
    facts = {
        "settings": trust.digest,
        "allowed": [str(what)[:_LONGEST_REASON] for what in trust.loosened[:_MOST_REASONS]],
        "actor": circumstances.actor,
        "time": circumstances.time,
    }
    return (("accept-settings", facts),)


def _records_other_settings(prepared: Prepared, circumstances: Circumstances) -> bool:
    """Whether a publish that changes no operator still has something to record: what is trusted from now on."""
    generation = prepared.published.generation
    return generation is not None and generation.trust != hashlib.sha256(circumstances.trust).hexdigest()


def _require_text(reason: str) -> None:
    if len(reason) > _LONGEST_REASON or not reason.isprintable():
        raise UsageError(
            msg("the reason is longer than {limit} characters, or not one line of text", limit=_LONGEST_REASON),
            hint=msg("say it in a sentence"),
        )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError as error:
        raise UnavailableError(
            msg("the plan {path} cannot be read: {reason}", path=path, reason=error.strerror),
            hint=msg("save one with `opsmail plan --out FILE`"),
        ) from error


def _approved_deletes(saved: SavedPlan | None, prepared: Prepared) -> frozenset[str]:
    """Return the deletes that a saved plan lists: whoever approved it has seen them, and it is this plan or refused."""
    if saved is None:
        return frozenset()
    return frozenset(change.operator for change in prepared.plan.with_action(Action.DELETE))


def _refuse(
    session: Session, store: Store, prepared: Prepared, circumstances: Circumstances, refusals: Sequence[Refusal]
) -> int:
    """Say everything that stands in the way, and put the refusal into the event log."""
    for refusal in refusals:
        session.console.error(OpsmailError(_told(refusal), hint=refusal.hint), word=msg("refused"))
    session.console.say(
        msgn("nothing was published: {count} reason", "nothing was published: {count} reasons", len(refusals))
    )
    reasons = [str(_told(refusal)) for refusal in refusals]
    try:
        record_refusal(store, prepared.published.head, prepared.plan, circumstances, reasons)
    except OpsmailError as error:
        # It stays a refusal, whatever becomes of the log.
        session.console.say(msg("the refusal was not recorded: {reason}", reason=error.message))
    return ExitCode.REFUSED


def _told(refusal: Refusal) -> Message:
    if refusal.operator is None:
        return refusal.message
    return msg("{operator}: {message}", operator=refusal.operator, message=refusal.message)


def _ask(session: Session, prepared: Prepared) -> None:
    """Return when the person at the terminal agrees to the plan they are shown."""
    console = session.console
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise RefusedError(
            msg("nobody is there to be asked"),
            hint=msg("pass --yes, or publish a plan saved with `opsmail plan --out FILE`"),
        )
    console.progress(plans.as_text(prepared.plan, (), console.language, console.style))
    question = console.text(msg("Publish to {environment}?", environment=prepared.plan.environment))
    if not click.confirm(question, err=True):
        raise RefusedError(msg("not published"))
