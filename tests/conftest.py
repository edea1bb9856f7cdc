"""What all tests share: servers, the report on hostile cases, how long Hypothesis looks, a cache folder, English."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.scratch import MEMORY, scratch

pytest_plugins = ["tests.servers.fixtures", "tests.hostile.report"]

# A busy machine is not a failure, and neither is a test that is given a fixture of its whole run.
settings.register_profile("run", deadline=None)
settings.register_profile(
    "long", deadline=None, max_examples=20_000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("run")


#: Folders of tests that wait for commands, servers and browsers.
_SLOW = frozenset(("acceptance", "browser", "conformance", "reliability", "servers", "workflows"))


def pytest_configure() -> None:
    """Take files of tests to memory where that is asked for, also those of the programs that they start."""
    if scratch() == MEMORY:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # it may have been looked up already


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that at the end no worker waits for another."""
    items.sort(key=lambda item: item.path.parent.name not in _SLOW)


@pytest.fixture(scope="session", autouse=True)
def _english() -> Iterator[None]:
    """Keep the language of the machine away from texts that tests expect."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setitem(os.environ, "OPSMAIL_LANG", "en")
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_cache_of_anybodys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep results of checks where no other run finds them."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("cache")
        monkeypatch.setitem(os.environ, "XDG_CACHE_HOME", str(folder))
        yield folder
