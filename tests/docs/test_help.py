"""Every command explains itself: what it does, each option, and an example that is one."""

import shlex
from collections.abc import Iterator

import click
import pytest

from opsmail.cli.face import opsmail


def walk(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with the words that call it, groups included."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=words[-1])
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from walk(found, (*words, name))


COMMANDS = dict(walk(opsmail, ("opsmail",)))
LINES = {" ".join(words): command for words, command in COMMANDS.items() if not isinstance(command, click.Group)}


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


def unknown_options(line: str) -> list[str]:
    """Return the options in a command line that its command does not have."""
    name, options = split(line)
    command = COMMANDS[tuple(name.split())]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return [option for option in options if option not in {*known, "-h", "--help"}]


@pytest.mark.parametrize("name", [" ".join(words) for words in COMMANDS])
def test_it_says_what_it_does(name: str) -> None:
    command = COMMANDS[tuple(name.split())]
    assert command.help
    assert command.get_short_help_str(limit=200).endswith(".")


@pytest.mark.parametrize("name", LINES)
def test_it_has_an_example_that_works(name: str) -> None:
    example = LINES[name].epilog
    assert example is not None
    start, _, line = example.partition(":")
    assert start == "Example"
    assert split(line.strip())[0] == name
    assert unknown_options(line) == []


@pytest.mark.parametrize("name", LINES)
def test_each_option_says_what_it_does(name: str) -> None:
    for parameter in LINES[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts
            assert parameter.help.split("  [")[0].endswith("."), parameter.help


def test_an_option_that_does_not_exist_is_noticed() -> None:
    assert unknown_options("opsmail check --formt json") == ["--formt"]
    with pytest.raises(KeyError):
        split("opsmail inspect")
