"""A commit as a tree of files: blobs by their id, without filters, line-end conversion or races."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from opsmail.messages import msg
from opsmail.source.document import ReadProblem
from opsmail.source.git import GitRepository
from opsmail.source.tree import (
    MAX_BYTES,
    MAX_OTHER_BYTES,
    NoFolderError,
    SourceError,
    SourceFile,
    is_ignored,
    name_problem,
    not_plain,
    too_large,
)
from opsmail.values import dataclass

_LINK, _SUBMODULE = "120000", "160000"
_SPECIAL = {_LINK: msg("link"), _SUBMODULE: msg("submodule")}
_SHA1_DIGITS = 40
#: What git says of the size of a file that it does not have.
_MISSING = "BAD"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of a commit: its path from the root, its mode, its blob's id and size (of a submodule: None)."""

    path: str
    mode: str
    blob: str
    size: int | None


@dataclass(frozen=True, slots=True)
class CommitTree:
    """The files of one commit, below the folder with the settings.

    Args:
        repository: where it is.
        commit: a full id.
    """

    repository: GitRepository
    commit: str

    def operator_files(self, folders: Sequence[str]) -> Iterator[SourceFile]:
        """Yield the files of the operators folders as they were committed, in the order of their paths.

        Raises:
            NoFolderError: one of them is not in the commit.
        """
        found: dict[str, tuple[_Entry, ReadProblem | None]] = {}
        for folder in folders:
            entries = list(self._entries((folder,)))
            if not any(entry.path.startswith(f"{folder}/") for entry in entries):
                raise NoFolderError(folder, self.commit)
            found |= {entry.path: (entry, _problem(entry, folder)) for entry in entries if not is_ignored(entry.path)}
        contents = self._blobs(entry.blob for entry, problem in found.values() if problem is None)
        for path in sorted(found):
            entry, problem = found[path]
            yield SourceFile(path, contents[entry.blob] if problem is None else b"", problem)

    def read(self, path: str, most: int = MAX_OTHER_BYTES) -> bytes | None:
        """Return the content of one committed file, None when the commit has none."""
        entry = next((entry for entry in self._entries((path,)) if entry.path == path), None)
        if entry is None:
            return None
        if entry.mode in _SPECIAL or entry.size is None or entry.size > most:
            raise SourceError(
                msg("{path} is not a plain, small file in the commit", path=path), hint=msg("commit the file itself")
            )
        return self._blobs([entry.blob])[entry.blob]

    def changed_files(self, paths: Sequence[str]) -> list[str]:
        """Return in what the working tree differs, with the untracked files that git does not ignore.

        Contents are compared here: git would run the filters that the repository's configuration names.

        Args:
            paths: files and folders to look at, from the root.
        """
        committed = {entry.path: entry for entry in self._entries(paths)}
        listed = self.repository.run("ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *paths)
        root = os.fspath(self.repository.root)
        added = (path for path in _lines(listed) if path not in committed and os.path.lexists(f"{root}/{path}"))
        differing = (path for path, entry in committed.items() if not _is_unchanged(f"{root}/{path}", entry))
        return sorted({*added, *differing})

    def _entries(self, paths: Sequence[str]) -> Iterator[_Entry]:
        """Yield the files at and below `paths`."""
        for line in _lines(self.repository.run("ls-tree", "-r", "-l", "-z", self.commit, "--", *paths)):
            facts, _, path = line.partition("\t")
            mode, _, blob, size = facts.split()
            if size == _MISSING:
                raise SourceError(
                    msg("{path} of the commit is not in this clone", path=path),
                    hint=msg("the repository is damaged: clone it anew"),
                )
            yield _Entry(path, mode, blob, None if size == "-" else int(size))

    def _blobs(self, blobs: Iterable[str]) -> dict[str, bytes]:
        """Return the content of each blob, from one `git cat-file --batch`."""
        wanted = sorted(set(blobs))
        if not wanted:
            return {}
        output = self.repository.run("cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in wanted).encode())
        contents = {}
        position = 0
        for blob in wanted:
            end = output.index(b"\n", position)
            size = int(output[position:end].split(b" ")[-1])
            contents[blob] = output[end + 1 : end + 1 + size]
            position = end + size + 2
        return contents


def _is_unchanged(path: str, entry: _Entry) -> bool:
    """Whether what a working tree has at `path` is what was committed."""
    try:
        mode = os.lstat(path).st_mode
        if entry.mode == _SUBMODULE:
            return stat.S_ISDIR(mode)
        if entry.mode == _LINK:
            return _blob_id(os.fsencode(Path(path).readlink()), entry.blob) == entry.blob
        if not stat.S_ISREG(mode):
            return False
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - ten thousand times, and a Path takes longer
            content = file.read()
    except OSError:
        return False
    if _blob_id(content, entry.blob) == entry.blob:
        return True
    # git may have been told to check text out with the line ends of another system.
    return _blob_id(content.replace(b"\r\n", b"\n"), entry.blob) == entry.blob


def _lines(output: bytes) -> Iterator[str]:
    return (line for line in output.decode("utf-8", "surrogateescape").split("\0") if line)


def _problem(entry: _Entry, folder: str) -> ReadProblem | None:
    if entry.mode in _SPECIAL:
        return not_plain(_SPECIAL[entry.mode])
    if entry.size is not None and entry.size > MAX_BYTES:
        return too_large()
    return name_problem(entry.path, folder)


def _blob_id(content: bytes, like: str) -> str:
    """Return the id that git gives `content`, by the hash that `like`, another id, comes from."""
    data = b"blob %d\0" % len(content) + content
    if len(like) == _SHA1_DIGITS:
        return hashlib.sha1(data, usedforsecurity=False).hexdigest()
    return hashlib.sha256(data).hexdigest()
