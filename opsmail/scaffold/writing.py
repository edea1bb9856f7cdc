"""New files in somebody's folder: all of them or none, and nothing that is there is touched."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from opsmail.errors import RefusedError, UnavailableError
from opsmail.messages import Message, msg, msgn, quoted
from opsmail.source.replacing import replace_file
from opsmail.source.worktree import WorkTree


def write_new(root: Path, files: Mapping[str, str]) -> None:
    """Write files that do not exist yet, with the folders that they need.

    What was made is taken away again when one of them cannot be written, also when the process is told to end.

    Args:
        root: the folder that paths are told from; made when it is not there.
        files: path, with `/`, to text.

    Raises:
        RefusedError: one of them exists, or its folder is a link.
        UnavailableError: the system does not let them be written.
    """
    require_free(root, files)
    made: list[Path] = []
    try:
        for path, text in files.items():
            _write(root / path, text, made)
    except FileExistsError as error:  # somebody was faster
        _take_away(made)
        raise _existing([error.filename]) from error
    except OSError as error:
        _take_away(made)
        raise UnavailableError(
            msg("{path} cannot be written: {reason}", path=error.filename or root, reason=quoted(error.strerror)),
            hint=msg("nothing was written; name a folder that you may write to"),
        ) from error
    except BaseException:  # Ctrl-C too: all of it or nothing
        _take_away(made)
        raise


def write_over(tree: WorkTree, files: Mapping[str, str]) -> None:
    """Write files, in the place of those that are there, too: all of them, or none.

    Args:
        tree: the folder that paths are told from.
        files: path, with `/`, to text.

    Raises:
        RefusedError: somebody changes one of them meanwhile, or a folder is a link.
        UnavailableError: the system does not let them be written.
    """
    before = {path: content for path in files if (content := tree.read(path)) is not None}
    begun: list[str] = []
    try:
        for path, content in before.items():
            begun.append(path)
            replace_file(tree, path, content, files[path].encode())
        write_new(tree.root, {path: text for path, text in files.items() if path not in before})
    except BaseException:  # Ctrl-C too: all of it or nothing
        for path in begun:
            if tree.read(path) == files[path].encode() != before[path]:
                replace_file(tree, path, files[path].encode(), before[path])
        raise


_OTHERWISE = msg("nothing was written; move away what is there, or choose another name or folder")


def require_free(root: Path, files: Collection[str], otherwise: Message = _OTHERWISE) -> None:
    """Return when none of these files exists, and their folders are folders.

    Args:
        root: the folder that paths are told from.
        files: their paths, with `/`.
        otherwise: what to do where one exists.

    Raises:
        RefusedError: one of them exists, or its folder is a link.
    """
    existing = [path for path in files if os.path.lexists(root / path)]
    if existing:
        raise _existing(existing, otherwise)
    folders = {str(folder) for path in files for folder in PurePosixPath(path).parents}
    links = [folder for folder in sorted(folders) if folder != "." and (root / folder).is_symlink()]
    if links:
        raise RefusedError(
            msg("{folder} is a link, and nothing is written through links", folder=links[0]),
            hint=msg("put the folder itself there"),
        )


def _existing(paths: Sequence[str], otherwise: Message = _OTHERWISE) -> RefusedError:
    return RefusedError(
        msgn(
            "{paths} exists and is not overwritten",
            "{paths} exist and are not overwritten",
            len(paths),
            paths=", ".join(paths),
        ),
        hint=otherwise,
    )


def _write(place: Path, text: str, made: list[Path]) -> None:
    """Write one file, and note everything that was made for it."""
    missing = [folder for folder in place.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        made.append(folder)
    # O_EXCL: not even a link to somewhere is there.
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    made.append(place)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _take_away(made: Sequence[Path]) -> None:
    for path in reversed(made):
        with suppress(OSError):  # a folder that somebody else has put something into meanwhile stays
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
