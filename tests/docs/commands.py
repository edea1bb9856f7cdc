"""Every command of the program, and what a command line in a text calls."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator

import click

from opsmail.cli.face import opsmail

Words = tuple[str, ...]


def walk(command: click.Command, words: Words) -> Iterator[tuple[Words, click.Command]]:
    """Yield every command with the words that call it, groups included."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=words[-1])
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from walk(found, (*words, name))


COMMANDS = dict(walk(opsmail, ("opsmail",)))
#: Those that do something by themselves, by what one types.
LINES = {" ".join(words): command for words, command in COMMANDS.items() if not isinstance(command, click.Group)}

#: Where a shell's own words begin.
_SHELL = {"|", ">", ">>", "<", "&&", "||", ";"}


def split(line: str) -> tuple[str, list[str]]:
    """Return which command a command line calls, and its options.

    Raises:
        KeyError: there is no such command.
    """
    words = shlex.split(line, comments=True)
    count = next((count for count in (3, 2) if tuple(words[:count]) in COMMANDS), 1)
    command = " ".join(words[:count])
    if command not in LINES and (len(words) > count and not words[count].startswith("-")):
        raise KeyError(line)
    return command, [word.partition("=")[0] for word in words[count:] if word.startswith("-") and word != "-"]


def misuse(line: str) -> str | None:
    """Return what is wrong with a whole command line: an option, what it takes, its value; None where nothing is.

    Paths need not be there, and placeholders in capitals may stand for arguments.
    """
    name, _ = split(line)
    command = COMMANDS[tuple(name.split())]
    words = list(itertools.takewhile(lambda word: word not in _SHELL, shlex.split(line, comments=True)))
    context = click.Context(command, info_name=name)
    try:
        values, _, _ = command.make_parser(context).parse_args(words[len(name.split()) :])
        for parameter in command.params:
            given = values.get(parameter.name or "")
            for value in given if isinstance(given, list) else [given]:
                if isinstance(value, str) and isinstance(parameter, click.Option):
                    parameter.type.convert(value, parameter, context)
    except click.UsageError as error:
        return error.format_message()
    return None


def unknown_options(line: str) -> list[str]:
    """Return the options in a command line that its command does not have."""
    name, options = split(line)
    command = COMMANDS[tuple(name.split())]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return [option for option in options if option not in {*known, "-h", "--help"}]
