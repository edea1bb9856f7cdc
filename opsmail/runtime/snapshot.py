"""The snapshot: the last known good generation on this machine's disk, as signed, so that it is verified like the store's."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from opsmail.errors import UnavailableError
from opsmail.messages import msg
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
    """

    head: Head
    blobs: Mapping[str, bytes]
    location: str

    def read(self, digests: Collection[str]) -> dict[str, bytes]:
        """Return blobs; only what has its digest got in here."""
        missing = [digest for digest in digests if digest not in self.blobs]
        if missing:
            raise MissingBlobs(self.location, missing)
        return {digest: self.blobs[digest] for digest in digests}


def load_snapshot(path: Path, environment: str) -> Snapshot | None:
    """Return the snapshot in `path`, None when there is none.

    Raises:
        SnapshotError: it cannot be read, or is not one of this environment.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SnapshotError(
            msg("the snapshot {path} cannot be read: {reason}", path=str(path), reason=error.strerror or "?")
        ) from error
    try:
        data = json.loads(content)
        if data["format"] != _FORMAT or data["environment"] != environment:
            raise ValueError(data["format"])
        contents = [b64decode(blob, validate=True) for blob in data["blobs"]]
        identity = Identity(str(data["store"]), int(data["epoch"]))
        head = Head(identity, environment, int(data["number"]), str(data["digest"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SnapshotError(
            msg("{path} is not a snapshot of environment {environment}", path=str(path), environment=environment),
            hint=msg("delete it; a new one is written as soon as the store answers"),
        ) from error
    return Snapshot(head, {hashlib.sha256(blob).hexdigest(): blob for blob in contents}, str(path))


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
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise SnapshotError(
            msg("the snapshot {path} cannot be written: {reason}", path=str(path), reason=error.strerror or "?"),
            hint=msg("give it a folder that this program may write to"),
        ) from error
