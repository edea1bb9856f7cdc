"""A page as something to follow: its files are written and its commands run, from the first block to the last."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.command import Shell

#: For a whole page: some thirty commands, also on a machine that does a lot besides.
SECONDS = 280

#: Run as they are written.
_RUN = {"cat", "cd", "export", "git", "mkdir", "opsmail", "read", "rm", "sed"}
#: For other machines, other systems, or for what is here already; `test_walkthroughs.py` says which lines these are.
_ELSEWHERE = {"gh", "python3", "~/opsmail/bin/pip"}

_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# (\S+\.\w+)(, added)?")
_CODE = re.compile(r"\bexits with (\d+)")


class PageError(Exception):
    """A page that cannot be followed."""


@dataclass(frozen=True)
class Step:
    """A command line, or a file to write.

    Args:
        line: in the language of the shell.
        code: what it has to exit with.
        shown: what the page has for it.
    """

    line: str
    code: int
    shown: str


def steps(page: str) -> Iterator[Step]:
    """Yield what a page tells to do, in its order.

    Commands are the lines of `console` blocks with `$`; `# … exits with 1` says that one fails. A block whose first
    line is a comment with a file's name is that file, or `, added` its new end. Python is run.

    Raises:
        PageError: a program is neither known to run nor known to be for elsewhere.
    """
    for indent, language, body in _BLOCK.findall(page):
        text = re.sub(f"^{indent}", "", body, flags=re.MULTILINE)
        head, _, rest = text.partition("\n")
        named = _FILE.fullmatch(head)
        if language == "console":
            yield from filter(None, (_command(line[2:]) for line in text.splitlines() if line.startswith("$ ")))
        elif named is not None:
            yield Step(_here(f"cat {'>>' if named[2] else '>'} {shlex.quote(named[1])}", rest), 0, head)
        elif language == "python":
            yield Step(_here(f"{shlex.quote(sys.executable)} -P -W error -", text), 0, "python")


def skipped(page: str) -> list[str]:
    """Return the command lines of a page that are for elsewhere."""
    lines = [line for _, language, body in _BLOCK.findall(page) if language == "console" for line in body.splitlines()]
    commands = [line.strip().removeprefix("$ ") for line in lines if line.strip().startswith("$ ")]
    return [line for line in commands if _command(line) is None]


def _command(line: str) -> Step | None:
    words = shlex.split(line, comments=True)
    if words[0] in _ELSEWHERE:
        return None
    if words[0] not in _RUN:
        raise PageError(f"nothing is known of `{words[0]}`, in `{line}`")
    said = _CODE.search(line.partition("#")[2])
    return Step(line, int(said[1]) if said else 0, line)


def _here(command: str, text: str) -> str:
    return f"{command} <<'END-OF-BLOCK'\n{text.rstrip()}\nEND-OF-BLOCK"


def follow(page: str, folder: Path, shell: Shell, *, environment: Mapping[str, str], typed: str = "") -> str:
    """Follow a page in a folder, and return everything that was said.

    Args:
        page: its text.
        folder: where.
        shell: whose home and whose environment.
        environment: added to that.
        typed: what `read` gets, line by line.

    Raises:
        AssertionError: a step exits with another code than the page says.
    """
    shell.install()
    git = shutil.which("git")
    assert git is not None
    # A command must not read what the page's reader types; the person's own git is not the one that notes its calls.
    script = ['opsmail() { command opsmail "$@" < /dev/null; }', f'git() {{ {shlex.quote(git)} "$@"; }}']
    for step in steps(page):
        told = shlex.quote(f"$ {step.shown}")
        failed = shlex.quote(f"not {step.code}: {step.shown}")
        script += [
            f"echo {told}",
            step.line,
            f'code=$?; [ $code = {step.code} ] || {{ echo "ended with $code", {failed}; exit 99; }}',
        ]
    file = shell.folder / "page.sh"
    file.write_text("\n".join(script), "utf-8")
    identity = {f"GIT_{who}_{what}": "ti@empresa.test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["bash", file],
        cwd=folder,
        env=shell.environment({**identity, "GIT_CONFIG_GLOBAL": "/dev/null", **environment}),
        input=typed.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        check=False,
    )
    shell.said.append(done.stdout)
    said = done.stdout.decode("utf-8")
    assert done.returncode == 0, said
    assert "Traceback (most recent call last)" not in said, said
    return said
