"""The working tree: files as they are on disk. Links are never followed, special files never opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from opsmail.messages import Message, msg, quoted
from opsmail.source.document import ReadProblem
from opsmail.source.tree import (
    MAX_BYTES,
    MAX_OTHER_BYTES,
    NoFolderError,
    SourceError,
    SourceFile,
    file_name_problem,
    folder_problem,
    is_around,
    is_file_name,
    is_folder_name,
    is_ignored,
    name_problem,
    not_plain,
    too_large,
    unreadable,
)

_KINDS = {
    stat.S_IFLNK: msg("link"),
    stat.S_IFIFO: msg("named pipe"),
    stat.S_IFSOCK: msg("socket"),
    stat.S_IFBLK: msg("device"),
    stat.S_IFCHR: msg("device"),
    stat.S_IFDIR: msg("folder"),
}
#: Without O_NONBLOCK, opening a named pipe for reading waits for a writer.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class WorkTree:
    """The files below one folder.

    Args:
        root: the folder with `opsmail.toml`; paths of files are told from here.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._prefix = f"{root}/"

    def operator_files(self, folders: Sequence[str]) -> Listing:
        """Return the files of the operators folders, in the order of their paths.

        Raises:
            NoFolderError: one of them is not there.
        """
        return Listing(self, self._found(folders))

    def files(self, paths: Sequence[str], folders: Sequence[str]) -> Listing:
        """Return the files that a person named, and those below the folders they named: once each, by their paths.

        Args:
            paths: from the root, with `/`; `..` is allowed to lead outside, as shells expand it.
            folders: the operators folders; a folder around one of them stands for it alone.

        Raises:
            NoFolderError: a path stands for an operators folder that is not there.
        """
        found: dict[str, ReadProblem | None] = {}
        for path in paths:
            around = [folder for folder in folders if is_around(path, folder)]
            if around and self._is_folder(path):
                found |= self._found(around)
            elif self._is_folder(path):
                found |= self._below(path)
            elif self._leads_through_link(path):
                found[path] = not_plain(msg("link"))
            elif not is_ignored(path):
                found[path] = name_problem(path) if os.path.lexists(self.root / path) else None
        return Listing(self, found)

    def load(self, path: str) -> SourceFile:
        """Return one file with its content, or with why it could not be read; nothing of it is raised."""
        try:
            return SourceFile(path, self._read_plain(path, MAX_BYTES))
        except _Refused as refused:
            return SourceFile(path, b"", refused.problem)
        except (OSError, ValueError) as error:
            return SourceFile(path, b"", unreadable(_reason(error)))

    def read(self, path: str, most: int = MAX_OTHER_BYTES) -> bytes | None:
        """Return the content of a settings file, key or certificate below the root."""
        try:
            self._refuse_link(path)
            return self._read_plain(path, most)
        except FileNotFoundError:
            return None
        except _Refused as refused:
            reason = refused.problem.message
        except (OSError, ValueError) as error:
            reason = _reason(error)
        raise SourceError(
            msg("{path} cannot be read: {reason}", path=path, reason=reason),
            hint=msg("put the file itself there, readable for whoever runs opsmail"),
        )

    def _found(self, folders: Iterable[str]) -> dict[str, ReadProblem | None]:
        found: dict[str, ReadProblem | None] = {}
        for folder in folders:
            if not self._is_folder(folder):
                raise NoFolderError(folder, str(self.root))
            found |= self._below(folder)
        return found

    def _below(self, folder: str) -> dict[str, ReadProblem | None]:
        """Return each file below `folder`, with what is wrong with its name; no recursion, whatever the depth."""
        found: dict[str, ReadProblem | None] = {}
        waiting = [folder]
        while waiting:
            current = waiting.pop()
            try:
                with os.scandir(self.root / current) as entries:
                    for entry in entries:
                        name = entry.name
                        path = f"{current}/{name}"
                        if entry.is_file(follow_symlinks=False) and is_file_name(name):
                            found[path] = None  # as nearly all are
                        elif entry.is_dir(follow_symlinks=False):
                            if is_folder_name(name):
                                waiting.append(path)
                            else:
                                found[path] = folder_problem()
                        elif not is_ignored(name):
                            found[path] = not_plain(msg("link")) if entry.is_symlink() else file_name_problem(name)
            except OSError as error:
                found[current] = unreadable(_reason(error))
        return found

    def _is_folder(self, path: str) -> bool:
        try:
            is_folder = (self.root / path).is_dir()
        except OSError:  # the path is longer than paths can be
            return False
        return is_folder and not self._leads_through_link(path)

    def _refuse_link(self, path: str) -> None:
        if self._leads_through_link(path):
            raise _Refused(not_plain(msg("link")))

    def _leads_through_link(self, path: str) -> bool:
        """Whether a part of `path` is a link; outside the root, links are how the machine is set up."""
        parts = PurePosixPath(path).parts
        if ".." in parts or path.startswith("/"):
            return False
        try:
            return any((self.root / PurePosixPath(*parts[:count])).is_symlink() for count in range(1, len(parts) + 1))
        except OSError:
            return False

    def _read_plain(self, path: str, limit: int) -> bytes:
        """Read a regular file: judged by the open descriptor, so that nothing can be swapped in between."""
        try:
            descriptor = os.open(self._prefix + path, _FLAGS)
        except OSError:
            _refuse_special((self.root / path).lstat())
            raise
        try:
            return _at_once(descriptor, limit) or _with_care(descriptor, limit)
        finally:
            os.close(descriptor)


