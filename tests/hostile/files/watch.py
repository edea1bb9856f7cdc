"""What a program asks of the system while it runs: files, connections, other programs."""

from __future__ import annotations

import contextlib
import os
import sys
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path

import opsmail

_FILES = frozenset(("open", "os.listdir", "os.scandir"))
#: Connections, look-ups of names, other programs.
_BEYOND = ("socket.", "ssl.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "pty.")
#: Where a program and its data are: it may load a part when that is needed first.
_PROGRAM = tuple(
    f"{folder}{os.sep}"
    for folder in {
        str(Path(opsmail.__file__).parent),
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib")),
        *(folder for folder in sys.path if folder.endswith("-packages")),
    }
)


class Watch:
    """What was asked for while a block ran, by the thread that ran it. Python tells it by audit events (PEP 578)."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.beyond: list[str] = []

    def note(self, event: str, arguments: tuple[object, ...]) -> None:
        """Take down one event."""
        if event in _FILES and isinstance(arguments[0], str | bytes):
            self.opened.append(str(Path(os.fsdecode(arguments[0])).absolute()))
        elif event.startswith(_BEYOND):
            self.beyond.append(f"{event}{arguments}")

    def foreign_files(self, own: str | None = None) -> list[str]:
        """Return the files and folders that were opened and belong neither to the program nor below a folder.

        Args:
            own: the folder.
        """
        # An import looks through the folders of sys.path.
        outside = [path for path in self.opened if path not in sys.path and not path.startswith(_PROGRAM)]
        return [path for path in outside if own is None or not f"{path}{os.sep}".startswith(f"{own}{os.sep}")]


_watching: dict[int, Watch] = {}


@contextlib.contextmanager
def watched() -> Iterator[Watch]:
    """Watch the block."""
    here = threading.get_ident()
    watch = _watching[here] = Watch()
    try:
        yield watch
    finally:
        del _watching[here]


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if _watching and (watch := _watching.get(threading.get_ident())) is not None:
        watch.note(event, arguments)


# A hook cannot be taken off again; between blocks it does nothing.
sys.addaudithook(_hear)
