"""`opsmail login`."""

from __future__ import annotations

import os
import sys

import click

from opsmail.cli.choosing import choose, named
from opsmail.cli.ci import current_run
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.findings import show_findings
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.errors import RefusedError, UsageError
from opsmail.live.login import Login
from opsmail.live.pins import require_pins
from opsmail.mail.oauth.proxy import Proxy
from opsmail.messages import msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import Delegated, ModernAuthentication
from opsmail.secrets import open_secrets


@click.command("login", cls=Command, epilog="Example:  opsmail login rh-notificacoes")
@click.argument("operator")
@click.option("--trust", metavar="REV", help="Take settings, catalogue and waivers from this revision.")
@click.option("--commit", metavar="SHA", help="Sign in for this commit.  [default: HEAD]")
@session_options
def command(operator: str, trust: str | None, commit: str | None, session: Session) -> int:
    """Sign in once for an operator with the credential `delegated`.

    Shows a code to enter in a browser, on this or another device, and keeps the refresh token where the operator's file
    says. The code is shown on a terminal only.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        raise UsageError(
            msg("signing in needs a terminal: the code that is shown is for one person's eyes"),
            hint=msg("run `opsmail login` in a terminal, not in a pipeline"),
        )
    current_run(os.environ).require_trusted()
    revision = Revision.open(session, commit, trust)
    effective, proxy = _delegated(session, revision, operator), revision.settings.file.live.proxy
    say = session.console.say
    login = Login.begin(effective, open_secrets(), None if proxy is None else Proxy.parse(proxy))
    prompt = login.prompt
    say(
        msg(
            "open {uri} and enter the code {code} within {minutes} minutes; sign in as {username}",
            uri=prompt.uri,
            code=prompt.code.reveal(),
            minutes=max(prompt.seconds // 60, 1),
            username=effective.operator.username,
        )
    )
    account = login.finish()
    say(msg("signed in as {account}; `{operator}` can send now", account=account or "-", operator=operator))
    return ExitCode.DONE


def _delegated(session: Session, revision: Revision, name: str) -> EffectiveOperator:
    """Return the operator, when it has no errors, is approved, and is one that somebody signs in for."""
    checked = revision.check()
    choice = choose(named([name], checked), checked)
    if not choice.operators:
        show_findings(session, choice.findings, checked)
        raise RefusedError(
            msg("`{operator}` has errors, so nobody signs in for it", operator=name), hint=msg("correct the file first")
        )
    (operator,) = choice.operators
    authentication = operator.authentication
    if not isinstance(authentication, ModernAuthentication) or not isinstance(authentication.credential, Delegated):
        raise UsageError(
            msg("nobody signs in for `{operator}`: its credential is not `delegated`", operator=name),
            hint=msg("`opsmail test {operator}` shows whether it can send", operator=name),
        )
    require_pins([operator], revision.settings)
    return revision.settings.effective(operator)
