"""The page about publishing names what there is: states, limits, and what a gate may require."""

from pathlib import Path

import pytest

from opsmail.cli.publish import command
from opsmail.publish.drift import State

PAGE = Path(__file__).parents[2] / "docs" / "publishing.md"

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="not a checkout: the documents are not here")


def test_every_state_of_drift_is_explained() -> None:
    rows = [line.split("|")[1].strip() for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert rows == [f"`{state.value}`" for state in State]


def test_every_option_that_allows_something_is_named() -> None:
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    allowing = {name for name in options if name.startswith(("--allow", "--accept", "--skip", "--break", "--prune"))}
    text = PAGE.read_text("utf-8")
    assert len(allowing) == 9
    assert [name for name in sorted(allowing) if name not in text] == []
