import inspect
from datetime import date

import click
import pytest
from click.testing import CliRunner

from opsmail.cli.options import DayType, session_options
from opsmail.cli.session import Session


@click.command("x", epilog="Example:  x --mine 1")
@click.option("--mine", help="Its own.")
@session_options
def command(mine: str | None, session: Session) -> None:
    """Say what it got."""
    click.echo(f"{mine} {session.environment} {session.console.color} {session.config}")


def test_a_command_gets_its_session_beside_its_own_options(tmp_path: object) -> None:
    result = CliRunner().invoke(command, ["--mine", "1", "--env", "test", "--color", "never"])
    assert (result.exit_code, result.output) == (0, "1 test never opsmail.toml\n")


def test_the_environment_names_it_too() -> None:
    result = CliRunner().invoke(command, [], env={"OPSMAIL_ENVIRONMENT": "production", "OPSMAIL_COLOR": "always"})
    assert result.output == "None production auto opsmail.toml\n"


def test_help_shows_a_commands_own_options_first() -> None:
    text = CliRunner().invoke(command, ["--help"]).output
    assert "Say what it got." in text
    assert text.index("--mine") < text.index("--config") < text.index("--env") < text.index("--lang")


def test_the_function_keeps_its_name() -> None:
    assert inspect.unwrap(session_options(lambda session: None)).__name__ == "<lambda>"


@pytest.mark.parametrize("text", ["2027-05-01", "2024-02-29"])
def test_days(text: str) -> None:
    assert DayType().convert(text, None, None) == date.fromisoformat(text)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2027-02-29", "20270501", "2027-W01-1", "2027-05-01T00:00", "２０２７-05-01"]
)
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a date; write year-month-day"):
        DayType().convert(text, None, None)
