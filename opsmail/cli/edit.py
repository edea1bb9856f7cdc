"""`opsmail edit`."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Callable
from dataclasses import replace

import click

from opsmail.cli.ci import current_run
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.revision import committed_settings
from opsmail.cli.session import Session, today
from opsmail.cli.test import recipient_of
from opsmail.cli.trials import composer
from opsmail.errors import UnavailableError
from opsmail.evidence.facts import Depth
from opsmail.form.editor import Editor, Send
from opsmail.form.server import FormServer
from opsmail.live.engine import LiveTest
from opsmail.live.result import StageResult, TestResult
from opsmail.messages import msg, quoted
from opsmail.operator.model import Operator
from opsmail.providers import load_providers
from opsmail.secrets import open_secrets


@click.command("edit", cls=Command, epilog="Example:  opsmail edit --allow-test")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="On 127.0.0.1; 0 for any that is free.  [default: 0]"
)
@click.option(
    "--open/--no-open",
    "wants_browser",
    default=None,
    help="Open the page in the browser.  [default: only from a terminal]",
)
@click.option(
    "--allow-test", is_flag=True, help="Offer test messages, to the servers that the committed catalogue allows."
)
@session_options
def command(port: int, wants_browser: bool | None, allow_test: bool, session: Session) -> int:
    """Serve a form for the operator files, on this machine only, until Ctrl-C.

    It shows what the check finds while one types, and writes the YAML files; git and the pull request stay as they are.
    """
    session.settings()  # wrong ones are told before anything is served
    editor = Editor(
        session.worktree, session.settings, load_providers(), today, _sender(session) if allow_test else None
    )
    try:
        server = FormServer(editor, session.console.language, port)
    except OSError as error:
        raise UnavailableError(
            msg("port {port} cannot be used: {reason}", port=port, reason=quoted(error.strerror)),
            hint=msg("leave out --port, or name another one"),
        ) from error
    with server:
        session.console.result(f"{server.address}\n")
        session.console.say(msg("the address works once, in the browser of this machine; Ctrl-C ends the form"))
        if wants_browser if wants_browser is not None else sys.stdin is not None and sys.stdin.isatty():
            webbrowser.open(server.address)
        server.serve_forever(poll_interval=0.2)
    return ExitCode.DONE


def _sender(session: Session) -> Send:
    """Return what sends a test message, under the settings that are committed: what stands in a form decides nothing.

    Raises:
        RefusedError: this is a run for code from outside, or no git repository.
        UsageError: nobody is named to receive test messages.
    """
    run = current_run(os.environ)
    run.require_trusted()
    settings = committed_settings(session)
    recipient = recipient_of(None, settings, Depth.SEND)
    compose = composer(settings, session.console.language, run.url)
    live = LiveTest(settings=settings, secrets=open_secrets(), compose=compose, recipient=recipient)

    def send(operator: Operator, watch: Callable[[StageResult], None]) -> TestResult:
        (result,) = replace(live, watch=lambda _operator, stage: watch(stage)).run([operator])
        return result

    return send
