"""A PostgreSQL of our own, with a schema for each store."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.conformance.publishing import Place
from tests.servers.databases import DatabaseServer, certify, new_name
from tests.servers.processes import (
    LOOPBACK,
    StartError,
    find_program,
    free_ports,
    give_to_unprivileged,
    private_folder,
    running,
    unprivileged_prefix,
)

DATABASE = "opsmail"
ADMINISTRATOR = "postgres"
CONFIGURATION = """\
listen_addresses = '{loopback}'
port = {port}
unix_socket_directories = '{folder}'
ssl = on
ssl_cert_file = '{folder}/certificate.pem'
ssl_key_file = '{folder}/key.pem'
# Found and raised by opsmail.
synchronous_commit = off
shared_buffers = {memory}B
max_connections = {connections}
autovacuum = off
"""
# Who administers comes by the socket, in a folder of its own; everybody else logs in.
ACCESS = """\
local all all trust
host all all {loopback}/32 scram-sha-256
"""


@contextmanager
def postgres_server(connections: int = 60, memory: str = "16M") -> Iterator[DatabaseServer]:
    """Run PostgreSQL for so many connections, with so much memory; raises `UnavailableError` or `StartError`."""
    programs = _programs()
    with private_folder() as folder, free_ports(1) as (port,):
        ca = certify(folder)
        data = folder / "data"
        give_to_unprivileged(folder)
        _run(
            programs / "initdb",
            "--pgdata",
            data,
            "--username",
            ADMINISTRATOR,
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--auth=trust",
        )
        with (data / "postgresql.conf").open("a") as file:
            limits = {"connections": connections, "memory": memory}
            file.write(CONFIGURATION.format(loopback=LOOPBACK, port=port, folder=folder, **limits))
        (data / "pg_hba.conf").write_text(ACCESS.format(loopback=LOOPBACK))
        password = secrets.token_urlsafe(18)

        def is_ready() -> bool:
            try:
                _administer(folder, port, "postgres").close()
            except psycopg.OperationalError:
                return False
            return True

        command = [*unprivileged_prefix(), str(programs / "postgres"), "-D", str(data)]
        with running(folder, command, is_ready, as_root=False) as log:
            with closing(_administer(folder, port, "postgres")) as connection:
                connection.execute(f"CREATE DATABASE {DATABASE}")
            yield DatabaseServer("postgresql", port, ca, password, folder, folder, log)
            # It is told to stop by SIGTERM, upon which it waits for its clients.
            with closing(_administer(folder, port, "postgres")) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                    " AND pid <> pg_backend_pid()"
                )


def administer(server: DatabaseServer) -> "psycopg.Connection[Any]":
    """Return a connection of the administrator, on which each statement stands alone."""
    return _administer(server.folder, server.port, DATABASE)


@contextmanager
def new_place(server: DatabaseServer) -> Iterator[Place]:
    """Yield where there is no store yet: a schema of a new user's own."""
    name = new_name()
    with closing(administer(server)) as connection:
        user = sql.Identifier(name)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(user, sql.Literal(server.password)))
        connection.execute(sql.SQL("CREATE SCHEMA AUTHORIZATION {}").format(user))
        try:
            yield server.place(DATABASE, user=name)
        finally:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [name])
            connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(user))
            connection.execute(sql.SQL("DROP ROLE {}").format(user))


def _administer(folder: Path, port: int, database: str) -> "psycopg.Connection[Any]":
    return psycopg.connect(host=str(folder), port=port, user=ADMINISTRATOR, dbname=database, autocommit=True)


def _programs() -> Path:
    """Return the folder of the programs: Debian keeps those of each version apart, and only wrappers on PATH."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "postgres").exists():
            return folder
    return find_program("postgres", package="postgresql").parent


def _run(*command: object) -> None:
    done = subprocess.run(
        [*unprivileged_prefix(), *map(str, command)], capture_output=True, check=False, cwd="/", text=True
    )
    if done.returncode:
        raise StartError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
