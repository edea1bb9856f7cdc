"""A MariaDB of our own, with a database for each store."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import pymysql

from tests.conformance.publishing import Place
from tests.servers.databases import USER, DatabaseServer, certify, new_name
from tests.servers.processes import (
    LOOPBACK,
    StartError,
    accepts_unix,
    find_program,
    free_ports,
    give_to_unprivileged,
    private_folder,
    running,
    unprivileged_prefix,
)

ADMINISTRATOR = "administrator"
CONFIGURATION = """\
[mariadbd]
bind-address = {loopback}
port = {port}
socket = {folder}/socket
datadir = {folder}/data
tmpdir = {folder}
pid-file = {folder}/pid
ssl-cert = {folder}/certificate.pem
ssl-key = {folder}/key.pem
innodb-buffer-pool-size = {memory}
innodb-log-file-size = {memory}
performance-schema = off
# What a careless administrator may have chosen; the store does not rely on it.
character-set-server = utf8mb4
collation-server = utf8mb4_general_ci
sql-mode =
transaction-isolation = REPEATABLE-READ
"""


@contextmanager
def mariadb_server(memory: str = "16M") -> Iterator[DatabaseServer]:
    """Run MariaDB with so much memory while the context lasts; raises `UnavailableError` or `StartError`."""
    program = find_program("mariadbd", package="mariadb-server")
    install = find_program("mariadb-install-db", package="mariadb-server")
    with private_folder() as folder, free_ports(1) as (port,):
        ca = certify(folder)
        password, key = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
        configuration = folder / "server.cnf"
        configuration.write_text(CONFIGURATION.format(loopback=LOOPBACK, port=port, folder=folder, memory=memory))
        first = folder / "first.sql"
        first.touch(mode=0o600)
        first.write_text(
            f"CREATE USER {ADMINISTRATOR}@localhost IDENTIFIED BY '{key}';\n"
            f"GRANT ALL ON *.* TO {ADMINISTRATOR}@localhost WITH GRANT OPTION;\n"
            f"CREATE USER {USER}@'%' IDENTIFIED BY '{password}';\n"
            f"GRANT ALL ON `t%`.* TO {USER}@'%';\n"
        )
        (folder / "data").mkdir()
        give_to_unprivileged(folder)
        done = subprocess.run(
            [
                *unprivileged_prefix(),
                str(install),
                f"--defaults-file={configuration}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
            ],
            capture_output=True,
            check=False,
            cwd="/",
            env={**os.environ, "HOME": str(folder)},
            text=True,
        )
        if done.returncode:
            raise StartError(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")
        socket = folder / "socket"
        command = [*unprivileged_prefix(), str(program), f"--defaults-file={configuration}", f"--init-file={first}"]

        # It listens before the first statements are done, and answers after.
        with running(folder, command, lambda: accepts_unix(socket), as_root=False) as log:
            yield DatabaseServer("mysql", port, ca, password, folder, socket, log, administrator_password=key)


def administer(server: DatabaseServer) -> "pymysql.Connection[Any]":
    """Return a connection of the administrator, on which each statement stands alone."""
    return _administer(str(server.socket), server.administrator_password)


@contextmanager
def new_place(server: DatabaseServer) -> Iterator[Place]:
    """Yield where there is no store yet: a database of its own."""
    name = new_name()
    with closing(administer(server)) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield server.place(name)
        finally:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", [name])
            for (identity,) in cursor.fetchall():
                with suppress(pymysql.OperationalError):  # it has ended by itself meanwhile
                    cursor.execute(f"KILL {identity}")
            cursor.execute(f"DROP DATABASE {name}")


def _administer(socket: str, password: str) -> "pymysql.Connection[Any]":
    return pymysql.connect(
        unix_socket=socket, user=ADMINISTRATOR, password=password, autocommit=True, ssl_disabled=True
    )
