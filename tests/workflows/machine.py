"""A machine of a CI system, whichever: what a runner brings along, and the shell in which it runs a step."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SECONDS = 300

# What a runner brings along. The rest of this machine's environment, above all Python's, is none of the workflow's
# business.
_KEPT = ("PATH", "HOME", "LANG", "SYSTEMROOT", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_KEPT_BEGINNINGS = ("PIP_", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step that was run: its name, exit code, and what it printed."""

    name: str
    code: int
    out: str


def kept_environment() -> dict[str, str]:
    """Return what every step has."""
    return {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_BEGINNINGS)}


def run_script(name: str, script: str, folder: Path, environment: Mapping[str, str]) -> StepRun:
    """Run the lines of a step up to the first that fails, with nothing on standard input."""
    with tempfile.NamedTemporaryFile("w", suffix=".sh", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            ["bash", "-e", file.name],  # what GitHub runs where no shell is named
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
    return StepRun(name, done.returncode, done.stdout.decode("utf-8"))


def check_out(place: Path, repository: str, revision: str, *, whole: bool) -> None:
    """Fetch one commit of a repository, or all that leads to it and all branches, like a runner without a token."""
    branches = "+refs/heads/*:refs/remotes/origin/*"
    wanted = ["origin", branches, revision] if whole else ["--depth", "1", "origin", revision]
    place.mkdir(parents=True, exist_ok=True)
    for arguments in (
        ["init", "--quiet"],
        ["remote", "add", "origin", repository],
        ["fetch", "--quiet", *wanted],
        ["checkout", "--quiet", "--detach", revision],
    ):
        subprocess.run(["git", *arguments], cwd=place, check=True, capture_output=True)
