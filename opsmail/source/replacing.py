"""Writing a file of the working tree anew: whole or not at all, and only if it still is what was read."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

from opsmail.errors import RefusedError
from opsmail.messages import msg, quoted
from opsmail.source.tree import SourceError
from opsmail.source.worktree import WorkTree


def replace_file(tree: WorkTree, path: str, before: bytes, after: bytes) -> None:
    """Give a file new content; its mode and its owner stay.

    The new content is complete on the disk before it takes the old one's place, so whoever reads the file, and whoever
    finds it after a crash, finds one of the two.

    Args:
        tree: where it is.
        path: from the root.
        before: what was read of it.
        after: what to write.

    Raises:
        SourceError: it cannot be written, or only by changing whose it is.
        RefusedError: somebody has changed it since it was read, or put something else in its place.
    """
    place = tree.root / path
    try:
        facts = place.lstat()
        if not facts.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(place, os.W_OK):
            raise PermissionError(errno.EACCES, "it is read-only")
        descriptor, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(after)
                stream.flush()
                _keep_owner_and_mode(descriptor, facts)
                os.fsync(descriptor)
            # As late as can be: what somebody saves from here on is older than the fix by less than a moment.
            if tree.read(path) != before:
                raise RefusedError(
                    msg("{path} has changed since it was read, so it is left alone", path=path),
                    hint=msg("run the command again"),
                )
            temporary.replace(place)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise SourceError(
            msg("{path} cannot be written: {reason}", path=path, reason=quoted(error.strerror)),
            hint=msg("make the file and its folder writable for whoever runs opsmail"),
        ) from error


def _keep_owner_and_mode(descriptor: int, facts: os.stat_result) -> None:
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (facts.st_uid, facts.st_gid):
        os.fchown(descriptor, facts.st_uid, facts.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(facts.st_mode))
