"""Git revisions: committed files by object id, so that what is checked is what was reviewed."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from opsmail.messages import msg
from opsmail.source.reader import MAX_BYTES, too_large
from opsmail.source.tree import SourceError, SourceFile, is_ignored, name_problem, not_plain

# What a hostile repository's own configuration could make git run is switched off; the user's global configuration stays, for `safe.directory`.
_SAFE = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.pager=cat",
    "-c",
    "protocol.allow=never",
)
_SECONDS = 120
_MODES = {"120000": "link", "160000": "submodule"}
_REVISION = re.compile(r"[A-Za-z0-9_./@^~{}-]{1,200}")


@dataclass(frozen=True, slots=True)
class GitRepository:
    """A git repository on disk.

    Args:
        top: the folder of the working tree.
        prefix: the folder with `opsmail.toml` below it, with a trailing `/`; empty at the top.
    """

    top: Path
    prefix: str = ""

    @classmethod
    def find(cls, root: Path) -> GitRepository | None:
        """Return the repository that `root` lies in, None when it lies in none."""
        try:
            answer = (
                _run(root, "rev-parse", "--show-toplevel", "--show-prefix")
                .decode("utf-8", "surrogateescape")
                .splitlines()
            )
        except SourceError:
            return None
        return cls(Path(answer[0]), answer[1] if len(answer) > 1 else "")

    def commit(self, revision: str) -> str:
        """Return the full id of the commit that `revision` names.

        Raises:
            SourceError: there is no such commit.
        """
        unknown = SourceError(
            msg("there is no commit `{revision}` in {folder}", revision=revision, folder=str(self.top)),
            hint=msg("name a commit, branch or tag; in CI, fetch enough history (`fetch-depth: 0`)"),
        )
        if revision.startswith("-") or not _REVISION.fullmatch(revision):
            raise unknown
        try:
            answer = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except SourceError as error:
            raise unknown from error
        return answer.decode("ascii").strip()

    def author(self, commit: str) -> str:
        """Return the e-mail address of the commit's author."""
        return (
            self._git("show", "--no-patch", "--format=%ae", "--end-of-options", commit)
            .decode("utf-8", "replace")
            .strip()
        )

    def descends(self, commit: str, ancestor: str) -> bool:
        """Whether `commit` is `ancestor` or comes after it; False when `ancestor` is not known here."""
        try:
            self._git("merge-base", "--is-ancestor", "--end-of-options", ancestor, commit)
        except SourceError:
            return False
        return True

    def changed_files(self, commit: str) -> list[str]:
        """Return the paths below the prefix where the working tree differs from `commit`, untracked files included."""
        listed = self._git(
            "diff-index", "--name-only", "--no-ext-diff", "-z", "--relative", "--end-of-options", commit, "--", "."
        )
        untracked = self._git("ls-files", "--others", "--exclude-standard", "-z", "--", ".")
        names = (listed + untracked).decode("utf-8", "surrogateescape").split("\0")
        return sorted({name for name in names if name})

    def identity(self) -> str:
        """Return the repository's name as evidence carries it: the origin's host and path, or the first commit where there is no origin."""
        try:
            url = self._git("config", "--get", "remote.origin.url").decode("utf-8", "replace").strip()
        except SourceError:
            roots = self._git("rev-list", "--max-parents=0", "HEAD").decode("ascii").split()
            return f"git:{min(roots)}"
        return _normalised(url)

    def tree(self, commit: str) -> CommitTree:
        """Return the files of one commit (a full id)."""
        return CommitTree(self, commit)

    def _git(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        return _run(self.top / self.prefix, *arguments, stdin=stdin)


@dataclass(frozen=True, slots=True)
class CommitTree:
    """The files of one commit, read as blobs: no filter, no line-end conversion, no race."""

    repository: GitRepository
    commit: str

    def operator_files(self, folders: Sequence[str]) -> Iterator[SourceFile]:
        """Yield the files of the operators folders as they were committed."""
        prefix = self.repository.prefix
        listing = self.repository._git(
            "ls-tree", "-r", "-z", "--full-tree", self.commit, "--", *[prefix + name for name in folders]
        )
        entries = []
        for line in listing.decode("utf-8", "surrogateescape").split("\0"):
            if line:
                facts, _, path = line.partition("\t")
                mode, _, blob = facts.split(" ")
                entries.append((path.removeprefix(prefix), mode, blob))
        wanted = [blob for path, mode, blob in entries if mode not in _MODES and name_problem(path) is None]
        contents = self._blobs(wanted)
        for path, mode, blob in entries:
            if is_ignored(path):
                continue
            problem = name_problem(path) or (not_plain(_MODES[mode]) if mode in _MODES else None)
            if problem is not None:
                yield SourceFile(path, b"", problem)
            elif len(contents[blob]) > MAX_BYTES:
                yield SourceFile(path, b"", too_large())
            else:
                yield SourceFile(path, contents[blob])

    def read(self, path: str) -> bytes | None:
        """Return the content of one committed file, None when the commit has none."""
        listing = self.repository._git("ls-tree", "-z", "--full-tree", self.commit, "--", self.repository.prefix + path)
        if not listing:
            return None
        mode, kind, blob = listing.partition(b"\t")[0].decode("ascii").split(" ")
        if kind != "blob" or mode in _MODES:
            raise SourceError(
                msg("{path} is not a plain file in the commit", path=path), hint=msg("commit the file itself")
            )
        return self._blobs([blob])[blob]

    def _blobs(self, blobs: Sequence[str]) -> dict[str, bytes]:
        """Return the content of each blob, from one `git cat-file --batch`."""
        if not blobs:
            return {}
        output = self.repository._git(
            "cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in blobs).encode("ascii")
        )
        contents = {}
        position = 0
        while position < len(output):
            end = output.index(b"\n", position)
            blob, _, size = output[position:end].decode("ascii").partition(" blob ")
            position = end + 1 + int(size)
            contents[blob] = output[end + 1 : position]
            position += 1
        return contents


def _run(folder: Path, *arguments: str, stdin: bytes | None = None) -> bytes:
    """Run git in `folder` with an environment in which only the user's own configuration counts."""
    environment = {
        name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "SYSTEMROOT", "USERPROFILE"}
    }
    environment |= {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "LC_ALL": "C",
    }
    try:
        done = subprocess.run(
            ["git", *_SAFE, *arguments],
            cwd=folder,
            env=environment,
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    except FileNotFoundError as error:
        raise SourceError(
            msg("git is not installed, or {folder} is gone", folder=str(folder)), hint=msg("install git")
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SourceError(
            msg("git did not answer within {seconds} s", seconds=_SECONDS), hint=msg("try again")
        ) from error
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode("utf-8", "replace").strip().splitlines()
        raise SourceError(
            msg("git failed: {reason}", reason=reason[-1] if reason else f"status {error.returncode}"),
            hint=msg("run the command inside the git repository"),
        ) from error
    return done.stdout


def _normalised(url: str) -> str:
    """Return host and path of a remote's URL, the same for https and ssh, without user, password and `.git`."""
    if "://" in url:
        parts = urlsplit(url)
        name = (parts.hostname or "") + parts.path
    elif re.match(r"[^/]+@?[^/:]*:", url):  # scp form: user@host:path
        host, _, path = url.rpartition("@")[2].partition(":")
        name = f"{host.lower()}/{path}"
    else:
        name = Path(url).as_posix()
    return name.rstrip("/").removesuffix(".git")
