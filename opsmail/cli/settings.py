"""`opsmail settings`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click
from click.core import ParameterSource

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.session import Session
from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.output.results import settings as results
from opsmail.settings.origins import EffectiveValue, Origin, OriginKind, effective_values
from opsmail.shape import nearest, shown


@click.command("settings", cls=Command, epilog="Example:  opsmail settings gate --env production")
@click.argument("path", required=False)
@format_option("text or json")
@session_options
def command(path: str | None, formats: tuple[str, ...], session: Session) -> int:
    """Show every effective setting, and where it comes from: a default, a line of the file, an option.

    PATH narrows them: a table such as `gate` or `servers.0`, or one setting. Secrets are shown as references only.
    """
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    settings = session.settings()
    values = [*_circumstances(session), *effective_values(settings)]
    if path is not None:
        values = _below(path, values)
    console = session.console
    for output in outputs:
        as_json = output.format == "json"
        text = results.as_json(values) if as_json else results.as_text(values, console.language, output.style(console))
        output.write(console, text)
    if not settings.present:
        console.say(msg("there is no opsmail.toml, so the defaults hold"))
    return ExitCode.DONE


def _circumstances(session: Session) -> Iterator[EffectiveValue]:
    """Yield what was decided before the settings file was read: which file, and for which environment."""
    yield EffectiveValue("config", str(session.root / session.config), _origin("config"))
    yield EffectiveValue("environment", session.environment, _origin("environment"))


def _origin(name: str) -> Origin:
    """Return where the value of one of the command's own options comes from."""
    context = click.get_current_context()
    source = context.get_parameter_source(name)
    option = next(item for item in context.command.params if item.name == name)
    if source is ParameterSource.COMMANDLINE:
        return Origin(OriginKind.OPTION, option.opts[0])
    if source is ParameterSource.ENVIRONMENT:
        return Origin(OriginKind.VARIABLE, str(option.envvar))
    return Origin(OriginKind.DEFAULT)


def _below(path: str, values: Sequence[EffectiveValue]) -> list[EffectiveValue]:
    found = [item for item in values if f"{item.path}.".startswith(f"{path}.")]
    if not found:
        known = {item.path.rsplit(".", count)[0] for item in values for count in range(item.path.count(".") + 1)}
        guess = nearest(path, sorted(known))
        raise UsageError(
            msg("there is no setting `{path}`", path=shown(path)),
            hint=msg("did you mean `{guess}`?", guess=guess) if guess else msg("`opsmail settings` shows all of them"),
        )
    return found
