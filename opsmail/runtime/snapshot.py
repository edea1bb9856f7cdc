"""The snapshot: the last known good generation on this machine's disk, as signed, and verified like the store's."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsmail.errors import UnavailableError
from opsmail.messages import msg, quoted
from opsmail.store.interface import Head, Identity, MissingBlobs

_FORMAT = "opsmail/snapshot/v1"
_MAX_BYTES = 1024 * 1024 * 1024


class SnapshotError(UnavailableError):
    """The snapshot cannot be read or written, or is not one."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One generation with everything it consists of; answers like a store that holds nothing else.

    Args:
        head: where the environment stood.
        blobs: digest to content.
        location: the file, for messages.
        confirmed: when the store last said that this is the newest, in seconds since the epoch.
    """

    head: Head
    blobs: Mapping[str, bytes]
    location: str
    confirmed: float

    def read(self, digests: Collection[str]) -> dict[str, bytes]:
        """Return blobs; only what has its digest got in here."""
        missing = [digest for digest in digests if digest not in self.blobs]
        if missing:
            raise MissingBlobs(self.location, missing)
        return {digest: self.blobs[digest] for digest in digests}


def load_snapshot(path: Path, environment: str) -> Snapshot | None:
    """Return the snapshot in `path`, None when there is none. What it holds is yet to be verified.

    Raises:
        SnapshotError: it cannot be read, or is not one of this environment.
    """
    try:
        content, confirmed = _read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SnapshotError(
            msg("the snapshot {path} cannot be read: {reason}", path=path, reason=quoted(error.strerror)),
            hint=msg("let this program read it, or delete it"),
        ) from error
    try:
        head, contents = _parse(json.loads(content), environment)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SnapshotError(
            msg("{path} is not a snapshot of environment {environment}", path=path, environment=environment),
            hint=msg("delete it; a new one is written as soon as the store answers"),
        ) from error
    return Snapshot(head, {hashlib.sha256(blob).hexdigest(): blob for blob in contents}, str(path), confirmed)


def write_snapshot(path: Path, head: Head, blobs: Collection[bytes]) -> None:
    """Replace the snapshot in one step, readable by its owner only.

    Raises:
        SnapshotError: the disk did not take it; the one before is still there.
    """
    document = {
        "format": _FORMAT,
        "environment": head.environment,
        "store": head.identity.store,
        "epoch": head.identity.epoch,
        "number": head.number,
        "digest": head.digest,
        "blobs": [b64encode(blob).decode("ascii") for blob in blobs],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(json.dumps(document).encode("ascii"))
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:  # Ctrl-C too: no half-written file stays
            with suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise SnapshotError(
            msg("the snapshot {path} cannot be written: {reason}", path=path, reason=quoted(error.strerror)),
            hint=msg("give it a folder that this program may write to"),
        ) from error


def confirm_snapshot(path: Path) -> bool:
    """Note that the store still has what the snapshot has; False where there is no snapshot to note it on."""
    try:
        os.utime(path)
    except OSError:
        return False
    return True


def _read(path: Path) -> tuple[bytes, float]:
    """Return the content of a plain file, and when it was last confirmed."""
    # O_NONBLOCK: opening a named pipe waits for a writer otherwise.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _MAX_BYTES:
            raise OSError(0, "it is not a plain file of a reasonable size")
        return file.read(_MAX_BYTES), facts.st_mtime


def _parse(data: Any, environment: str) -> tuple[Head, list[bytes]]:
    if (data["format"], data["environment"]) != (_FORMAT, environment):
        raise ValueError("of another format or environment")
    head = Head(Identity(str(data["store"]), int(data["epoch"])), environment, int(data["number"]), str(data["digest"]))
    return head, [b64decode(blob, validate=True) for blob in data["blobs"]]
