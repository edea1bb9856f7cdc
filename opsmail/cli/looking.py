"""One run of `opsmail check`: look, tell what was found, and say what the exit code is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from opsmail.check.result import CheckResult
from opsmail.cli.checking import Run, outcome, show
from opsmail.cli.comparing import Comparing
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.fixing import Fixable, FixingOptions, look_and_fix
from opsmail.cli.outputs import Output
from opsmail.cli.resolving import after_trial, secret_trial
from opsmail.cli.selecting import require_rules, say_partial
from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.source.tree import SourceFile

if TYPE_CHECKING:
    from opsmail.check.interface import Context
    from opsmail.cli.known import Known


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


def look(run: Run, showing: Showing) -> ExitCode:
    """Check what is on disk and tell what was found; what an earlier run found in the same files is used.

    Args:
        run: what is checked.
        showing: how to tell.

    Returns:
        The exit code.
    """
    scope, judging, console = run.scope, run.judging, run.scope.session.console
    if judging.select or judging.ignore:
        require_rules(judging, scope.settings, console)
    result = run.result()
    show(result, scope, showing.outputs, settings=scope.has_settings, statistics=showing.statistics)
    say_partial(judging, result, console)
    return outcome(result, showing.fail_on)


def look_closely(run: Run, comparing: Comparing, fixing: FixingOptions, showing: Showing, *, resolve: bool) -> ExitCode:
    """Check anew, here, and all of it: what is compared, fixed, given on standard input, or has its secrets tried.

    Args:
        run: what is checked.
        comparing: what its findings are set against.
        fixing: what to do about them.
        showing: how to tell.
        resolve: try whether secrets resolve.

    Returns:
        The exit code.
    """
    from opsmail.check.engine import check

    scope, session = run.scope, run.scope.session
    trial = secret_trial(wanted=resolve)
    known = _known(run, comparing, run.context(trial))
    settings = known.context.settings
    require_rules(run.judging, settings, session.console)

    def check_again(files: Iterable[SourceFile], own: bytes | None) -> CheckResult:
        return check(files, known.context.with_waivers(own), whole=scope.whole, waivers=run.waivers)

    looked = look_and_fix(Fixable(scope.sources, known.context.own.waivers, check_again, known.new), fixing, session)
    result = known.leave_out(looked.result)
    show(result, scope, showing.outputs, settings=settings.present, statistics=showing.statistics)
    say_partial(run.judging, result, session.console)
    code = ExitCode.FINDINGS if looked.differs and showing.fail_on != "never" else outcome(result, showing.fail_on)
    return after_trial(code, trial, session.console)


def _known(run: Run, comparing: Comparing, context: Context) -> Known:
    """Return what a run is checked with, beside a revision and a baseline where there are any.

    Args:
        run: what is checked.
        comparing: what its findings are set against.
        context: the circumstances by the change's own settings.

    Raises:
        UsageError: options that do not go together, a revision or file that is not there or not usable.
    """
    from opsmail.cli.known import Known

    if comparing.new_only and comparing.base is None:
        raise UsageError(
            msg("--new-only needs a revision to compare with"), hint=msg("add --base, for example --base main")
        )
    scope, known = run.scope, Known(context)
    if comparing.judge is not None:
        from opsmail.cli.compared import compared

        known = compared(scope.session, comparing, comparing.judge, context, waivers=run.waivers)
    if comparing.baseline is not None or comparing.write_baseline:
        from opsmail.cli.baselined import with_baseline

        known = with_baseline(scope.session, comparing, known, whole=scope.whole)
    return known
