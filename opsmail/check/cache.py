"""Results of earlier runs, kept in the user's own cache folder.

Not in the repository: whoever proposes a change could commit a cache there that calls it clean. What is read is
believed only when it is this user's, unchanged since it was written, and of the same circumstances; anything else is as
if it were not there. Nothing fails because of a cache: where none can be kept, none is.
"""

from __future__ import annotations

import marshal
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

_MAGIC = b"opsmail cache 1\n"
_DIGEST_BYTES = 16
#: Larger ones, of more than some 200,000 files, are not kept.
_MOST_BYTES = 64 * 1024 * 1024
#: Of so many circumstances results are kept, two files each; the oldest go first.
_MOST_FILES = 16
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def digest(*parts: bytes | memoryview) -> bytes:
    """Return a digest that tells these parts from any others."""
    hasher = blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        hasher.update(len(part).to_bytes(8, "big"))
        hasher.update(part)
    return hasher.digest()


def cache_folder(environment: Mapping[str, str]) -> Path | None:
    """Return where results are kept: below XDG_CACHE_HOME or ~/.cache; None where there is no such place.

    Args:
        environment: the process's variables.
    """
    for name, below in (("XDG_CACHE_HOME", "opsmail"), ("HOME", ".cache/opsmail")):
        folder = Path(environment.get(name, ""))
        if folder.is_absolute():
            return folder / below
    return None


def code_stamp() -> bytes:
    """Return what tells this opsmail, this Python and the installed packages from any others.

    Files are told by their sizes and times, which takes a fiftieth of reading them. A package that is installed or
    replaced leaves a new time on the folder that it is in.
    """
    import sys

    facts: list[object] = [sys.version, sys.byteorder]
    waiting = [Path(__file__).resolve().parent.parent.as_posix()]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.path):
                if entry.is_dir():
                    waiting += [] if entry.name == "__pycache__" else [entry.path]
                else:
                    state = entry.stat()
                    facts.append((entry.path, state.st_size, state.st_mtime_ns))
    for folder in sys.path:
        with suppress(OSError):
            facts.append((folder, os.stat(folder).st_mtime_ns))  # noqa: PTH116 - a Path would take longer
    return digest(repr(facts).encode("utf-8", "surrogateescape"))


class Cache(NamedTuple):
    """Values by name, in one folder.

    Args:
        folder: where; it is made when something is kept for the first time.
    """

    folder: Path

    def load(self, name: str) -> Any:
        """Return what was kept, None where nothing can be believed."""
        try:
            content = self._read(name)
            if content[: len(_MAGIC)] != _MAGIC:
                return None
            start = len(_MAGIC) + _DIGEST_BYTES
            payload = memoryview(content)[start:]
            if content[len(_MAGIC) : start] != digest(name.encode(), payload):
                return None
            return marshal.loads(payload)  # noqa: S302 - what this user wrote, whole; it holds plain values and no code
        except (OSError, ValueError, EOFError, TypeError):
            return None

    def store(self, name: str, value: Any) -> None:
        """Keep a value made of tuples, lists, dicts, texts, bytes and numbers; nothing happens where that cannot be."""
        payload = marshal.dumps(value)
        if len(payload) > _MOST_BYTES:
            return
        temporary = self.folder / f".{name}.{os.getpid()}"
        with suppress(OSError):
            # A home folder that is not there is nobody's to make.
            self.folder.parent.mkdir(mode=0o700, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self._require_own(self.folder.lstat(), stat.S_ISDIR)
            try:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(_MAGIC + digest(name.encode(), payload) + payload)
                temporary.replace(self.folder / name)
            except BaseException:  # Ctrl-C too: no half-written file stays
                temporary.unlink(missing_ok=True)
                raise
            self._tidy()

    def _read(self, name: str) -> bytes:
        descriptor = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            self._require_own(os.fstat(descriptor), stat.S_ISREG)
            self._require_own(self.folder.lstat(), stat.S_ISDIR)
            return file.read(_MOST_BYTES + 1024)

    def _require_own(self, state: os.stat_result, is_kind: Any) -> None:
        """Refuse what another user may have made or may write to."""
        own = not hasattr(os, "geteuid") or state.st_uid == os.geteuid()
        if not is_kind(state.st_mode) or not own or state.st_mode & _OTHERS_MAY_WRITE:
            raise PermissionError

    def _tidy(self) -> None:
        files = sorted(self.folder.iterdir(), key=lambda file: file.lstat().st_mtime_ns, reverse=True)
        for file in files[_MOST_FILES:]:
            file.unlink(missing_ok=True)
