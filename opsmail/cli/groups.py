"""Commands, alone and in groups: they explain themselves in the user's language."""

from __future__ import annotations

import copy
import inspect
from gettext import gettext
from typing import Any, TypeVar

import click

from opsmail.cli.language import handed_on, of_context, spoken
from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.shape import nearest, shown

_Command = TypeVar("_Command", bound=click.Command)


class Command(click.Command):
    """Reads its arguments and tells its help in the language that is the context's object."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of a call, its arguments read."""
        with spoken(handed_on(extra.get("obj") if parent is None else parent.obj)):
            return super().make_context(info_name, args, parent, **extra)

    def get_help(self, ctx: click.Context) -> str:
        """Return the whole help."""
        with spoken(of_context(ctx)):
            return super(Command, _translated(self)).get_help(ctx)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the line that a group has for the command."""
        return super(Command, _translated(self)).get_short_help_str(limit)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return `--help`, which click keeps in the language of the first call."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = gettext("Show this message and exit.")
        return option


class Group(Command, click.Group):
    """Tells the nearest command where there is none of a name, whichever version of click is there."""

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the words begin with.

        Raises:
            UsageError: there is none of that name.
        """
        name, known = args[0], self.list_commands(ctx)
        if ctx.resilient_parsing or name in known or name.startswith("-"):  # completion tries what is typed so far
            return super().resolve_command(ctx, args)
        guess, path = nearest(name, known), ctx.command_path
        raise UsageError(
            msg("there is no command `{path} {name}`", path=path, name=shown(name)),
            hint=msg("see `{path} --help`", path=path)
            if guess is None
            else msg("did you mean `{path} {guess}`?", path=path, guess=guess),
        )


def _translated(command: _Command) -> _Command:
    """Return a copy whose texts are those that gettext has for them now."""
    twin = copy.copy(command)
    twin.help = _text(command.help)
    if command.epilog is not None:
        word, separator, example = command.epilog.partition(":  ")
        twin.epilog = f"{_text(word)}{separator}{example}"
    twin.params = [_translated_parameter(parameter) for parameter in command.params]
    return twin


def _translated_parameter(parameter: click.Parameter) -> click.Parameter:
    twin = copy.copy(parameter)
    if isinstance(twin, click.Option):
        twin.help = _text(twin.help)
    return twin


def _text(text: str | None) -> str | None:
    return gettext(inspect.cleandoc(text)) if text else text
