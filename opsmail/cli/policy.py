"""`opsmail policy`."""

from __future__ import annotations

import click

from opsmail.check.interface import Context
from opsmail.check.organisation import rules_of
from opsmail.check.organisation.trials import Outcome, run_trials
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Group
from opsmail.cli.language import language_option
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.session import Session, today
from opsmail.messages import msg
from opsmail.output.results.policy import closing_line, render_json, render_text
from opsmail.providers import load_providers
from opsmail.secrets import known_schemes


@click.group("policy", cls=Group, invoke_without_command=True)
@language_option
@click.pass_context
def command(ctx: click.Context) -> None:
    """Your organisation's own rules."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(ExitCode.USAGE)


@command.command("test", epilog="Example:  opsmail policy test --format text --format json:policy.json")
@format_option("text or json")
@session_options
def test(formats: tuple[str, ...], session: Session) -> int:
    """Run the tests that stand beside the rules in opsmail.toml: they find what they should, and nothing else.

    Each file is looked at by its rule alone, as if it were the whole fleet.
    """
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    settings = session.settings()
    context = Context(settings, load_providers(), today(), known_schemes())
    trials = list(run_trials(rules_of(settings), context, session.worktree))
    untested = [rule.id for rule in settings.file.rules if not rule.tests]
    for output in outputs:
        if output.format == "json":
            text = render_json(trials, untested)
        else:
            text = render_text(trials, session.console.language, output.style(session.console))
        output.write(session.console, text)
    if not settings.file.rules:
        session.console.say(msg("no rules in {file}: nothing to test", file=settings.name))
    if untested:
        session.console.say(msg("without tests: {rules}", rules=", ".join(untested)))
    session.console.say(closing_line(trials))
    failed = any(trial.outcome is not Outcome.PASSED for trial in trials)
    return ExitCode.FINDINGS if failed else ExitCode.DONE
