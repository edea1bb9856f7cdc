"""A released opsmail, and a Python to install it in."""

from pathlib import Path

import pytest

from tests.workflows.release import lending_python, wheel


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a `python3`, and the wheel beside it in `wheels`."""
    folder = tmp_path_factory.mktemp("tools")
    (folder / "wheels").mkdir()
    wheel(folder / "wheels")
    (folder / "python3").symlink_to(lending_python(folder))
    return folder
