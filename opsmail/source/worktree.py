"""The working tree: files as they are on disk. Links are never followed, special files never opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from opsmail.messages import msg
from opsmail.source.document import ReadProblem
from opsmail.source.reader import MAX_BYTES, too_large
from opsmail.source.tree import SourceError, SourceFile, is_ignored, name_problem, not_plain, unreadable

#: Settings, waivers, keys and certificates are small.
_MAX_OTHER_BYTES = 4 * 1024 * 1024
_KINDS = {
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "device",
    stat.S_IFCHR: "device",
    stat.S_IFDIR: "folder",
}


class WorkTree:
    """The files below one folder.

    Args:
        root: the folder with `opsmail.toml`; paths of files are told from here.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def operator_files(self, folders: Sequence[str]) -> Iterator[SourceFile]:
        """Yield the files of the operators folders; one that is missing is an error, since an empty fleet is no fleet."""
        for folder in folders:
            if not (self.root / folder).is_dir():
                raise SourceError(
                    msg("there is no folder `{folder}` in {root}", folder=folder, root=str(self.root)),
                    hint=msg("create it, or name the right one with `operators = …` in opsmail.toml"),
                )
            yield from self._walk(folder.rstrip("/"))

    def files(self, paths: Sequence[str]) -> Iterator[SourceFile]:
        """Yield the files that a person named, and those below the folders they named.

        Args:
            paths: from the root, with `/`; `..` is allowed to lead outside, as shells expand it.
        """
        for path in paths:
            if (self.root / path).is_dir() and not (self.root / path).is_symlink():
                yield from self._walk(path.rstrip("/"))
            else:
                yield self._read_operator_file(path)

    def read(self, path: str) -> bytes | None:
        """Return the content of a settings file, key or certificate below the root."""
        try:
            return _read_plain(self.root / path, _MAX_OTHER_BYTES)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise SourceError(
                msg("{path} cannot be read: {reason}", path=path, reason=_reason(error)), hint=msg("check the file")
            ) from error

    def _walk(self, folder: str) -> Iterator[SourceFile]:
        prefix = "" if folder == "." else f"{folder}/"
        try:
            with os.scandir(self.root / folder) as entries:
                names = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
        except OSError as error:
            yield SourceFile(folder, b"", unreadable(_reason(error)))
            return
        for name, is_folder in names:
            path = prefix + name
            if is_folder:
                yield from self._walk(path)
            elif not is_ignored(path):
                yield self._read_operator_file(path)

    def _read_operator_file(self, path: str) -> SourceFile:
        problem = name_problem(path)
        if problem is not None and not os.path.lexists(self.root / path):
            problem = None  # a name typed by hand: that there is no such file says more
        if problem is not None:
            return SourceFile(path, b"", problem)
        try:
            return SourceFile(path, _read_plain(self.root / path, MAX_BYTES))
        except _NotPlain as special:
            return SourceFile(path, b"", special.problem)
        except (OSError, ValueError) as error:
            return SourceFile(path, b"", unreadable(_reason(error)))


class _NotPlain(ValueError):
    def __init__(self, problem: ReadProblem, reason: str) -> None:
        super().__init__(reason)
        self.problem = problem


def _read_plain(path: Path, limit: int) -> bytes:
    """Read a regular file: judged by the open descriptor, so that nothing can be swapped in between."""
    try:
        # O_NONBLOCK: opening a named pipe for reading waits for a writer otherwise.
        descriptor = os.open(
            path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
    except OSError:
        kind = _KINDS.get(stat.S_IFMT(path.lstat().st_mode))
        if kind is not None:
            raise _NotPlain(not_plain(kind), kind) from None
        raise
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            kind = _KINDS.get(stat.S_IFMT(facts.st_mode), "special file")
            raise _NotPlain(not_plain(kind), kind)
        if facts.st_size > limit:
            raise _NotPlain(too_large(), "too large")
        content = b""
        # One byte over the limit tells a file that grew meanwhile.
        while len(content) <= limit and (piece := os.read(descriptor, limit + 1 - len(content))):
            content += piece
        if len(content) > limit:
            raise _NotPlain(too_large(), "too large")
        return content
    finally:
        os.close(descriptor)


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
