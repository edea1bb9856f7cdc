"""`opsmail approve`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from opsmail.cli.attesting import context_of
from opsmail.cli.authors import wrote_operator, wrote_settings
from opsmail.cli.choosing import choose, named
from opsmail.cli.ci import Run, current_run
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.findings import show_findings
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.proofs import signing_key
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.errors import RefusedError, UsageError
from opsmail.evidence.envelope import sign
from opsmail.evidence.facts import Approval
from opsmail.evidence.files import FOLDER, write_envelope
from opsmail.evidence.statement import Kind, Statement
from opsmail.messages import msg
from opsmail.secrets import open_secrets

_LONGEST = 200


@click.command("approve", cls=Command, epilog="Example:  opsmail approve rh-notificacoes --role TI")
@click.argument("operators", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="Approve every operator.")
@click.option("--settings", "of_settings", is_flag=True, help="Approve what the settings of this commit trust.")
@click.option(
    "--as",
    "approver",
    metavar="WHO",
    help="Who approves: an e-mail address or account.  [default: who started the CI run, or git's user.email]",
)
@click.option("--role", default="reviewer", show_default=True, help="In which capacity.")
@click.option("--commit", metavar="SHA", help="Approve this commit.  [default: HEAD]")
@session_options
def command(
    operators: tuple[str, ...],
    everyone: bool,
    of_settings: bool,
    approver: str | None,
    role: str,
    commit: str | None,
    session: Session,
) -> int:
    """Sign a person's approval of operators exactly as they are now.

    Nobody approves what they wrote. Operators with errors are not approved.
    """
    if bool(operators) + everyone + of_settings != 1:
        raise UsageError(
            msg("name operators, or pass --all or --settings"),
            hint=msg("for example `opsmail approve rh-notificacoes`"),
        )
    run = current_run(os.environ)
    run.require_trusted()
    revision = Revision.open(session, commit)
    facts = Approval(
        approver=_text("--as", _person(revision, run) if approver is None else approver), role=_text("--role", role)
    )
    subjects = [_settings(revision, facts)] if of_settings else list(_operators(session, revision, operators, facts))
    key = signing_key(revision.settings, open_secrets(), Kind.APPROVAL)
    context = context_of(revision.origin, revision.settings.environment, run)
    for subject, digest in subjects:
        statement = Statement.approval(subject, digest, context, facts)
        path = write_envelope(session.root / FOLDER, sign(statement, key))
        told = msg("{subject} {digest} {path}", subject=subject, digest=digest, path=path.relative_to(session.root))
        session.console.result(session.console.text(told) + "\n")
    return ExitCode.DONE


def _person(revision: Revision, run: Run) -> str:
    return run.actor if run.url is not None else revision.repository.configured("user.email") or run.actor


def _text(option: str, text: str) -> str:
    if not text.isprintable() or not 0 < len(text) <= _LONGEST:
        raise UsageError(
            msg("`{option}` is not one line of 1 to {most} characters", option=option, most=_LONGEST),
            hint=msg("for example `--as ti@empresa.com.br --role TI`"),
        )
    return text


def _settings(revision: Revision, facts: Approval) -> tuple[str, str]:
    if wrote_settings(revision, facts.approver, since=None):
        raise _own_change(facts, msg("the settings"))
    return f"settings:{revision.settings.environment}", revision.settings.digest


def _operators(
    session: Session, revision: Revision, names: tuple[str, ...], facts: Approval
) -> Iterator[tuple[str, str]]:
    """Yield subject and digest of each operator, when all of them can be approved."""
    checked = revision.check()
    members = named(names, checked)
    choice = choose(members, checked)
    if choice.left_out:
        show_findings(session, choice.findings, checked)
        raise RefusedError(msg("operators with errors are not approved"), hint=msg("correct the files first"))
    for member, operator in zip(members, choice.operators, strict=True):
        if wrote_operator(revision, member.file, facts.approver, since=None):
            raise _own_change(facts, msg("`{operator}`", operator=operator.operator))
        yield f"operator:{operator.operator}", revision.settings.effective(operator).digest


def _own_change(facts: Approval, what: object) -> RefusedError:
    return RefusedError(
        msg("{approver} wrote the last change of {what}", approver=facts.approver, what=what),
        hint=msg("let somebody else approve it"),
    )
