"""A folder as the disk holds it: what a power cut may leave of it, told from the calls that wrote to it.

What was not synchronised may have been written, or not, or in part; whatever order. A file's name is as safe as its
folder was synchronised, and names come and go in order, as in the journal of a file system.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability.tracing import Call

#: What a disk writes as a whole, in bytes.
_SECTOR = 512
_DESCRIPTOR = re.compile(r"(\d+)<([^>]*)>")
_TEXT = re.compile(r'"([^"]*)"')
_NUMBER = re.compile(r", (\d+)$")


@dataclass
class _File:
    """What is safe of a file, and what was written since: places with content, None for a new length."""

    safe: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def content(self, chance: random.Random | None, *, applied: bool) -> bytes:
        """Return what a power cut leaves; with `chance` something between nothing and all of what is pending."""
        content = bytearray(self.safe)
        for place, written in self.pending:
            if chance is None:
                part = written if applied else b""
                skip = not applied
            else:
                skip = chance.random() < 0.5
                part = written
                if written and chance.random() < 0.3:
                    part = written[: chance.randrange(0, len(written), _SECTOR)]
            if skip:
                continue
            if part is None:
                del content[place:]
                content.extend(bytes(place - len(content)))
                continue
            content.extend(bytes(max(0, place - len(content))))
            content[place : place + len(part)] = part
        return bytes(content)


class Disk:
    """The files of one folder.

    Args:
        folder: as it is now, all of it safe.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._safe = {path.name: _File(path.read_bytes()) for path in folder.iterdir() if path.is_file()}
        self._names = dict(self._safe)
        #: The names that came (with their file) and went (None) since the folder was synchronised.
        self._pending: list[tuple[str, _File | None]] = []

    def take(self, call: Call) -> bool:
        """Take in what a call did; False where it was none to this folder."""
        if call.result < 0:
            return False
        if call.name in ("unlink", "unlinkat", "link", "linkat", "rename"):
            return self._rename(call)
        found = _DESCRIPTOR.match(call.arguments)
        path = Path(_decoded(found[2]).decode("utf-8", "replace")) if found else Path()
        if path == self._folder and call.name in ("fsync", "fdatasync"):
            self._safe = dict(self._names)
            self._pending.clear()
            return True
        if path.parent != self._folder or path.name.endswith("-shm"):
            return False  # the shared memory is made anew
        self._write(call, self._file(path.name))
        return True

    def after_power_cut(self, chance: random.Random, variants: int) -> Iterator[Mapping[str, bytes]]:
        """Yield files by name: with nothing that is pending, with all of it, and so many with some of it."""
        yield {name: file.content(None, applied=False) for name, file in self._safe.items()}
        yield {name: file.content(None, applied=True) for name, file in self._names.items()}
        for _ in range(variants):
            names = dict(self._safe)
            for name, file in self._pending[: chance.randint(0, len(self._pending))]:
                if file is None:
                    names.pop(name, None)
                else:
                    names[name] = file
            yield {name: file.content(chance, applied=False) for name, file in names.items()}

    def _file(self, name: str) -> _File:
        """Return the file of a name; a new one where there is none, since it is written to."""
        if name not in self._names:
            self._names[name] = _File()
            self._pending.append((name, self._names[name]))
        return self._names[name]

    @staticmethod
    def _write(call: Call, file: _File) -> None:
        number = _NUMBER.search(call.arguments)
        if call.name in ("fsync", "fdatasync"):
            file.safe = file.content(None, applied=True)
            file.pending.clear()
        elif call.name == "ftruncate" and number:
            file.pending.append((int(number[1]), None))
        elif call.name == "pwrite64" and number:
            text = _TEXT.search(call.arguments)
            assert text is not None, call
            file.pending.append((int(number[1]), _decoded(text[1])[: call.result]))
        else:
            raise AssertionError(f"nothing is known of {call.name} to the store")

    def _rename(self, call: Call) -> bool:
        paths = [Path(_decoded(text).decode("utf-8", "replace")) for text in _TEXT.findall(call.arguments)]
        if any(path.parent != self._folder for path in paths):
            return False
        if call.name == "rename":
            raise AssertionError("nothing is renamed in the store's folder")
        if call.name.startswith("unlink"):
            self._names.pop(paths[0].name, None)
            self._pending.append((paths[0].name, None))
        else:
            self._names[paths[1].name] = self._names[paths[0].name]
            self._pending.append((paths[1].name, self._names[paths[0].name]))
        return True


def said_in(call: Call) -> str:
    """Return what a call wrote to standard output or error; nothing for another call."""
    found, text = _DESCRIPTOR.match(call.arguments), _TEXT.search(call.arguments)
    if call.name != "write" or not found or found[1] not in ("1", "2") or not text:
        return ""
    return _decoded(text[1]).decode("utf-8", "replace")


def _decoded(text: str) -> bytes:
    """Return the bytes of a text that strace wrote in hexadecimal, and of what it left plain in between."""
    return re.sub(rb"\\x(..)", lambda found: bytes.fromhex(found[1].decode("ascii")), text.encode("ascii"))
