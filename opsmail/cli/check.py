"""`opsmail check`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import click

from opsmail.check.judging import JudgingOptions
from opsmail.check.result import CheckResult
from opsmail.cli.checking import FAIL_ON, Run, Scope, outcome, show
from opsmail.cli.comparing import Comparing, comparing_options
from opsmail.cli.counting import counting_outputs
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.fixing import Fixable, FixingOptions, fixing_options, look_and_fix
from opsmail.cli.options import DayType, session_options
from opsmail.cli.outputs import Output
from opsmail.cli.resolving import after_trial, secret_trial
from opsmail.cli.selecting import judging_options, require_rules, say_partial
from opsmail.cli.session import Session, today
from opsmail.cli.watching import require_watchable, watch
from opsmail.errors import UsageError
from opsmail.messages import msg
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

    def look() -> ExitCode:
        run = Run(Scope.of(session, paths, stdin_name), day or today(), not no_waivers, jobs, not no_cache, judging)
        showing = Showing(outputs, fail_on, statistics)
        if run.scope.from_stdin and fixing.fix and not fixing.diff:
            raise UsageError(msg("standard input cannot be fixed"), hint=msg("--diff shows what a fix would change"))
        if comparing == Comparing() and fixing == FixingOptions() and not (resolve or run.scope.from_stdin):
            return _look(run, showing)
        # What is fixed, compared, given or has its secrets tried is looked at anew, all of it, and here.
        return _look_closely(run, comparing, fixing, showing, resolve=resolve)

    if watching:
        require_watchable(outputs, paths, writes=comparing.write_baseline or fixing != FixingOptions())
        watch(session, paths, look, beside=[] if comparing.baseline is None else [comparing.baseline])
    return look()


class Showing(NamedTuple):
    """How a run tells what it found.

    Args:
        outputs: where to.
        fail_on: the least severity that makes the exit code 1.
        statistics: standard output has figures instead of findings.
    """

    outputs: Sequence[Output]
    fail_on: str
    statistics: bool


def _look(run: Run, showing: Showing) -> ExitCode:
    scope, judging, console = run.scope, run.judging, run.scope.session.console
    if judging.select or judging.ignore:
        require_rules(judging, scope.settings, console)
    result = run.result()
    show(result, scope, showing.outputs, settings=scope.has_settings, statistics=showing.statistics)
    say_partial(judging, result, console)
    return outcome(result, showing.fail_on)


def _look_closely(
    run: Run, comparing: Comparing, fixing: FixingOptions, showing: Showing, *, resolve: bool
) -> ExitCode:
    from opsmail.check.engine import check

    scope, session = run.scope, run.scope.session
    trial = secret_trial(wanted=resolve)
    known = comparing.known(session, run.context(trial), whole=scope.whole, waivers=run.waivers)
    settings = known.context.settings
    require_rules(run.judging, settings, session.console)

    def look(files: Iterable[SourceFile], own: bytes | None) -> CheckResult:
        return check(files, known.context.with_waivers(own), whole=scope.whole, waivers=run.waivers)

    looked = look_and_fix(Fixable(scope.sources, known.context.own.waivers, look, known.new), fixing, session)
    result = known.leave_out(looked.result)
    show(result, scope, showing.outputs, settings=settings.present, statistics=showing.statistics)
    say_partial(run.judging, result, session.console)
    code = ExitCode.FINDINGS if looked.differs and showing.fail_on != "never" else outcome(result, showing.fail_on)
    return after_trial(code, trial, session.console)
