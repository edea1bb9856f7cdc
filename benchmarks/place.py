"""Where live tests are measured: a mail server on this machine, and a repository whose operators send to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from opsmail.evidence.keys import SigningKey

#: How many talk to the server at the same time, whoever they are.
AT_ONCE = 16
#: Of every account.
PASSWORD = "s3nh4"  # noqa: S105 - of made-up accounts
RECIPIENT = "teste@empresa.com.br"
_HOST, _DEAD_HOST = "smtp.empresa.com.br", "parado.empresa.com.br"
_SETTINGS = f"""\
[live]
recipient = "{RECIPIENT}"
concurrency = {AT_ONCE}
per_host = {AT_ONCE}
timeout_seconds = {{seconds}}

[[gate.keys]]
file = "ci.pub.pem"
kinds = ["test-send"]
"""
_SERVER = """
[[servers]]
host = "{host}"
connections = ["587/starttls"]
authentication = ["basic"]
secrets = ["env://OPSMAIL_SECRET_{{OPERATOR}}"]
ca = "ca.pem"
address = "127.0.0.1:{port}"
"""
_OPERATOR = """\
version: 1
operator: {id}
role: {role}
sender: {{address: {id}@empresa.com.br}}
server: {{host: {host}, port: 587, encryption: starttls}}
authentication: {{type: basic, username: {id}@empresa.com.br, password: "env://OPSMAIL_SECRET_{variable}"}}
"""


@dataclass(frozen=True)
class Server:
    """A mail server that takes everything.

    Args:
        port: on 127.0.0.1.
        folder: holds `ca.pem`, which vouches for it.
    """

    port: int
    folder: Path


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """Run the server; in the end it tells how many messages came."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert(_HOST, "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sink", folder / "server.pem"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        port = int(server.stdout.readline()) if server.stdout is not None else 0
        try:
            yield Server(port, folder)
        finally:
            arrived, _ = server.communicate(timeout=30)
            print(f"the server took {arrived.strip()} messages", file=sys.stderr)


@dataclass(frozen=True)
class Senders:
    """A repository with operators.

    Args:
        root: its root.
        count: how many operators it has.
        environment: their passwords and a signing key.
    """

    root: Path
    count: int
    environment: dict[str, str]

    @property
    def command(self) -> list[str]:
        """What tests them all."""
        return [sys.executable, "-P", "-m", "opsmail", "test", "--all", "--commit", "HEAD"]


def write_senders(
    root: Path, server: Server, count: int, *, dead_port: int | None = None, seconds: int = 30
) -> Senders:
    """Write and commit a repository whose operators send to `server`.

    Args:
        root: a new folder.
        server: theirs.
        count: how many.
        dead_port: where one of them sends instead; None for nobody.
        seconds: what each may take.
    """
    key = SigningKey.generate()
    (root / "operators").mkdir(parents=True)
    hosts = {_HOST: server.port} if dead_port is None else {_HOST: server.port, _DEAD_HOST: dead_port}
    settings = _SETTINGS.format(seconds=seconds)
    settings += "".join(_SERVER.format(host=host, port=port) for host, port in hosts.items())
    (root / "opsmail.toml").write_text(settings, encoding="utf-8")
    (root / "ca.pem").write_bytes((server.folder / "ca.pem").read_bytes())
    (root / "ci.pub.pem").write_text(key.public.pem(), encoding="utf-8")
    (root / ".gitignore").write_text(".opsmail/\n", encoding="utf-8")
    environment = {"OPSMAIL_SIGNING_KEY": key.pem(), "XDG_CACHE_HOME": str(root.parent / "cache")}
    for number in range(count):
        name, variable = f"op-{number:04}", f"OP_{number:04}"
        environment[f"OPSMAIL_SECRET_{variable}"] = PASSWORD
        host = _DEAD_HOST if dead_port is not None and number == 1 else _HOST
        role = "standard" if number else "master"
        text = _OPERATOR.format(id=name, role=role, host=host, variable=variable)
        (root / "operators" / f"{name}.yaml").write_text(text, encoding="utf-8")
    commit(root)
    return Senders(root, count, environment)


def commit(root: Path) -> None:
    """Make a folder a git repository with one commit of all that is in it."""
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@empresa.com.br"]
    for command in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message", "fleet"]):
        subprocess.run(["git", *command], cwd=root, check=True)
