"""Pytest plugin with the servers' fixtures; the top-level conftest loads it by `pytest_plugins`."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import NoReturn, TypeVar

import pytest

from tests.browser.chromium import Browser, run_browser
from tests.servers.databases import DatabaseServer
from tests.servers.etcd import etcd_server as run_etcd
from tests.servers.identity import Identity, run_identity_provider
from tests.servers.mailserver import MailServer, run_mail_server
from tests.servers.mariadb import mariadb_server as run_mariadb
from tests.servers.postgres import postgres_server as run_postgres
from tests.servers.processes import UnavailableError

_T = TypeVar("_T")

# Fixture to the group of tests that shares it: `--dist loadgroup` gives a group to one worker, so it starts one server.
SERVER_GROUPS = {
    "mail_server": "postfix",
    "identity_provider": "postfix",
    "postgres_server": "postgres",
    "mariadb_server": "mariadb",
    "etcd_server": "etcd",
    "browser": "browser",
}


@pytest.hookimpl(tryfirst=True)  # before -m selects by marks and xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that uses a server's fixture, so that none can forget it."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in SERVER_GROUPS:
                item.add_marker(pytest.mark.servers)
                item.add_marker(pytest.mark.xdist_group(SERVER_GROUPS[fixture]))


def skip_or_fail(reason: UnavailableError, environment: Mapping[str, str]) -> NoReturn:
    """End the test that wanted a server: in CI a server that is missing must not pass unnoticed."""
    if environment.get("CI") == "true":
        pytest.fail(str(reason), pytrace=False)
    pytest.skip(str(reason))


@contextmanager
def _started(server: AbstractContextManager[_T]) -> Iterator[_T]:
    """Start a server; skip where it cannot run, fail there with CI=true."""
    with ExitStack() as stack:
        try:
            started = stack.enter_context(server)
        except UnavailableError as reason:
            skip_or_fail(reason, os.environ)
        yield started


@pytest.fixture(scope="session")
def mail_server() -> Iterator[MailServer]:
    """A real Postfix with Dovecot on free ports; skips where it cannot run, fails there with CI=true."""
    with _started(run_mail_server()) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[DatabaseServer]:
    """A real PostgreSQL; skipped or failed as `mail_server` is."""
    with _started(run_postgres()) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[DatabaseServer]:
    """A real MariaDB; skipped or failed as `mail_server` is."""
    with _started(run_mariadb()) as server:
        yield server


@pytest.fixture(scope="session")
def etcd_server() -> Iterator[DatabaseServer]:
    """A real etcd; skipped or failed as `mail_server` is."""
    with _started(run_etcd()) as server:
        yield server


@pytest.fixture(scope="session")
def identity_provider(mail_server: MailServer) -> Iterator[Identity]:
    """A real authorization server whose tokens `mail_server` takes; skipped or failed as `mail_server` is."""
    with _started(run_identity_provider(mail_server.token_key)) as provider:
        yield provider


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real browser without a window; skips where it cannot run, fails there with CI=true."""
    with _started(run_browser()) as running:
        yield running
