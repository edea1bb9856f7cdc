"""`opsmail plan`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from opsmail.check.result import CheckResult
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.findings import show_findings
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import Output, format_option, parse_outputs
from opsmail.cli.planning import prepare_reading
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.cli.trusting import TrustChange
from opsmail.errors import OpsmailError, UsageError
from opsmail.messages import msg
from opsmail.output.results import plans
from opsmail.publish.gate import trust_refusals
from opsmail.publish.limits import Allowances, Violation, violations
from opsmail.publish.plan import Plan


@click.command("plan", cls=Command, epilog="Example:  opsmail plan --env production --out plan.json")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan, for `publish FILE`.")
@format_option("text, json or markdown")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when something would change.")
@click.option("--trust", metavar="REV", help="Take settings, catalogue and waivers from this revision.")
@click.option("--commit", metavar="SHA", help="Plan this commit.  [default: HEAD]")
@session_options
def command(
    out: Path | None,
    formats: tuple[str, ...],
    exit_code: bool,
    trust: str | None,
    commit: str | None,
    session: Session,
) -> int:
    """Show what `publish` would change, in words, and which limits it would meet. Changes nothing.

    With --trust also the store is that revision's, so that a change does not say which store its plan is made from.
    """
    outputs = parse_outputs(formats or ("text",), ("text", "json", "markdown"))
    if out is not None and trust is not None:
        raise UsageError(
            msg("a plan by the settings of another revision cannot be applied"), hint=msg("leave --out or --trust out")
        )
    revision = Revision.open(session, commit, trust)
    checked = revision.check()
    errors = checked.errors()
    if errors:
        show_findings(session, errors, checked)
        _tell_revoked(session, revision, checked)
        session.console.say(msg("there is no plan for a commit with errors"))
        return ExitCode.FINDINGS
    prepared = prepare_reading(session, revision, checked)
    plan = prepared.plan
    if prepared.records_other_settings():
        session.console.say(msg("a publish would record what the settings trust now"))
    limits = [*_untrusted(prepared.trust), *violations(plan, revision.settings.file.store, Allowances())]
    for output in outputs:
        output.write(session.console, _render(output, plan, limits, session))
    if out is not None:
        Output("json", out).write(session.console, plans.as_json(plan))
    return ExitCode.FINDINGS if exit_code and plan.changes else ExitCode.DONE


def _tell_revoked(session: Session, revision: Revision, checked: CheckResult) -> None:
    """Say who is published and not allowed any more, also where there is no plan."""
    try:
        revoked = prepare_reading(session, revision, checked).plan.revoked
    except OpsmailError as error:
        session.console.say(msg("what is published was not looked at: {reason}", reason=error.message))
        return
    for item in revoked:
        session.console.say(plans.revoked(item))


def _untrusted(trust: TrustChange) -> Iterator[Violation]:
    for refusal in trust_refusals(trust.loosened, trust.digest, None):
        yield Violation(refusal.message, f"--accept-settings {trust.digest}")


def _render(output: Output, plan: Plan, limits: list[Violation], session: Session) -> str:
    language = session.console.language
    match output.format:
        case "json":
            return plans.as_json(plan)
        case "markdown":
            return plans.as_markdown(plan, limits, language)
        case _:
            return plans.as_text(plan, limits, language, output.style(session.console))
