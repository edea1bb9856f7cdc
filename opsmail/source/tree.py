"""Where files come from: the port, and what every tree agrees on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from opsmail.errors import UnavailableError, UsageError
from opsmail.expressions import expression
from opsmail.messages import Message, msg
from opsmail.source.document import ReadProblem

_FILE_NAME = expression(r"[a-z0-9][a-z0-9._-]{0,62}\.yaml")
_FOLDER_NAME = expression(r"[a-z0-9][a-z0-9._-]*")
#: The largest operator file (a real one has some 600 bytes).
MAX_BYTES = 256 * 1024
#: Settings, waivers, keys and certificates are small.
MAX_OTHER_BYTES = 1024 * 1024
#: Kept by git users to hold an empty folder.
_IGNORED = ".gitkeep"


class SourceError(UnavailableError):
    """A file or revision that must be read cannot be."""


class NoFolderError(UsageError):
    """There is no operators folder where the settings say; an empty fleet is no fleet, so nothing goes on.

    Args:
        folder: as the settings name it.
        place: the folder or commit that lacks it.
    """

    def __init__(self, folder: str, place: str) -> None:
        super().__init__(
            msg("there is no folder `{folder}` in {place}", folder=folder, place=place),
            hint=msg("run opsmail in the repository, or name the folder with `operators = …` in opsmail.toml"),
        )


class SourceFile(NamedTuple):
    """One file in the operators folder.

    Args:
        path: from the tree's root, with `/`.
        content: its bytes; empty when `problem` says why it was not read.
        problem: why it was not read.
    """

    path: str
    content: bytes
    problem: ReadProblem | None = None


class Tree(Protocol):
    """A set of files that does not change while it is looked at: the working tree, or a commit."""

    def operator_files(self, folders: Sequence[str]) -> Iterable[SourceFile]:
        """Return every file below `folders`, in the order of their paths.

        Raises:
            NoFolderError: one of them is not there.
            SourceError: the tree itself cannot be read.
        """

    def read(self, path: str, most: int = MAX_OTHER_BYTES) -> bytes | None:
        """Return the content of one file, None when there is none.

        Args:
            path: from the root, with `/`.
            most: how many bytes it may have.

        Raises:
            SourceError: it is there and cannot be read.
        """


def is_around(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or a folder around it, both from the root with `/`."""
    return path == "." or set(path.split("/")) == {".."} or f"{folder}/".startswith(f"{path}/")


def name_problem(path: str, folder: str = "") -> ReadProblem | None:
    """Return what is wrong with the name of a file in the operators folder.

    Args:
        path: the file.
        folder: the operators folder; names between it and the file have to be right too.
    """
    *folders, name = path.removeprefix(f"{folder}/").split("/") if folder else [path.rpartition("/")[2]]
    return file_name_problem(name) if all(map(is_folder_name, folders)) else folder_problem()


def is_file_name(name: str) -> bool:
    """Whether operator files may be named so, their folders left out."""
    return _FILE_NAME.fullmatch(name) is not None


def file_name_problem(name: str) -> ReadProblem | None:
    """Return what is wrong with a file's name, its folders left out."""
    if is_file_name(name):
        return None
    if name.lower().endswith((".yaml", ".yml")):
        return ReadProblem(
            "OM008",
            msg("the file's name has other characters than a-z, 0-9, `.`, `_`, `-`, or another ending than `.yaml`"),
            help=msg("rename it to the operator's id followed by `.yaml`"),
        )
    return ReadProblem(
        "OM008", msg("not an operator file: its name does not end in `.yaml`"), help=msg("move it out of this folder")
    )


def operator_stem(path: str) -> str:
    """Return the id that an operator file's name says."""
    return path.rpartition("/")[2].removesuffix(".yaml")


def is_named_like(operator: object, path: str) -> bool:
    """Whether the file at `path` is named after the operator that it describes; of what is no name nothing is said."""
    return not isinstance(operator, str) or operator == operator_stem(path)


def is_folder_name(name: str) -> bool:
    """Whether a folder of this name is looked into."""
    return _FOLDER_NAME.fullmatch(name) is not None


def folder_problem() -> ReadProblem:
    """The problem of a folder with another name."""
    return ReadProblem(
        "OM008",
        msg("the folder's name has other characters than a-z, 0-9, `.`, `_`, `-`"),
        help=msg("rename the folder, or move it out of this one"),
    )


def is_ignored(path: str) -> bool:
    """Whether a file in the operators folder is none of opsmail's business."""
    return path.rpartition("/")[2] == _IGNORED


def not_plain(what: Message) -> ReadProblem:
    """The problem of something that is no regular file."""
    return ReadProblem(
        "OM008",
        msg("this is a {what}, not a plain file", what=what),
        help=msg("put the operator's file itself here; links are never followed"),
    )


def unreadable(reason: Message) -> ReadProblem:
    """The problem of a file that the system does not let us read."""
    return ReadProblem(
        "OM001", msg("the file cannot be read: {reason}", reason=reason), help=msg("check its name and permissions")
    )


def too_large(limit: int = MAX_BYTES) -> ReadProblem:
    """The problem of a file that is over the limit of bytes."""
    return ReadProblem(
        "OM007",
        msg("the file is larger than {limit} KiB", limit=limit // 1024),
        help=msg("an operator file describes one operator; split or shorten it"),
    )
