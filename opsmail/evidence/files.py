"""Envelopes as files, named by their content, carried from one step of a pipeline to the next."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from opsmail.errors import UnavailableError
from opsmail.evidence.envelope import VerifiedStatement, verify
from opsmail.evidence.invalid import InvalidEvidence, Reason
from opsmail.evidence.keys import TrustedKey
from opsmail.evidence.strict_json import MAX_BYTES
from opsmail.messages import msg, quoted

#: Where envelopes are written, from the repository's root.
FOLDER = Path(".opsmail/evidence")
ENDING = ".dsse.json"
#: Files that one folder may hold; several kinds for each of some ten thousand operators.
MAX_FILES = 100_000


class EvidenceFilesError(UnavailableError):
    """The folder of evidence cannot be read or written."""


def write_envelope(folder: Path, envelope: bytes) -> Path:
    """Write an envelope under the name of its content, whole or not at all, and return its path.

    Nobody waits for the disk: what a loss of power damages does not verify, and what it proved is proved again.

    Evidence holds no secret, and another user's step may have to read it: the file is for everybody to read, as far as
    the umask lets.

    Args:
        folder: made where it is missing; must not be a link.
        envelope: from `sign`.

    Raises:
        EvidenceFilesError: it cannot be written there.
    """
    name = hashlib.sha256(envelope).hexdigest() + ENDING
    try:
        # Everything else goes through this descriptor: the folder cannot be exchanged on the way.
        place = _opened(folder)
        try:
            _write(place, name, envelope)
        finally:
            os.close(place)
    except OSError as error:
        raise _failed(folder, error) from None
    return folder / name


def _opened(folder: Path) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        return os.open(folder, flags)
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder, flags)


def _write(place: int, name: str, content: bytes) -> None:
    temporary = f".{secrets.token_hex(8)}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=place)
    try:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)
        os.replace(temporary, name, src_dir_fd=place, dst_dir_fd=place)
    except BaseException:  # Ctrl-C too: no half-written file stays
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=place)
        raise


def list_envelopes(folder: Path) -> tuple[Path, ...]:
    """Return the envelopes in `folder`, by name; none where there is no folder.

    Raises:
        EvidenceFilesError: it cannot be read, is a link, or holds more than `MAX_FILES`.
    """
    try:
        if folder.is_symlink():
            raise NotADirectoryError(None, "it is a link")
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(ENDING) and entry.name[0] != ".")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _failed(folder, error) from None
    if len(names) > MAX_FILES:
        raise EvidenceFilesError(
            msg("the folder {folder} holds more than {most} pieces of evidence", folder=folder, most=MAX_FILES),
            hint=msg("delete the old ones; what was published keeps its own"),
        )
    return tuple(folder / name for name in names)


def read_envelope(path: Path) -> bytes:
    """Return the bytes of one envelope, at most `MAX_BYTES`; links and devices are not followed.

    Raises:
        InvalidEvidence: `UNREADABLE` or `TOO_LARGE`; its `source` is the path.
    """
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for somebody to write.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise IsADirectoryError(None, "it is not a file")
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        unreadable = InvalidEvidence(
            Reason.UNREADABLE, msg("it cannot be read: {reason}", reason=quoted(error.strerror))
        )
        unreadable.source = str(path)
        raise unreadable from None
    if len(content) > MAX_BYTES:
        large = InvalidEvidence(Reason.TOO_LARGE, msg("it has more than {most} bytes", most=MAX_BYTES))
        large.source = str(path)
        raise large
    return content


def verify_files(paths: Iterable[Path], keys: Iterable[TrustedKey]) -> Iterator[VerifiedStatement | InvalidEvidence]:
    """Verify one file after the other: what holds, and what does not with the reason, both with their `source`."""
    trusted = tuple(keys)
    for path in paths:
        try:
            yield replace(verify(read_envelope(path), trusted), source=str(path))
        except InvalidEvidence as error:
            error.source = str(path)
            yield error


def _failed(folder: Path, error: OSError) -> EvidenceFilesError:
    return EvidenceFilesError(
        msg("the folder of evidence {folder} cannot be used: {reason}", folder=folder, reason=quoted(error.strerror)),
        hint=msg("it has to be a folder of its own, no link, with room and the permission to write"),
    )
