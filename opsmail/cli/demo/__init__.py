"""`opsmail demo`: the whole way on this machine, from files with mistakes to a message sent with what was published."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.session import Session
from opsmail.errors import UnavailableError, install_hint
from opsmail.messages import msg


@click.command("demo", cls=Command, epilog="Example:  opsmail demo --keep")
@click.option("--keep", is_flag=True, help="Keep the demonstration's folder, and tell where it is.")
@session_options
def command(keep: bool, session: Session) -> int:
    """Show the whole way on this machine: a fleet with two mistakes, a mail server, evidence, publish, reader.

    Everything happens in a temporary folder and on the loopback address. The exit code is 0 only if every step did
    what it says.
    """
    for module, package in (("aiosmtpd", "aiosmtpd"), ("trustme", "trustme")):
        if importlib.util.find_spec(module) is None:
            raise UnavailableError(
                msg("the demonstration needs the package {package}", package=package),
                hint=install_hint("demo"),
            )
    if shutil.which("git") is None:
        raise UnavailableError(msg("the demonstration needs git"), hint=msg("install git"))
    # Only now: whoever runs another command should not need these packages.
    from opsmail.cli.demo.story import Story

    folder = Path(tempfile.mkdtemp(prefix="opsmail-demo-"))
    try:
        Story(folder, session.console).tell()
    finally:
        if keep:
            session.console.say(msg("the demonstration is in {folder}", folder=str(folder)))
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return ExitCode.DONE
