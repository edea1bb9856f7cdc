"""`opsmail check`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import click

from opsmail.check.result import CheckResult
from opsmail.cli.checking import FAIL_ON, Run, Scope, outcome, show
from opsmail.cli.comparing import Comparing, comparing_options
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.fixing import Fixable, FixingOptions, fixing_options, look_and_fix
from opsmail.cli.options import DayType, session_options
from opsmail.cli.outputs import Output
from opsmail.cli.session import Session, today
from opsmail.output.findings import FORMATS
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
@click.option(
    "--jobs",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="How many processes to use; 0 for as many as the files are worth, on the cores at hand.  [default: 0]",
)
@click.option("--no-cache", is_flag=True, help="Neither use nor keep results in the user's cache folder.")
@comparing_options
@fixing_options
@session_options
def command(
    paths: tuple[str, ...],
    formats: tuple[str, ...],
    fail_on: str,
    no_waivers: bool,
    day: date | None,
    jobs: int,
    no_cache: bool,
    comparing: Comparing,
    fixing: FixingOptions,
    session: Session,
) -> ExitCode:
    """Check operator files against schema, rules and the catalogue of approved servers.

    PATHS are files or folders; without any, the operators folder is checked.
    """
    outputs = fixing.parsed_outputs(formats)
    run = Run(Scope.of(session, paths), day or today(), not no_waivers, jobs, not no_cache)
    if comparing == Comparing() and fixing == FixingOptions():
        result = run.result()
        show(result, run.scope, outputs, settings=run.scope.has_settings)
        return outcome(result, fail_on)
    # What is fixed or compared is looked at anew, all of it, and here.
    return _look_closely(run, comparing, fixing, outputs, fail_on)


def _look_closely(
    run: Run, comparing: Comparing, fixing: FixingOptions, outputs: Sequence[Output], fail_on: str
) -> ExitCode:
    from opsmail.check.engine import check

    scope, session = run.scope, run.scope.session
    known = comparing.known(session, run.context(), whole=scope.whole, waivers=run.waivers)

    def look(files: Iterable[SourceFile], own: bytes | None) -> CheckResult:
        return check(files, known.context.with_waivers(own), whole=scope.whole, waivers=run.waivers)

    looked = look_and_fix(Fixable(scope.files, known.context.own.waivers, look, known.new), fixing, session)
    result = known.leave_out(looked.result)
    show(result, scope, outputs, settings=known.context.settings.present)
    return ExitCode.FINDINGS if looked.differs and fail_on != "never" else outcome(result, fail_on)
