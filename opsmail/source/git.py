"""Git, asked in a way that nothing in a repository can make it run a program."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from opsmail.errors import UsageError
from opsmail.expressions import expression
from opsmail.messages import msg, quoted
from opsmail.source.tree import SourceError
from opsmail.values import dataclass

# What a hostile repository's own configuration could make git run is switched off; the user's own configuration stays,
# for `safe.directory`. Filters and external programs cannot be switched off by name: commands that would run them
# (diff, status, show, log) are not used.
_SAFE = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "advice.graftFileDeprecated=false",
    "protocol.allow=never",
    # A folder of a change that looks like a repository is not taken for one.
    "safe.bareRepository=explicit",
)
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C",
}
# SUDO_UID is what git lets root work in the repository of whoever called sudo by.
_INHERITED = frozenset(("PATH", "HOME", "XDG_CONFIG_HOME", "SUDO_UID"))
_NOT_AN_ANCESTOR = 1
_REASON = "fatal: "
_HINTS = (
    ("promisor remote", msg("files of this commit were left out of the clone: clone it without `--filter`")),
    ("bare repository", msg("run opsmail in the working tree of a repository")),
)
_REVISION = expression(r"[A-Za-z0-9_./@^~{}-]{1,200}")
# Everything up to the last `@` is the user's: a password may hold an `@` or a `/` that ought to be %40 or %2F.
_URL = expression(
    r"[A-Za-z][A-Za-z0-9+.-]*://(?:.*@)?(?P<host>\[[^\]/]*\]|[^/:?#]*)(?::[0-9]*)?(?P<path>[^?#]*).*", re.DOTALL
)
# As git tells it from a path: a colon before the first slash.
_SCP = expression(r"(?:[^/]*@)?(?P<host>\[[^\]/]*\]|[^/:@]+):(?P<path>.*)", re.DOTALL)
#: What evidence takes as a repository's name, in characters.
_LONGEST_NAME = 500


class UnknownRevisionError(UsageError):
    """A revision that was asked for names no commit here."""


@dataclass(frozen=True, slots=True)
class GitRepository:
    """A git repository on disk.

    Args:
        root: the folder with `opsmail.toml`, in the working tree.
        seconds: how long one call of git may take.
    """

    root: Path
    seconds: float = 120

    @classmethod
    def find(cls, root: Path) -> GitRepository | None:
        """Return the repository that `root` lies in, None when it lies in none.

        Raises:
            SourceError: git is missing, or does not trust the repository.
        """
        repository = cls(root)
        try:
            answer = repository.run("rev-parse", "--is-inside-work-tree")
        except _GitError as error:
            if "not a git repository" in error.output:
                return None
            raise
        return repository if answer.strip() == b"true" else None

    def commit(self, revision: str) -> str:
        """Return the full id of the commit that `revision` names.

        Raises:
            UnknownRevisionError: there is no such commit.
        """
        unknown = UnknownRevisionError(
            msg("there is no commit `{revision}` in {folder}", revision=revision, folder=self.root),
            hint=msg("nothing is committed yet: commit what is here first")
            if revision == "HEAD"
            else msg("name a commit, branch or tag; in CI, fetch enough history (`fetch-depth: 0`)"),
        )
        if revision.startswith("-") or not _REVISION.fullmatch(revision):
            raise unknown
        try:
            answer = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except _GitError as error:
            raise unknown from error
        return answer.decode("ascii").strip()

    def descends(self, commit: str, ancestor: str) -> bool | None:
        """Tell whether `commit` is `ancestor` or comes after it; None where this clone's history does not tell.

        Args:
            commit: a full id, of a commit that is here.
            ancestor: a full id, of a commit that may be missing.
        """
        try:
            self.run("merge-base", "--is-ancestor", "--end-of-options", ancestor, commit)
        except _GitError as error:
            if error.status != _NOT_AN_ANCESTOR:
                return None
            # What a shallow clone has cut off cannot be followed, and looks as if it had never been.
            return None if self.run("rev-parse", "--is-shallow-repository").strip() == b"true" else False
        return True

    def authors(
        self, commit: str, since: str | None = None, paths: Sequence[str] = (), *, last: bool = False
    ) -> set[str]:
        """Return who wrote what a commit brings: names and e-mail addresses, without regard to case.

        Args:
            commit: a full id.
            since: the commit, a full id, from which on to look; None for the whole history.
            paths: look only at the commits that changed one of these files; none for all commits.
            last: look only at the last of these commits.
        """
        span = [commit] if since is None else [commit, f"^{since}"]
        count = ["--max-count=1"] if last else []
        told = self.run("rev-list", "--format=%ae%n%an", *count, "--end-of-options", *span, "--", *paths)
        lines = told.decode("utf-8", "replace").splitlines()
        return {line.casefold() for line in lines if not line.startswith("commit ")}

    def configured(self, name: str) -> str | None:
        """Return a value of git's configuration, None where there is none."""
        try:
            return self.run("config", "--get", name).decode("utf-8", "replace").strip() or None
        except _GitError:
            return None

    def identity(self, commit: str) -> str:
        """Return the repository's name as evidence carries it: its origin, or the first commit where there is none.

        Args:
            commit: a full id.

        Raises:
            SourceError: the origin's URL cannot stand in a statement.
        """
        url = self.configured("remote.origin.url")
        if url is None:
            # Along first parents there is one, whatever was merged into it.
            return f"git:{self.run('rev-list', '--first-parent', '--max-parents=0', commit).decode('ascii').strip()}"
        name = repository_name(url)
        if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
            raise SourceError(
                msg("the URL of the remote `origin` is not one to name a repository by"),
                hint=msg("set it with `git remote set-url origin https://…`"),
            )
        return name

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run git at the root, in an environment in which only the user's own configuration counts.

        Returns:
            What it wrote to standard output.

        Raises:
            SourceError: it failed, or took too long.
        """
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ} | _ENVIRONMENT
        options = [part for setting in _SAFE for part in ("-c", setting)]
        try:
            done = subprocess.run(
                ["git", *options, *arguments],
                cwd=self.root,
                env=environment,
                input=stdin,
                capture_output=True,
                timeout=self.seconds,
                check=False,
            )
        except OSError as error:
            raise SourceError(
                msg("git cannot be run in {folder}: {reason}", folder=self.root, reason=quoted(error.strerror)),
                hint=msg("install git, and run opsmail in a folder that exists"),
            ) from error
        except subprocess.TimeoutExpired as error:
            raise SourceError(
                msg("git did not answer within {seconds} s", seconds=self.seconds), hint=msg("try again")
            ) from error
        if done.returncode:
            raise _GitError(done.stderr.decode("utf-8", "replace"), done.returncode)
        return done.stdout


class _GitError(SourceError):
    """git ended with an error.

    Args:
        output: what it said.
        status: its exit code.
    """

    def __init__(self, output: str, status: int) -> None:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        # Warnings may stand before the reason; what stands after it is what to do.
        start = next((index for index, line in enumerate(lines) if line.startswith(_REASON)), 0)
        reason, *advice = lines[start:] or [f"status {status}"]
        hint = next((hint for known, hint in _HINTS if known in reason), None)
        if hint is None:
            hint = msg("{advice}", advice=" ".join(advice)) if advice else msg("check that the repository is complete")
        super().__init__(msg("git failed: {reason}", reason=reason.removeprefix(_REASON)), hint=hint)
        self.output = output
        self.status = status


def repository_name(url: str) -> str:
    """Return host and path of a remote's URL, the same for https, ssh and scp, without user, password, port and `.git`.

    Args:
        url: as `git remote` takes it: a URL, `user@host:path`, or a path on this machine.
    """
    found = _URL.fullmatch(url) or _SCP.fullmatch(url)
    if found is None:
        name = url  # a path
    elif found["host"]:
        name = f"{found['host'].lower()}/{found['path'].lstrip('/')}"
    else:
        name = found["path"]  # file:///…
    return name.rstrip("/").removesuffix(".git").rstrip("/")
