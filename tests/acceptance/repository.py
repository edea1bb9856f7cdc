"""Repositories as an administrator keeps them: operators, catalogue and keys in git, and their secrets outside."""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.canary import Canary, key_secrets
from tests.acceptance.command import Result, Shell

SIGNING_KEY = "OPSMAIL_SIGNING_KEY"
EVIDENCE = Path(".opsmail/evidence")

_IDENTITY = {
    "GIT_AUTHOR_NAME": "TI",
    "GIT_AUTHOR_EMAIL": "ti@empresa.test",
    "GIT_COMMITTER_NAME": "TI",
    "GIT_COMMITTER_EMAIL": "ti@empresa.test",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


@dataclass(frozen=True, slots=True)
class KeyPair:
    """What `opsmail keygen` wrote: the private key's text and the public key's."""

    private: str = field(repr=False)
    public: str


def secret_name(operator: str) -> str:
    return f"OPSMAIL_SECRET_{operator.upper().replace('-', '_').replace('.', '_')}"


@dataclass(frozen=True, kw_only=True)
class Server:
    """One entry of the catalogue; `address` is where it really is, `ca` whom to trust for it."""

    host: str
    address: str | None = None
    connections: tuple[str, ...] = ("587/starttls",)
    authentication: tuple[str, ...] = ("basic",)
    secrets: tuple[str, ...] = ("env://OPSMAIL_SECRET_{OPERATOR}",)
    ca: str | None = "ca/test.pem"
    private: bool = False

    def toml(self) -> str:
        lines = [
            "[[servers]]",
            f'host = "{self.host}"',
            f"connections = {json.dumps(self.connections)}",
            f"authentication = {json.dumps(self.authentication)}",
            f"secrets = {json.dumps(self.secrets)}",
        ]
        lines += [f'address = "{self.address}"'] if self.address else []
        lines += [f'ca = "{self.ca}"'] if self.ca else []
        lines += ["private = true"] if self.private else []
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One operator file; `username` None is a server without login."""

    name: str
    host: str
    sender: str
    username: str | None
    port: int = 587
    encryption: str = "starttls"
    role: str = "standard"
    password: str | None = None

    def yaml(self) -> str:
        lines = [
            "version: 1",
            f"operator: {self.name}",
            f"role: {self.role}",
            "sender:",
            f"  address: {self.sender}",
            "server:",
            f"  host: {self.host}",
            f"  port: {self.port}",
            f"  encryption: {self.encryption}",
            "authentication:",
        ]
        if self.username is None:
            lines += ["  type: none"]
        else:
            password = self.password or f"env://{secret_name(self.name)}"
            lines += ["  type: basic", f"  username: {self.username}", f"  password: {password}"]
        return "\n".join(lines) + "\n"


@dataclass
class Repository:
    """A git repository with operators, and the command run in it.

    `secrets` are environment variables by name; no value of theirs may be seen anywhere, which `search` finds out.
    """

    root: Path
    shell: Shell
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def make(cls, folder: Path, keys: KeyPair | None = None) -> "Repository":
        """Make an empty one; with `keys`, the private one is the secret and the public one is in the repository."""
        repository = cls(folder / "repository", Shell(folder / "shell"))
        repository.root.mkdir()
        repository.git("init", "--quiet", "--initial-branch", "main")
        repository.write(".gitignore", "*.key\n*.db\n*.db-*\n.opsmail/\n/out/\n")
        (repository.root / "out").mkdir()
        if keys is not None:
            repository.write("keys/ci.pub.pem", keys.public)
            repository.secrets[SIGNING_KEY] = keys.private
        return repository

    def copy(self, folder: Path) -> "Repository":
        """Return another one that is like this one."""
        other = Repository(folder / "repository", Shell(folder / "shell"), dict(self.secrets))
        shutil.copytree(self.root, other.root)
        return other

    # --- files

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def read(self, name: str) -> str:
        return (self.root / name).read_text("utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the one place where `old` stands."""
        text = self.read(name)
        assert text.count(old) == 1, (name, old, text)
        self.write(name, text.replace(old, new))

    def settings(self, *servers: Server, recipient: str, more: str = "") -> None:
        """Write `opsmail.toml`; `more` is added to its end."""
        self.write(
            "opsmail.toml",
            "".join(f"{server.toml()}\n" for server in servers)
            + f'[live]\nrecipient = "{recipient}"\ntimeout_seconds = 20\n\n'
            + '[gate]\nrequire = ["test-send"]\nmax_age = "1h"\n\n'
            + '[[gate.keys]]\nfile = "keys/ci.pub.pem"\nkinds = ["test-send", "generation"]\n\n'
            + more,
        )

    def operator(self, operator: Operator, password: str | None = None) -> None:
        """Write an operator's file, and keep its password outside."""
        self.write(f"operators/{operator.name}.yaml", operator.yaml())
        if password is not None:
            self.secrets[secret_name(operator.name)] = password

    def evidence(self) -> list[Path]:
        return sorted((self.root / EVIDENCE).glob("*.dsse.json"))

    # --- commands

    def git(self, *arguments: str) -> str:
        """Run git as a person does, and return what it said."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=self.shell.environment(_IDENTITY),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout.strip()

    def commit(self, message: str = "Ajuste") -> str:
        """Commit everything and return the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def run(
        self,
        *arguments: str | Path,
        code: int | None = 0,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        without: tuple[str, ...] = (),
        given: str | None = None,
    ) -> Result:
        """Run opsmail with the secrets in its environment.

        Args:
            arguments: after the program's name.
            code: how it must end; None for any code.
            folder: where; the repository's root when left out.
            environment: added to the secrets.
            without: secrets that are not there.
            given: what it reads from standard input.
        """
        secrets = {name: value for name, value in self.secrets.items() if name not in without}
        variables = secrets | dict(environment or {})
        return self.shell.run(arguments, code=code, folder=folder or self.root, environment=variables, given=given)

    def test_results(self, *arguments: str, code: int) -> dict[str, Any]:
        """Run `opsmail test` and return each operator's result from the JSON."""
        document = self.run("test", *arguments, "--format", "json", code=code).json()
        assert document["schema"] == "opsmail/test-results/v1"
        return {result["operator"]: result for result in document["results"]}

    def head(self, environment: str = "default") -> int:
        """The number of the generation that is published, read from the store's file; 0 where nothing is."""
        with closing(sqlite3.connect(f"file:{self.root / 'opsmail.db'}?mode=ro", uri=True)) as store:
            query = "SELECT number FROM opsmail_heads WHERE environment = ?"
            row = store.execute(query, (environment,)).fetchone()
        return int(row[0]) if row else 0

    # --- secrets

    def canary(self) -> Canary:
        """What looks for this repository's secrets."""
        wanted: dict[str, str | bytes] = {}
        for name, value in self.secrets.items():
            wanted |= key_secrets(name, value) if name == SIGNING_KEY else {name: value}
        return Canary(wanted)

    def search(self) -> None:
        """Fail when a secret is in anything that commands wrote, on the screen, to disk, or to git."""
        canary = self.canary()
        assert [name for said in self.shell.said if (name := canary.found(said))] == []
        assert list(canary.found_below([self.root, self.shell.folder])) == []
