"""Every command explains itself: what it does, each option, and an example that is one."""

import click
import pytest

from tests.docs.commands import COMMANDS, LINES, misuse, split, unknown_options


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
    assert misuse(line.strip()) is None


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
