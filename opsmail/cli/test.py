"""`opsmail test`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from opsmail.addresses import AddressError, parse_address
from opsmail.check.result import CheckResult
from opsmail.cli.choosing import Choice, choose
from opsmail.cli.ci import current_run
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.findings import show_findings
from opsmail.cli.groups import Command
from opsmail.cli.operators import Selection, selecting_options
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.cli.trials import TEST_FORMATS, Trials
from opsmail.errors import UsageError
from opsmail.evidence.facts import Depth
from opsmail.live.result import Outcome, TestResult
from opsmail.messages import msg, msgn
from opsmail.settings.load import Settings


@click.command(
    "test",
    cls=Command,
    epilog="Example:  opsmail test rh-notificacoes --format text --format json:results.json",
)
@selecting_options
@click.option(
    "--depth",
    type=click.Choice([depth.value for depth in Depth]),
    default=Depth.SEND.value,
    show_default=True,
    help="How far to go.",
)
@click.option("--to", "recipient", metavar="ADDRESS", help="Where the test messages go.  [default: live.recipient]")
@click.option("--published", is_flag=True, help="Test what the store serves, instead of what git says.")
@click.option(
    "--within",
    "seconds",
    type=click.IntRange(1, 86_400),
    metavar="SECONDS",
    help="Stop after so many seconds and keep what is known by then.  [default: live.run_seconds]",
)
@click.option("--trust", metavar="REV", help="Take settings, catalogue and waivers from this revision.")
@click.option("--commit", metavar="SHA", help="Test this commit.  [default: HEAD]")
@format_option(f"Results as text or json, failures as {', '.join(TEST_FORMATS[2:])}")
@click.option(
    "--transcript",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what was said, without secrets, to this file.",
)
@session_options
def command(
    selection: Selection,
    depth: str,
    recipient: str | None,
    published: bool,
    seconds: int | None,
    trust: str | None,
    commit: str | None,
    formats: tuple[str, ...],
    transcript: Path | None,
    session: Session,
) -> int:
    """Send a real test message as each operator, and sign evidence for those that passed.

    Nothing is sent to a server that the catalogue does not allow. Operators with errors are not tested.
    """
    selection.require_sense(published=published)
    outputs = parse_outputs(formats or ("text",), TEST_FORMATS)
    run = current_run(os.environ)
    run.require_trusted()
    revision = Revision.open(session, commit, trust)
    to = recipient_of(recipient, revision.settings, Depth(depth))
    checked = revision.check()
    if published:
        from opsmail.cli.serving import served  # the others need no store, which takes a while to load

        serving = served(session, revision.settings, selection.names)
        operators, left_out = serving.operators, serving.revoked
    else:
        choice = choose(selection.pick(session, revision, checked, Depth(depth)), checked)
        operators, left_out = choice.operators, choice.left_out
        _tell_left_out(session, choice, checked)
    trials = Trials(session, revision, checked, run, outputs, transcript)
    within = revision.settings.file.live.run_seconds if seconds is None else seconds
    results = trials.run(operators, to, Depth(depth), within)
    return _exit_code(results, left_out=left_out)


def _tell_left_out(session: Session, choice: Choice, checked: CheckResult) -> None:
    if choice.left_out:
        show_findings(session, choice.findings, checked)
        session.console.say(
            msgn(
                "{count} operator with errors is not tested",
                "{count} operators with errors are not tested",
                choice.left_out,
            )
        )


def recipient_of(option: str | None, settings: Settings, depth: Depth) -> str:
    """Return where the test messages go; empty where none will be sent."""
    if not depth.reaches(Depth.ENVELOPE):
        if option is not None:
            raise UsageError(
                msg("nothing is sent at depth {depth}", depth=depth.value), hint=msg("leave --to or --depth out")
            )
        return ""
    live = settings.file.live
    # Where nobody else is named, who looks for a message gets it.
    own = live.probe.username if live.probe is not None and depth.reaches(Depth.RECEIPT) else None
    recipient = (live.recipient or own) if option is None else option
    hint = msg("set `live.recipient` in opsmail.toml, or pass --to ADDRESS")
    if recipient is None:
        raise UsageError(msg("nobody is named to receive the test messages"), hint=hint)
    try:
        parse_address(recipient)
    except AddressError as error:
        raise UsageError(
            msg("the test messages cannot go to `{address}`: {reason}", address=recipient, reason=error.message),
            hint=hint,
        ) from error
    return recipient


def _exit_code(results: Sequence[TestResult], left_out: int) -> int:
    """Return what the run says: a failure beats what is inconclusive, and what was skipped is never green."""
    outcomes = {result.outcome for result in results}
    if Outcome.FAILED in outcomes or left_out:
        return ExitCode.FINDINGS
    if outcomes - {Outcome.PASSED}:
        return ExitCode.UNAVAILABLE
    return ExitCode.DONE
