"""The exit codes, the same for every command."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the caller may conclude."""

    DONE = 0
    FINDINGS = 1  # findings, a failed test send, drift, a plan with changes; beats UNAVAILABLE when both happened
    USAGE = 2
    REFUSED = 3
    UNAVAILABLE = 4
    DEFECT = 70
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143
