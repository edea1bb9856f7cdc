"""`opsmail check`."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click

from opsmail.check.engine import CheckResult, check
from opsmail.check.interface import Context
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.options import DayType, session_options
from opsmail.cli.session import Session, today
from opsmail.errors import UsageError
from opsmail.findings import Severity
from opsmail.messages import msg
from opsmail.output.findings import FORMATS, Report, Summary
from opsmail.providers import load_providers
from opsmail.secrets import known_schemes

_FAIL_ON = {"error": Severity.ERROR, "warning": Severity.WARNING, "note": Severity.NOTE}


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
    outputs = [_output(text, session) for text in formats or ("text",)]
    settings = session.settings()
    tree = session.worktree
    whole = not paths
    named = [session.relative(path) for path in paths]
    files = list(tree.operator_files(settings.file.operators) if whole else tree.files(named))
    context = Context(settings, load_providers(), day or today(), known_schemes())
    result = check(files, context, whole=whole, waivers=not no_waivers)
    report = Report(result.findings, _summary(result, len(files)))
    for name, file in outputs:
        color = file is None and session.console.colors(sys.stdout)
        text = FORMATS[name](report, session.console.language, color)
        if file is None:
            session.console.result(text)
        else:
            file.write_text(text, encoding="utf-8")
    if not files:
        session.console.say(msg("no operator file to check"))
    if not settings.present:
        session.console.say(msg("there is no opsmail.toml, so servers are not compared with a catalogue"))
    return ExitCode.FINDINGS if _fails(result, fail_on) else ExitCode.DONE


def _output(text: str, session: Session) -> tuple[str, Path | None]:
    name, _, file = text.partition(":")
    if name not in FORMATS:
        raise UsageError(
            msg("there is no format `{name}`", name=name), hint=msg("known: {names}", names=", ".join(sorted(FORMATS)))
        )
    return name, Path(file) if file else None


def _summary(result: CheckResult, files: int) -> Summary:
    return Summary.of(result.findings, files=files, operators=len(result.members))


def _fails(result: CheckResult, fail_on: str) -> bool:
    least = _FAIL_ON.get(fail_on)
    return least is not None and any(
        finding.waived is None and finding.severity >= least for finding in result.findings
    )
