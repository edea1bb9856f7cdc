"""`opsmail approve`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial

import click

from opsmail.cli.attesting import context_of
from opsmail.cli.authors import Authors, wrote_settings
from opsmail.cli.choosing import choose, named, unapproved
from opsmail.cli.ci import Run, current_run
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.findings import show_findings
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.proofs import signing_key
from opsmail.cli.reviews import ReviewedRun
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.errors import RefusedError, UsageError
from opsmail.evidence.envelope import sign
from opsmail.evidence.facts import Approval
from opsmail.evidence.files import FOLDER, write_envelope
from opsmail.evidence.statement import Kind, Statement
from opsmail.messages import Message, msg
from opsmail.secrets import open_secrets
from opsmail.values import dataclass

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is to be approved.

    Args:
        name: as statements carry it.
        digest: of exactly this content.
        told: for people.
        wrote: whether somebody wrote what is to be approved.
    """

    name: str
    digest: str
    told: Message
    wrote: Callable[[str], bool]

    def approver(self, people: Sequence[str]) -> str:
        """Return the first of these people who may approve it.

        Raises:
            RefusedError: the change is their own.
        """
        for person in people:
            if not self.wrote(person):
                return person
        raise RefusedError(
            msg("{approver} wrote the last change of {what}", approver=", ".join(people), what=self.told),
            hint=msg("let somebody else approve it"),
        )


@click.command("approve", cls=Command, epilog="Example:  opsmail approve rh-notificacoes --role TI")
@click.argument("operators", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="Approve every operator.")
@click.option("--unproven", is_flag=True, help="Approve those that `publish` would refuse for want of an approval.")
@click.option("--settings", "of_settings", is_flag=True, help="Approve what the settings of this commit trust.")
@click.option(
    "--as",
    "approver",
    metavar="WHO",
    help="Who approves: an e-mail address or account.  [default: who started the CI run, or git's user.email]",
)
@click.option(
    "--reviewed",
    is_flag=True,
    help="Who approves is who let this run of GitHub Actions into its protected environment.",
)
@click.option("--role", default="reviewer", show_default=True, help="In which capacity.")
@click.option("--commit", metavar="SHA", help="Approve this commit.  [default: HEAD]")
@session_options
def command(
    operators: tuple[str, ...],
    everyone: bool,
    unproven: bool,
    of_settings: bool,
    approver: str | None,
    reviewed: bool,
    role: str,
    commit: str | None,
    session: Session,
) -> int:
    """Sign a person's approval of operators exactly as they are now.

    Nobody approves what they wrote. Operators with errors are not approved.
    """
    if bool(operators) + everyone + unproven + of_settings != 1:
        raise UsageError(
            msg("name operators, or pass --all, --unproven or --settings"),
            hint=msg("for example `opsmail approve rh-notificacoes`"),
        )
    if reviewed and approver is not None:
        raise UsageError(msg("--as and --reviewed both say who approves"), hint=msg("leave one of them out"))
    run = current_run(os.environ)
    run.require_trusted()
    reviewed_run = ReviewedRun.of(os.environ) if reviewed else None
    revision = Revision.open(session, commit)
    subjects = [_settings(revision)] if of_settings else _operators(session, revision, operators, unproven=unproven)
    if not subjects:
        session.console.say(msg("no operator lacks an approval, so nothing was signed"))
        return ExitCode.DONE
    if reviewed_run is None:
        people: Sequence[str] = [_text("--as", _person(revision, run) if approver is None else approver)]
    else:
        people = reviewed_run.reviewers(revision.origin.commit, revision.settings.environment)
    role = _text("--role", role)
    approvals = [(subject, Approval(approver=subject.approver(people), role=role)) for subject in subjects]
    key = signing_key(revision.settings, open_secrets(), Kind.APPROVAL)
    context = context_of(revision.origin, revision.settings.environment, run)
    for subject, facts in approvals:
        statement = Statement.approval(subject.name, subject.digest, context, facts)
        path = write_envelope(session.root / FOLDER, sign(statement, key)).relative_to(session.root)
        told = msg("{subject} {digest} {path}", subject=subject.name, digest=subject.digest, path=path)
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


def _settings(revision: Revision) -> _Subject:
    return _Subject(
        f"settings:{revision.settings.environment}",
        revision.settings.digest,
        msg("the settings"),
        lambda person: wrote_settings(revision, person, since=None),
    )


def _operators(session: Session, revision: Revision, names: tuple[str, ...], *, unproven: bool) -> list[_Subject]:
    """Return the operators that were asked for, when all of them can be approved."""
    checked = revision.check()
    members, since = unapproved(session, revision, checked) if unproven else (named(names, checked), None)
    choice = choose(members, checked)
    if choice.left_out:
        show_findings(session, choice.findings, checked)
        raise RefusedError(msg("operators with errors are not approved"), hint=msg("correct the files first"))
    authors, files = Authors(revision, since), {member.name: member.file for member in members}
    return [
        _Subject(
            f"operator:{operator.operator}",
            revision.settings.effective(operator).digest,
            msg("`{operator}`", operator=operator.operator),
            partial(authors.wrote, files[operator.operator]),
        )
        for operator in choice.operators
    ]
