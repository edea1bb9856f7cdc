"""`opsmail check`."""

from __future__ import annotations

import sys
from datetime import date

import click

from opsmail.check.engine import CheckResult, check
from opsmail.check.interface import Context
from opsmail.check.sources import CheckedSources
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.options import DayType, session_options
from opsmail.cli.outputs import parse_outputs
from opsmail.cli.session import Session, today
from opsmail.findings import Severity
from opsmail.messages import msg
from opsmail.output.findings import FORMATS, Report, Summary
from opsmail.output.style import Style
from opsmail.providers import load_providers
from opsmail.secrets import known_schemes
from opsmail.source.tree import is_around

_FAIL_ON = {"error": Severity.ERROR, "warning": Severity.WARNING}


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
    help=f"How to write the findings: {', '.join(FORMATS)}. May be given several times.  [default: text]",
)
@click.option(
    "--fail-on",
    type=click.Choice([*_FAIL_ON, "never"]),
    default="error",
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
@click.option("--no-waivers", is_flag=True, help="Count findings that waivers.yaml mutes.")
@click.option("--at", "day", type=DayType(), help="Judge date-bound rules as of this day.")
@session_options
def command(
    paths: tuple[str, ...], formats: tuple[str, ...], fail_on: str, no_waivers: bool, day: date | None, session: Session
) -> int:
    """Check operator files against schema, rules and the catalogue of approved servers.

    PATHS are files or folders; without any, the operators folder is checked.
    """
    outputs = parse_outputs(formats or ("text",), FORMATS)
    settings = session.settings()
    folders = settings.file.operators
    named = [session.relative(path) for path in paths]
    # What is missing from a part of the fleet is not missing.
    whole = not named or all(any(is_around(path, folder) for path in named) for folder in folders)
    tree = session.worktree
    files = tree.files(named, folders) if named else tree.operator_files(folders)
    context = Context(settings, load_providers(), day or today(), known_schemes())
    result = check(files, context, whole=whole, waivers=not no_waivers)
    report = Report(
        result.findings,
        Summary.of(result.findings, result.members),
        result.members,
        CheckedSources(tree, known_schemes()),
        session.environment,
    )
    for output in outputs:
        style = Style(output.file is None and session.console.colors(sys.stdout))
        output.write(session.console, FORMATS[output.format](report, session.console.language, style))
    if not result.members:
        session.console.say(msg("no operator file to check"))
    if not settings.present:
        session.console.say(msg("there is no opsmail.toml, so servers are not compared with a catalogue"))
    return ExitCode.FINDINGS if _fails(result, fail_on) else ExitCode.DONE


def _fails(result: CheckResult, fail_on: str) -> bool:
    least = _FAIL_ON.get(fail_on)
    return least is not None and any(
        finding.waived is None and finding.severity >= least for finding in result.findings
    )
