"""The installed command as a subprocess, in an environment in which nothing of the machine's user counts."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.published import read_json

# The folder it runs in is not searched (-P), so this is the wheel where the tests run against one. Here, too, a warning
# is an error.
COMMAND = (sys.executable, "-P", "-W", "error", "-m", "opsmail")
SECONDS = 60

# Of the tests' own environment: where programs are, and what Python is told.
_KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")

_GIT = """\
#!/bin/sh
{{ printf 'argv: %s\\n' "$*"; {env}; }} >> {record}
exec {git} "$@"
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What one run left: its exit code, standard output and standard error."""

    command: str
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return read_json(self.out)

    def __str__(self) -> str:
        return f"$ opsmail {self.command}\n{self.out}{self.err}-> {self.code}"


@dataclass
class Shell:
    """Where commands are run: a home, a folder for temporary files, and a git that notes how it is called.

    `said` is everything that commands wrote, `git_calls` the arguments and environment of each git that they started.
    """

    folder: Path
    said: list[bytes] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        for name in ("home", "tmp", "bin"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        git, env = shutil.which("git"), shutil.which("env")
        assert git is not None
        assert env is not None
        places = {"env": shlex.quote(env), "record": shlex.quote(str(self.git_calls)), "git": shlex.quote(git)}
        script = self.folder / "bin" / "git"
        script.write_text(_GIT.format(**places), "utf-8")
        script.chmod(0o755)

    @property
    def git_calls(self) -> Path:
        return self.folder / "git-calls"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return a child's environment: little of ours, and `more`."""
        ours = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith("PYTHON")}
        places = {
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.temporary),
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{ours['PATH']}",
            "LANG": "C.UTF-8",
        }
        return {**ours, **places, **more}

    def install(self) -> None:
        """Put the command on the PATH, for scripts and shells that call it by its name."""
        program = self.folder / "bin" / "opsmail"
        program.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n', "utf-8")
        program.chmod(0o755)

    def run(
        self,
        arguments: tuple[str | Path, ...],
        *,
        code: int | None,
        folder: Path,
        environment: Mapping[str, str],
        given: str | None = None,
    ) -> Result:
        """Run the command; it must end with `code` (None: whatever) and without a traceback.

        Args:
            arguments: after the program's name.
            code: how it must end.
            folder: where.
            environment: added to that of the tests.
            given: what it reads from standard input; None for nothing.
        """
        words = [str(argument) for argument in arguments]
        # subprocess takes one of the two.
        source: dict[str, Any] = {"stdin": subprocess.DEVNULL} if given is None else {"input": given.encode()}
        done = subprocess.run(
            [*COMMAND, *words],
            cwd=folder,
            env=self.environment(environment),
            **source,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        self.said += (done.stdout, done.stderr)
        out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
        result = Result(shlex.join(words), done.returncode, out, err)
        assert "Traceback (most recent call last)" not in out + err, result
        assert code in (None, result.code), result
        return result
