"""The image: made of pinned packages and what is named, and without rights. Building it takes a registry."""

import re
import shlex
from pathlib import Path

import pytest

from tests.workflows.generated import ROOT

FILE = ROOT / "Dockerfile"

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="not a checkout: the Dockerfile is not here")


def instructions() -> list[tuple[str, str]]:
    """Return each instruction with the rest of its line, continued lines joined, comments left out."""
    text = re.sub(r"^#.*\n", "", FILE.read_text("utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split()[0], " ".join(line.split()[1:])) for line in lines if line.strip()]


def copied() -> set[str]:
    """Return what is copied from the repository."""
    lines = [shlex.split(rest) for name, rest in instructions() if name == "COPY" and not rest.startswith("--from")]
    return {source for words in lines for source in words[:-1]}


def test_both_stages_start_from_the_same_image_by_its_version() -> None:
    images = {rest.split()[0] for name, rest in instructions() if name == "FROM"}
    assert len(images) == 1
    assert re.fullmatch(r"python:3\.\d+-slim(@sha256:[0-9a-f]{64})?", images.pop())


def test_it_runs_without_rights() -> None:
    last = [name for name, _ in instructions()].index("USER")
    (user,) = [rest for name, rest in instructions() if name == "USER"]
    assert re.fullmatch(r"([1-9]\d{3,}):\1", user)
    assert [name for name, _ in instructions()[last:] if name in ("RUN", "COPY", "ADD")] == []


def test_what_is_copied_is_there_and_is_all_that_is_sent() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert copied() == sent
    assert [name for name in sent if not (ROOT / name).exists()] == []


def test_every_package_is_pinned_by_its_hash() -> None:
    scripts = " && ".join(rest for name, rest in instructions() if name == "RUN").split("&&")
    installs = [shlex.split(script) for script in scripts if "pip install" in script]
    assert len(installs) == 3
    for words in installs:
        if "--no-deps" in words:  # what was built here
            assert [Path(word).parent for word in words if word.startswith("/wheel")] == [Path("/wheel")]
        else:
            assert "--require-hashes" in words
            assert copied() >= {word for word in words if word.startswith("requirements/")}


def test_it_holds_no_secret_and_downloads_nothing_else() -> None:
    words = {name for name, _ in instructions()}
    assert words <= {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD"}
    assert not re.search(r"curl|wget|https?://", FILE.read_text("utf-8"))
