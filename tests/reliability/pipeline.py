"""A repository with more commits than a loop publishes, and the store that it publishes to."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from opsmail.evidence.envelope import verify
from opsmail.evidence.keys import SigningKey, TrustedKey
from opsmail.evidence.statement import Kind
from opsmail.store.generation import Generation
from tests.conformance.publishing import Place

ENVIRONMENT = "default"
#: A handful: each commit changes all of them, so that a generation in part shows as two versions.
OPERATORS = tuple(f"op{number}" for number in range(6))
_SETTINGS = """\
[[servers]]
host = "mail.empresa.test"
connections = ["587/starttls"]
authentication = ["basic"]
secrets = ["env://OPSMAIL_SECRET_{{OPERATOR}}"]

[gate]
require = []

[[gate.keys]]
file = "keys/ci.pub.pem"
kinds = ["generation"]

[store]
max_update_percent = 100
url = {url}
"""
_OPERATOR = """\
version: 1
operator: {name}
role: {role}
sender: {{address: {name}@empresa.test}}
server: {{host: mail.empresa.test, port: 587, encryption: starttls}}
authentication: {{type: basic, username: {name}@empresa.test, password: "env://OPSMAIL_SECRET_{variable}"}}
labels: {{version: "{version}"}}
"""


@dataclass(frozen=True)
class Pipeline:
    """A repository and a store.

    Args:
        root: the repository.
        place: the store.
        key: what signs its generations.
        commits: the ids, one after the other; in number `n` every operator has the label `version: n`.
        variables: the environment in which its commands run.
    """

    root: Path
    place: Place
    key: SigningKey
    commits: tuple[str, ...]
    variables: Mapping[str, str]

    @classmethod
    def make(cls, folder: Path, place: Place, commits: int) -> Pipeline:
        """Make the repository in `folder`, with so many commits."""
        root = folder / "repository"
        root.mkdir()
        key = SigningKey.generate()
        _git(root, "init", "--quiet", "--initial-branch", "main")
        _git(root, "fast-import", "--quiet", f"--export-marks={folder / 'marks'}", given=_history(place, key, commits))
        (folder / "ci.pub.pem").write_text(key.public.pem(), "ascii")
        (folder / "ca.pem").write_text(place.ca or "", "ascii")
        marks = dict(line.split() for line in (folder / "marks").read_text("ascii").splitlines())
        variables = {
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "OPSMAIL_LANG": "en",
            "OPSMAIL_SIGNING_KEY": key.pem(),
        }
        if place.password is not None:
            variables["OPSMAIL_STORE_PASSWORD"] = place.password
        return cls(root, place, key, tuple(marks[f":{number}"] for number in range(1, commits + 1)), variables)

    @property
    def public_key(self) -> Path:
        """The file with the key that readers trust; outside the repository, as on their machines."""
        return self.root.parent / "ci.pub.pem"

    @property
    def authority(self) -> Path | None:
        """The file with whom readers trust for the store's server; None where there is none to trust."""
        return None if self.place.ca is None else self.root.parent / "ca.pem"

    @property
    def note(self) -> Path:
        """The file that is there from just before a publish writes to the store until it knows what came of it."""
        return self.root / ".opsmail" / f"attempt-{ENVIRONMENT}.json"

    def version_of(self, commit: str) -> int:
        """Return the number of a commit."""
        return self.commits.index(commit) + 1

    def verify(self, envelope: bytes) -> Generation:
        """Judge the signature of a generation, as a reader does."""
        trusted = TrustedKey(self.key.public, frozenset({Kind.GENERATION}), frozenset({ENVIRONMENT}))
        return Generation.parse(verify(envelope, [trusted], kind=Kind.GENERATION, environment=ENVIRONMENT).predicate)


def _history(place: Place, key: SigningKey, commits: int) -> bytes:
    """Return what `git fast-import` makes the commits of."""
    settings = _SETTINGS.format(url=json.dumps(place.url))
    files = {"keys/ci.pub.pem": key.public.pem()}
    if place.password is not None:
        settings += 'password = "env://OPSMAIL_STORE_PASSWORD"\n'
    if place.ca is not None:
        settings += 'ca = "ca/store.pem"\n'
        files["ca/store.pem"] = place.ca
    files["opsmail.toml"] = settings
    parts = []
    for version in range(1, commits + 1):
        parts.append(
            f"commit refs/heads/main\nmark :{version}\ncommitter TI <ti@empresa.test> {1_700_000_000 + version} +0000\n"
            f"{_data(f'Version {version}')}"
        )
        for number, name in enumerate(OPERATORS):
            role = "standard" if number else "master"
            text = _OPERATOR.format(name=name, role=role, variable=name.upper(), version=version)
            files[f"operators/{name}.yaml"] = text
        parts += [f"M 100644 inline {path}\n{_data(text)}" for path, text in files.items()]
    return "".join(parts).encode()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def _git(root: Path, *arguments: str, given: bytes = b"") -> None:
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
    }
    subprocess.run(["git", *arguments], cwd=root, env=environment, input=given, capture_output=True, check=True)
