"""Where tests write: in memory where that is asked for, because a store waits for the disk at each change."""

import os
from pathlib import Path

#: The variable that asks for it. The long runs and the benchmarks do without: what they tell is about a disk.
IN_MEMORY = "OPSMAIL_TEST_IN_MEMORY"
MEMORY, DISK = Path("/dev/shm"), Path("/tmp")
#: The servers of several tests run at once. Containers often have 64 MiB.
ROOM = 4 << 30


def scratch() -> Path:
    """Return the folder for what tests write; its path is short, as those of unix sockets have to be (unix(7))."""
    return MEMORY if os.environ.get(IN_MEMORY) and is_usable(MEMORY) else DISK


def is_usable(folder: Path) -> bool:
    """Whether a folder has room for tests, and programs in it may be run."""
    try:
        facts = os.statvfs(folder)
    except OSError:
        return False
    has_room = facts.f_bavail * facts.f_frsize >= ROOM
    return has_room and not facts.f_flag & os.ST_NOEXEC and os.access(folder, os.W_OK)
