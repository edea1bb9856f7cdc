"""`opsmail new`."""

from __future__ import annotations

import os
import posixpath
from typing import Any

import click

from opsmail.check.engine import check
from opsmail.check.interface import Context
from opsmail.check.result import CheckResult
from opsmail.cli.asking import ask_on, on_terminal
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.findings import show_findings
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.placing import operators_folder
from opsmail.cli.session import Session, today
from opsmail.errors import RefusedError
from opsmail.messages import msg
from opsmail.operator.model import Encryption, Operator, Role
from opsmail.providers import load_providers
from opsmail.scaffold.approval import NOT_APPROVED, approval
from opsmail.scaffold.draft import Draft
from opsmail.scaffold.operator_file import SCHEMA, operator_data, operator_text, require_id, require_valid
from opsmail.scaffold.questions import CREDENTIALS, completed, require_used
from opsmail.scaffold.writing import write_new
from opsmail.secrets import known_schemes
from opsmail.settings.load import Settings
from opsmail.settings.model import AuthenticationType
from opsmail.source.tree import SourceFile

_EXAMPLE = "opsmail new rh-notificacoes --provider gmail --address rh@empresa.com.br"


def _choices(values: Any) -> click.Choice[str]:
    return click.Choice([item.value for item in values])


@click.command("new", cls=Command, epilog=f"Example:  {_EXAMPLE}")
@click.argument("operator")
@click.option("--provider", help="A known mail provider, such as gmail or microsoft-365.")
@click.option("--host", help="The server's name.  [default: the provider's, or the one that IT approved]")
@click.option("--address", help="The sender's e-mail address.")
@click.option("--display-name", help="The name shown beside the address.")
@click.option("--reply-to", help="The address for answers, when it is not the sender's.")
@click.option("--send-as", is_flag=True, help="The account was given the right to send as this address.")
@click.option("--name", help="The operator's name for people.")
@click.option("--role", type=_choices(Role), help="The operator's role.  [default: master while there is none]")
@click.option("--port", help="The port.  [default: what IT approved, or the provider recommends]")
@click.option("--encryption", type=_choices(Encryption), help="The encryption.  [default: what belongs to the port]")
@click.option(
    "--authentication",
    type=_choices(AuthenticationType),
    help="The login: user and password, Microsoft OAuth 2.0, or none.",
)
@click.option("--username", help="The user that logs in.  [default: the address, as the provider wants it]")
@click.option("--credential", type=click.Choice(CREDENTIALS), help="How the application of `modern` proves itself.")
@click.option("--tenant", help="The tenant of `modern`: its GUID or first domain.")
@click.option("--client-id", help="The application of `modern`.")
@click.option("--secret", metavar="REF", help="Where the secret is kept.  [default: as the catalogue says]")
@click.option("--passphrase", metavar="REF", help="Where the passphrase of the certificate is kept.")
@click.option("--folder", help="The folder for the file.  [default: the operators folder]")
@session_options
def command(operator: str, folder: str | None, send_as: bool, session: Session, **options: str | None) -> int:
    """Write a new operator file from a provider's preset, with what each choice means beside it.

    Asks for what is missing on a terminal; elsewhere options say it. OPERATOR is the new operator's id and the file's
    name. A file that exists is not touched, and one that `opsmail check` would refuse is not written.
    """
    require_id(operator)
    settings = session.settings()
    path = f"{operators_folder(session, settings, folder)}/{operator}.yaml"
    if os.path.lexists(session.root / path):
        raise RefusedError(
            msg("{path} exists and is not overwritten", path=path),
            hint=msg("edit that file, or choose another name"),
        )
    fleet = _Fleet(session, settings)
    answers = {name: answer for name, answer in options.items() if answer is not None}
    answers |= {"send_as": "true"} if send_as else {}
    draft = Draft(operator, load_providers(), settings.catalogue, fleet.has_master, answers)
    draft = completed(draft, ask_on(session.console) if on_terminal() else None)
    require_used(draft)
    data = operator_data(draft)
    wanted = require_valid(data)
    text = operator_text(data, draft, posixpath.dirname(path), session.console.language)
    checked = fleet.check(SourceFile(path, text.encode()))
    if not _is_right(session, draft, wanted, path, checked):
        return ExitCode.FINDINGS
    write_new(session.root, {path: text})
    _say_next(session, settings, path, wanted)
    return ExitCode.DONE


class _Fleet:
    """The operators that are there, and a new one among them."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self._context = Context(settings, load_providers(), today(), known_schemes())
        folders = [folder for folder in settings.file.operators if (session.root / folder).is_dir()]
        self._files = list(session.worktree.operator_files(folders))

    @property
    def has_master(self) -> bool:
        """Whether one of them is the master."""
        present = check(self._files, self._context, whole=False)
        return any(member.role == Role.MASTER for member in present.members)

    def check(self, file: SourceFile) -> CheckResult:
        """Check all of them together; whoever is still missing is not missed."""
        return check([*self._files, file], self._context, whole=False)


def _is_right(session: Session, draft: Draft, wanted: Operator, path: str, checked: CheckResult) -> bool:
    """Show what the check says of the new file, and what to ask IT for; return whether it may be written."""
    found = [finding for finding in checked.findings if finding.file == path and finding.waived is None]
    if found:
        show_findings(session, found, checked)
    errors = checked.errors(path)
    if any(finding.rule.id in NOT_APPROVED for finding in errors):
        session.console.say(msg("ask IT to approve this in opsmail.toml:"))
        session.console.progress(approval(wanted, draft.entry))
    if errors:
        session.console.say(msg("{path} is not written, because `opsmail check` would refuse it", path=path))
    return not errors


def _say_next(session: Session, settings: Settings, path: str, wanted: Operator) -> None:
    say = session.console.say
    say(msg("wrote {path}", path=path))
    if not settings.present:
        say(msg("there is no opsmail.toml, so nothing says whether IT approves this server"))
    if not (session.root / SCHEMA).is_file():
        say(msg("for help in editors: `opsmail schema operator --write schemas`, in a folder `schemas`"))
    if any(wanted.references()):
        say(msg("where to put its secret: `opsmail secrets {operator}`", operator=wanted.operator))
    say(msg("next: look at the file, run `opsmail check`, and open a pull request"))