def _at_once(descriptor: int, limit: int) -> bytes:
    """Return the content of a file as nearly all are; empty for any other, which has to be looked at.

    Asking for the end takes a fifth of what asking for the kind does, and is as good here: a pipe, socket or terminal
    has none, other devices end where they begin, a folder cannot be read.
    """
    try:
        size = os.lseek(descriptor, 0, os.SEEK_END)
        content = os.pread(descriptor, size + 1, 0) if 0 < size <= limit else b""
    except OSError:
        return b""
    return content if len(content) == size else b""


def _with_care(descriptor: int, limit: int) -> bytes:
    """Return the content of what is a file, refuse what is none, and believe in no size.

    Raises:
        _Refused: it is no regular file, or too large.
    """
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        _refuse_special(facts)
    if facts.st_size > limit:
        raise _Refused(too_large(limit))
    os.lseek(descriptor, 0, os.SEEK_SET)
    content = b""
    # It may grow meanwhile, or tell no size; one byte over the limit tells that it is too large.
    while len(content) <= limit and (piece := os.read(descriptor, limit + 1 - len(content))):
        content += piece
    if len(content) > limit:
        raise _Refused(too_large(limit))
    return content


class Listing:
    """Files that were found, each read when it is asked for.

    Args:
        tree: where they are.
        found: their paths, each with what is wrong with it.
    """

    def __init__(self, tree: WorkTree, found: Mapping[str, ReadProblem | None]) -> None:
        self._tree = tree
        self._problems = {path: problem for path, problem in found.items() if problem is not None}
        self.paths = sorted(found)

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[SourceFile]:
        return map(self.load, self.paths)

    def load(self, path: str) -> SourceFile:
        """Return the file of one of the paths."""
        problem = self._problems.get(path)
        return self._tree.load(path) if problem is None else SourceFile(path, b"", problem)


class _Refused(Exception):  # noqa: N818 - a finding on its way, no error of the program
    def __init__(self, problem: ReadProblem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


def _refuse_special(facts: os.stat_result) -> None:
    kind = _KINDS.get(stat.S_IFMT(facts.st_mode))
    if kind is not None:
        raise _Refused(not_plain(kind))


def _reason(error: OSError | ValueError) -> Message:
    return quoted((error.strerror if isinstance(error, OSError) else None) or str(error))
