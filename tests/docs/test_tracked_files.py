"""What is committed works elsewhere: it names no package index and no folder of the machine that it was written on."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Put together here, so that this file passes its own test.
HOSTS = tuple(
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("deb", "debian", "org"),
    )
)
FOLDERS = tuple(f"/{name}/" for name in ("work", "root", "opt/py" + "pi", "tmp/w", "tmp/brief"))


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """Every file that is or may be committed, and its text; what is not UTF-8 is read as Latin-1."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    found = {str(path.relative_to(ROOT)): path.read_bytes() for path in paths if path.is_file()}
    assert "pyproject.toml" in found
    return {name: content.decode("utf-8", "replace") for name, content in found.items()}


@pytest.mark.parametrize("host", HOSTS)
def test_no_package_index_is_named(files: dict[str, str], host: str) -> None:
    assert [name for name, text in files.items() if host in text.lower()] == []


def test_no_folder_of_one_machine_is_named(files: dict[str, str]) -> None:
    pattern = re.compile("|".join(rf"(?<![\w./*-]){re.escape(folder)}" for folder in FOLDERS))
    found = {name: pattern.findall(text) for name, text in files.items() if name != "tests/docs/test_tracked_files.py"}
    assert {name: folders for name, folders in found.items() if folders} == {}


def test_locks_hold_names_versions_and_hashes_only(files: dict[str, str]) -> None:
    requirement, digest = r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+( ; .+)? \\", r"    --hash=sha256:[0-9a-f]{64}( \\)?"
    line_of_a_lock = re.compile(f"#.*|{requirement}|{digest}")
    locks = {name: text.splitlines() for name, text in files.items() if name.startswith("requirements/")}
    assert locks
    assert [(name, line) for name in locks for line in locks[name] if not line_of_a_lock.fullmatch(line)] == []


#: What waives a rule of the tools, or catches whatever comes; each tells beside it why, behind `-`, `#` or in brackets.
WAIVING = re.compile(
    r"# (?:ruff: )?noqa(?!: [A-Z0-9, ]+ (?:- |\()\S)"
    r"|# type: ignore(?!\[[a-z, -]+\]  # \S)"
    r"|# pragma: no cover(?! (?:- |\()\S)"
    r"|except (?:Base)?Exception\b[^:]*:(?!.*# )"
    r"|# (?:TODO|FIXME|XXX)\b"
)


def test_whatever_is_waived_says_why(files: dict[str, str]) -> None:
    found = {
        f"{name}:{number}": line
        for name, text in files.items()
        if name.endswith(".py")
        and name not in {"tests/docs/test_tracked_files.py", "tests/hostile/files/test_shape.py"}
        for number, line in enumerate(text.splitlines(), start=1)
        if WAIVING.search(line)
    }
    assert found == {}
