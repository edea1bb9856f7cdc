"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from opsmail.cli.language import language_option, of_context
from opsmail.cli.session import Session
from opsmail.expressions import expression
from opsmail.messages import msg

_DAY = expression(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Function = TypeVar("Function", bound=Callable[..., Any])


def session_options(function: Function) -> Function:
    """Add `--config`, `--env`, `--lang` and `--color`, and pass the session that follows from them as `session`."""

    @click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="OPSMAIL_CONFIG",
        help="The settings file.  [default: opsmail.toml here or in a folder above]",
    )
    @click.option(
        "--env", "environment", envvar="OPSMAIL_ENVIRONMENT", default="default", help="The environment to work for."
    )
    @language_option
    @click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to use colour.")
    def wrapper(*arguments: Any, config: Path | None, environment: str, color: str, **options: Any) -> Any:
        session = Session.open(config, environment, of_context(click.get_current_context()), color)
        return function(*arguments, session=session, **options)

    return bundled(function, wrapper)


def bundled(function: Function, wrapper: Callable[..., Any]) -> Function:
    """Return the decorator's result for options that belong together and reach a command as one value.

    Args:
        function: the command, or what another decorator made of it.
        wrapper: has the options, makes the value of them, and calls `function`.
    """
    wrapper.__doc__ = function.__doc__
    wrapper.__name__ = function.__name__
    # click collects options on the function that it decorates, the last one first.
    below = getattr(function, "__click_params__", [])
    wrapper.__click_params__ = below + wrapper.__click_params__  # type: ignore[attr-defined]  # click puts it on functions
    return wrapper  # type: ignore[return-value]  # bundled by its options, called as `function`


class DayType(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.4
    """A date, year-month-day."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the date."""
        try:
            return date.fromisoformat(value if _DAY.fullmatch(value) else "")  # it takes week dates and more
        except ValueError:
            message = msg("{value!r} is not a date; write year-month-day, for example 2027-05-01", value=value)
            self.fail(message.render(of_context(ctx)), param, ctx)
