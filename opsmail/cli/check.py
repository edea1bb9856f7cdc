"""`opsmail check`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import click

from opsmail.check.engine import CheckResult, check
from opsmail.check.interface import Context
from opsmail.cli.checking import FAIL_ON, Scope, outcome, show
from opsmail.cli.comparing import Comparing, comparing_options
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.fixing import Fixable, FixingOptions, fixing_options, look_and_fix
from opsmail.cli.options import DayType, session_options
from opsmail.cli.session import Session, today
from opsmail.output.findings import FORMATS
from opsmail.providers import load_providers
from opsmail.secrets import known_schemes
from opsmail.source.tree import SourceFile


@click.command(
    "check",
    epilog="Example:  opsmail check operators/rh.yaml --format text --format json:findings.json",
)
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[:FILE]",
    help=f"How to write the findings: {', '.join(FORMATS)}; with :FILE into a file, which is replaced in one step, "
    'such as markdown:"$GITHUB_STEP_SUMMARY". May be given several times.  [default: text]',
)
@click.option(
    "--fail-on",
    type=click.Choice(list(FAIL_ON)),
    default="error",
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
@click.option("--no-waivers", is_flag=True, help="Count findings that waivers.yaml mutes.")
@click.option("--at", "day", type=DayType(), help="Judge date-bound rules as of this day.")
@comparing_options
@fixing_options
@session_options
def command(
    paths: tuple[str, ...],
    formats: tuple[str, ...],
    fail_on: str,
    no_waivers: bool,
    day: date | None,
    comparing: Comparing,
    fixing: FixingOptions,
    session: Session,
) -> ExitCode:
    """Check operator files against schema, rules and the catalogue of approved servers.

    PATHS are files or folders; without any, the operators folder is checked.
    """
    outputs = fixing.parsed_outputs(formats)
    scope = Scope.of(session, paths)
    context = Context(scope.settings, load_providers(), day or today(), known_schemes())
    known = comparing.known(session, context, whole=scope.whole, waivers=not no_waivers)

    def look(files: Iterable[SourceFile], own: bytes | None) -> CheckResult:
        return check(files, known.context.with_waivers(own), whole=scope.whole, waivers=not no_waivers)

    looked = look_and_fix(Fixable(scope.files, known.context.own.waivers, look, known.new), fixing, session)
    result = known.leave_out(looked.result)
    show(result, replace(scope, settings=known.context.settings), outputs, session)
    return ExitCode.FINDINGS if looked.differs and fail_on != "never" else outcome(result, fail_on)
