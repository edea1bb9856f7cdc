"""`opsmail check`."""

from __future__ import annotations

from datetime import date

import click

from opsmail.check.judging import JudgingOptions
from opsmail.cli.checking import FAIL_ON, Run, Scope
from opsmail.cli.comparing import Comparing, comparing_options
from opsmail.cli.counting import counting_outputs
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.fixing import FixingOptions, fixing_options
from opsmail.cli.groups import Command
from opsmail.cli.looking import Showing, look, look_closely
from opsmail.cli.options import DayType, session_options
from opsmail.cli.selecting import judging_options
from opsmail.cli.session import Session, today
from opsmail.cli.watching import require_watchable, watch
from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.output.findings import FORMATS


@click.command(
    "check",
    cls=Command,
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
@click.option(
    "--at", "day", type=DayType(), help="Judge date-bound rules as of this day: `--at 2027-01-31`.  [default: today]"
)
@judging_options
@click.option(
    "--stdin-filename",
    "stdin_name",
    metavar="FILE",
    help="Check standard input in the place of this file: `opsmail check - --stdin-filename operators/rh.yaml`."
    "  [default: the file of the operator that it describes]",
)
@click.option(
    "--resolve",
    is_flag=True,
    help="Try whether every secret reference resolves here; values are never shown. Needs the secrets at hand.",
)
@click.option(
    "--statistics",
    is_flag=True,
    help="Print how many findings each rule has instead of the findings, as text or with `--format json`.",
)
@click.option("--watch", "watching", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
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
    judging: JudgingOptions,
    stdin_name: str | None,
    resolve: bool,
    statistics: bool,
    watching: bool,
    jobs: int,
    no_cache: bool,
    comparing: Comparing,
    fixing: FixingOptions,
    session: Session,
) -> ExitCode:
    """Check operator files against schema, rules and the catalogue of approved servers.

    PATHS are files or folders; without any, the operators folder is checked. `-` is standard input.
    """
    outputs = fixing.parsed_outputs(formats)
    if statistics:
        outputs = counting_outputs(outputs, diff=fixing.diff)

    def once() -> ExitCode:
        run = Run(Scope.of(session, paths, stdin_name), day or today(), not no_waivers, jobs, not no_cache, judging)
        showing = Showing(outputs, fail_on, statistics)
        if run.scope.from_stdin and fixing.fix and not fixing.diff:
            raise UsageError(msg("standard input cannot be fixed"), hint=msg("--diff shows what a fix would change"))
        if comparing == Comparing() and fixing == FixingOptions() and not (resolve or run.scope.from_stdin):
            return look(run, showing)
        return look_closely(run, comparing, fixing, showing, resolve=resolve)

    if watching:
        require_watchable(outputs, paths, writes=comparing.write_baseline or fixing != FixingOptions())
        watch(session, paths, once, beside=[] if comparing.baseline is None else [comparing.baseline])
    return once()
