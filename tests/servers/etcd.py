"""An etcd of our own, with a prefix for each store, and users."""

import json
import secrets
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPSConnection
from typing import Any

from tests.conformance.publishing import Place
from tests.servers.databases import DatabaseServer, certify, new_name
from tests.servers.processes import (
    LOOPBACK,
    accepts_tcp,
    find_program,
    free_ports,
    give_to_unprivileged,
    private_folder,
    running,
    unprivileged_prefix,
)

ADMINISTRATOR = "root"


@contextmanager
def etcd_server() -> Iterator[DatabaseServer]:
    """Run etcd, which everybody has to log in to, while the context lasts; `UnavailableError` or `StartError`."""
    program = find_program("etcd", package="etcd-server")
    with private_folder() as folder, free_ports(3) as (port, clear, peers):
        ca = certify(folder)
        give_to_unprivileged(folder)
        here = f"https://{LOOPBACK}:{port}"
        command = [
            *unprivileged_prefix(),
            str(program),
            f"--data-dir={folder}/data",
            f"--listen-client-urls={here},http://{LOOPBACK}:{clear}",
            f"--advertise-client-urls={here}",
            f"--listen-peer-urls=http://{LOOPBACK}:{peers}",
            f"--initial-advertise-peer-urls=http://{LOOPBACK}:{peers}",
            f"--initial-cluster=default=http://{LOOPBACK}:{peers}",
            f"--cert-file={folder}/certificate.pem",
            f"--key-file={folder}/key.pem",
            "--bcrypt-cost=4",
        ]
        password = secrets.token_urlsafe(18)
        with running(folder, command, lambda: accepts_tcp(port), as_root=False) as log:
            server = DatabaseServer(
                "etcd", port, ca, password, folder, folder, log, user=ADMINISTRATOR, clear_port=clear
            )
            ask(server, "/auth/user/add", {"name": ADMINISTRATOR, "password": password}, token=None)
            ask(server, "/auth/user/grant", {"user": ADMINISTRATOR, "role": "root"}, token=None)
            ask(server, "/auth/enable", {}, token=None)
            yield server


@contextmanager
def new_place(server: DatabaseServer) -> Iterator[Place]:
    """Yield where there is no store yet: a prefix, and a user who may do anything below it and nothing else."""
    name = new_name()
    token = log_in(server)
    ask(server, "/auth/role/add", {"name": name}, token)
    grant(server, token, name, f"{name}/", "READWRITE")
    ask(server, "/auth/user/add", {"name": name, "password": server.password}, token)
    ask(server, "/auth/user/grant", {"user": name, "role": name}, token)
    yield server.place(name, user=name)


def grant(server: DatabaseServer, token: str, role: str, prefix: str, permission: str) -> None:
    """Give a role a permission for all keys with a prefix that ends with `/`."""
    # `0` follows `/`.
    keys = {"key": encoded(prefix), "range_end": encoded(f"{prefix[:-1]}0")}
    ask(server, "/auth/role/grant", {"name": role, "perm": {"permType": permission, **keys}}, token)


def encoded(text: str | bytes) -> str:
    """Return a key or value as the gateway takes it."""
    return b64encode(text.encode() if isinstance(text, str) else text).decode("ascii")


def log_in(server: DatabaseServer) -> str:
    """Return a token of the administrator."""
    answer = ask(server, "/auth/authenticate", {"name": ADMINISTRATOR, "password": server.password}, token=None)
    token: str = answer["token"]
    return token


def ask(server: DatabaseServer, path: str, question: dict[str, Any], token: str | None) -> dict[str, Any]:
    """Return etcd's answer; raises AssertionError where it refuses."""
    trust = ssl.create_default_context(cadata=server.ca)
    with closing(HTTPSConnection(LOOPBACK, server.port, timeout=10, context=trust)) as connection:
        connection.request("POST", f"/v3{path}", json.dumps(question), {"Authorization": token} if token else {})
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
    assert response.status == 200, answer
    return answer
