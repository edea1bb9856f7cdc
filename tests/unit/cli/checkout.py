"""A repository in a temporary folder, and the command run in it, in this process."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from opsmail.cli.face import run
from opsmail.cli.proofs import now
from opsmail.evidence.keys import SigningKey
from tests.published import read_json
from tests.unit.servers import Server, ca

HOST = "mail.empresa.test"
RECIPIENT = "teste@empresa.test"
#: Of the machine that runs the tests, nothing may count.
_FOREIGN = ("OPSMAIL_", "GITHUB_", "GITLAB_", "CI_", "SYSTEM_", "BUILD_", "GIT_")
_ALSO_FOREIGN = ("TF_BUILD", "NO_COLOR", "FORCE_COLOR", "CI")


@dataclass(frozen=True)
class Said:
    """What a command wrote."""

    out: str
    err: str

    def json(self) -> Any:
        return read_json(self.out)


@dataclass
class Checkout:
    """A git repository with operators, a catalogue and a public key; what is secret is in the environment."""

    root: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str] | None = None
    key: SigningKey = field(default_factory=SigningKey.generate)

    def __post_init__(self) -> None:
        """Begin with a new repository, or go on with the one that is there."""
        if self.root.exists():
            self._enter()
            return
        self.root.mkdir()
        self._enter()
        self.git("init", "--quiet", "--initial-branch", "main")
        self.write("keys/ci.pub.pem", self.key.public.pem())
        self.write("ca.pem", ca())
        self.write(".gitignore", "*.db*\n.opsmail/\n/out/\n")
        (self.root / "out").mkdir()

    def _enter(self) -> None:
        self.monkeypatch.chdir(self.root)
        for name in os.environ:
            if name.startswith(_FOREIGN) or name in _ALSO_FOREIGN:
                self.monkeypatch.delenv(name)
        self.monkeypatch.setenv("OPSMAIL_SIGNING_KEY", self.key.pem())

    # --- files

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def read(self, name: str) -> str:
        return (self.root / name).read_text("utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = self.read(name)
        assert old in text
        self.write(name, text.replace(old, new))

    def settings(self, server: Server | None = None, more: str = "", require: str = '["test-send"]') -> None:
        """Write `opsmail.toml`, which approves `server` as `HOST`."""
        address = f'address = "{server.address}"\nca = "ca.pem"\n' if server else ""
        self.write(
            "opsmail.toml",
            f'[[servers]]\nhost = "{HOST}"\nconnections = ["587/starttls"]\n'
            'authentication = ["basic", "none", "modern"]\nsecrets = ["env://OPSMAIL_SECRET_{OPERATOR}"]\n'
            f'tenants = ["empresa.test"]\nclient_ids = ["x"]\n{address}\n'
            f'[live]\nrecipient = "{RECIPIENT}"\ntimeout_seconds = 10\nretries = 0\n\n'
            f'[gate]\nrequire = {require}\n\n[[gate.keys]]\nfile = "keys/ci.pub.pem"\n'
            f'kinds = ["test-send", "generation"]\nenvironments = ["default", "production"]\n\n{more}',
        )

    def operator(self, name: str, *, role: str = "standard", authentication: str = "", more: str = "") -> None:
        login = authentication or (
            f"  type: basic\n  username: {name}@empresa.test\n  password: env://OPSMAIL_SECRET_{name.upper()}\n"
        )
        self.write(
            f"operators/{name}.yaml",
            f"version: 1\noperator: {name}\nrole: {role}\nsender:\n  address: {name}@empresa.test\nserver:\n"
            f"  host: {HOST}\n  port: 587\n  encryption: starttls\nauthentication:\n{login}{more}",
        )
        self.monkeypatch.setenv(f"OPSMAIL_SECRET_{name.upper()}", f"s3nh4-{name}")

    def fleet(self, server: Server | None = None, *names: str, **options: str) -> str:
        """Write settings, a master and these operators; commit them and return the commit."""
        self.settings(server, **options)
        self.operator("chefe", role="master")
        for name in names:
            self.operator(name)
        return self.commit()

    def evidence(self) -> list[Path]:
        return sorted((self.root / ".opsmail/evidence").glob("*.dsse.json"))

    # --- commands

    def git(self, *arguments: str) -> str:
        identity = {
            f"GIT_{who}_{what}": "ti@empresa.test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=os.environ | identity | nothing,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout.decode().strip()

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "x")
        return self.git("rev-parse", "HEAD")

    def run(self, *arguments: str | Path, code: int | None = 0, environment: Mapping[str, str] | None = None) -> Said:
        """Run opsmail; it must end with `code` (None: any), and say nothing of the passwords."""
        assert self.capsys is not None
        with self.monkeypatch.context() as patch:
            for name, value in (environment or {}).items():
                patch.setenv(name, value)
            self.capsys.readouterr()
            ended = run([str(argument) for argument in arguments])
        said = Said(*self.capsys.readouterr())
        assert code in (None, ended), (arguments, ended, said)
        assert "s3nh4" not in said.out + said.err
        return said


def wait_for_the_next_second() -> None:
    """Statements carry whole seconds; of two from one second neither is the fresher."""
    before = now()
    while now() == before:
        time.sleep(0.05)
