"""`opsmail publish`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from opsmail.check.engine import CheckResult
from opsmail.cli.ci import current_run
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.options import session_options
from opsmail.cli.planning import Prepared, opened_store, prepare
from opsmail.cli.proofs import evidence_at_hand, generation_verifier, now, sign_generation, signing_key
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.errors import OpsmailError, RefusedError, UnavailableError
from opsmail.evidence.files import read_envelope
from opsmail.evidence.facts import format_time
from opsmail.evidence.statement import Kind
from opsmail.messages import Message, msg, msgn
from opsmail.output.results import plans
from opsmail.publish.gate import Refusal, Verdict, judge
from opsmail.publish.limits import Allowances, violations
from opsmail.publish.plan import Action, require_same, saved_plan
from opsmail.publish.publisher import Circumstances, Proofs, publish, record_refusal
from opsmail.secrets import open_secrets
from opsmail.store.interface import Store

_RULESET = "1"


@click.command("publish", epilog="Example:  opsmail publish plan.json --env production")
@click.argument("plan_file", metavar="[PLAN]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--yes", is_flag=True, help="Publish without asking.")
@click.option("--prune", multiple=True, metavar="OPERATOR", help="Delete this operator; may be given several times.")
@click.option("--allow-many-updates", is_flag=True, help="Go over store.max_update_percent.")
@click.option("--allow-many-deletes", is_flag=True, help="Go over store.max_delete_percent.")
@click.option("--allow-many-changes", is_flag=True, help="Go over store.max_changes.")
@click.option("--allow-empty", is_flag=True, help="Publish a fleet without operators.")
@click.option("--allow-master-change", is_flag=True, help="Take the role of master from the present one.")
@click.option("--reason", default="", help="Why, for the history.")
@click.option("--commit", metavar="SHA", help="Publish this commit.  [default: HEAD]")
@session_options
def command(
    plan_file: Path | None,
    yes: bool,
    prune: tuple[str, ...],
    reason: str,
    commit: str | None,
    session: Session,
    **allowed: bool,
) -> int:
    """Publish a commit, all of it or nothing: the check runs again, every change needs evidence, and readers see one step.

    PLAN is a file from `plan --out`; it is published exactly as it was saved, or not at all.
    """
    run = current_run(os.environ)
    run.require_trusted()
    saved = None if plan_file is None else saved_plan(_read(plan_file))
    revision = Revision.open(session, commit)
    checked = revision.check()
    settings = revision.settings
    circumstances = Circumstances(
        actor=run.actor,
        time=format_time(now()),
        ruleset=_RULESET,
        required=tuple(kind.value for kind in settings.file.gate.require),
        reason=reason,
    )
    with opened_store(session, settings, read_only=False, create=True) as store:
        prepared = prepare(store, revision, checked)
        if saved is not None:
            require_same(saved, prepared.plan)
        names = frozenset(prune) | (_deletes(prepared) if saved is not None else frozenset())
        verdict = _verdict(session, revision, checked, prepared)
        refusals = [*_over_limits(revision, prepared, Allowances(prune=names, **_named(allowed))), *verdict.refusals]
        if refusals:
            return _refuse(session, store, prepared, circumstances, refusals)
        if not prepared.plan.changes:
            session.console.say(msg("nothing to publish: generation {number} is this commit", number=prepared.plan.base))
            return ExitCode.DONE
        key = signing_key(settings, open_secrets(), Kind.GENERATION)
        _confirm(session, prepared, yes=yes or saved is not None)
        generation = publish(
            store,
            prepared.published,
            prepared.plan,
            prepared.wanted,
            _proofs(verdict),
            circumstances,
            sign=lambda facts: sign_generation(facts, key),
            verify=generation_verifier(settings),
        )
    session.console.say(
        msg(
            "published generation {number} for {environment}: {summary}",
            number=generation.number,
            environment=generation.environment,
            summary=plans.summary(prepared.plan),
        )
    )
    if not settings.file.gate.require:
        session.console.say(msg("no evidence was required: `gate.require` is empty in opsmail.toml"))
    return ExitCode.DONE


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnavailableError(
            msg("the plan {path} cannot be read: {reason}", path=str(path), reason=error.strerror or "?"),
            hint=msg("save one with `opsmail plan --out FILE`"),
        ) from error


def _named(allowed: dict[str, bool]) -> dict[str, Any]:
    return {name.removeprefix("allow_"): value for name, value in allowed.items()}


def _deletes(prepared: Prepared) -> frozenset[str]:
    return frozenset(change.operator for change in prepared.plan.with_action(Action.DELETE))


def _verdict(session: Session, revision: Revision, checked: CheckResult, prepared: Prepared) -> Verdict:
    published = prepared.published.generation
    descends = published is None or revision.repository.descends(revision.commit, published.commit)
    return judge(
        prepared.plan,
        revision.settings.file.gate,
        evidence_at_hand(session.root, revision.settings),
        now(),
        errors=checked.errors(),
        descends=descends,
    )


def _over_limits(revision: Revision, prepared: Prepared, allowed: Allowances) -> list[Refusal]:
    return [
        Refusal(violation.message, hint=msg("`{option}` allows it", option=violation.option))
        for violation in violations(prepared.plan, revision.settings.file.store, allowed)
    ]


def _refuse(
    session: Session, store: Store, prepared: Prepared, circumstances: Circumstances, refusals: list[Refusal]
) -> int:
    """Say everything that stands in the way, and put the refusal into the event log."""
    for refusal in refusals:
        session.console.error(OpsmailError(_told(refusal), hint=refusal.hint), word=msg("refused"))
    session.console.say(
        msgn("nothing was published: {count} reason", "nothing was published: {count} reasons", len(refusals))
    )
    record_refusal(
        store, prepared.published.head, prepared.plan, circumstances, [str(_told(refusal)) for refusal in refusals]
    )
    return ExitCode.REFUSED


def _told(refusal: Refusal) -> Message:
    if refusal.operator is None:
        return refusal.message
    return msg("{operator}: {message}", operator=refusal.operator, message=refusal.message)


def _confirm(session: Session, prepared: Prepared, *, yes: bool) -> None:
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise RefusedError(
            msg("nobody is there to be asked"), hint=msg("pass --yes, or publish a plan saved with `opsmail plan --out FILE`")
        )
    session.console.say(plans.summary(prepared.plan))
    question = session.console.text(msg("Publish to {environment}?", environment=prepared.plan.environment))
    if not click.confirm(question, err=True):
        raise RefusedError(msg("not published"))


def _proofs(verdict: Verdict) -> Proofs:
    statements = {item.digest: item.source for items in verdict.proofs.values() for item in items}
    return Proofs(
        tuple(read_envelope(Path(source)) for source in statements.values()),
        {operator: tuple(item.digest for item in items) for operator, items in verdict.proofs.items() if items},
    )
