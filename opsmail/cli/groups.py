"""Commands that have commands."""

from __future__ import annotations

import click

from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.shape import nearest, shown


class Group(click.Group):
    """Tells the nearest command where there is none of a name, whichever version of click is there."""

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
