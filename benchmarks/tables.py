"""What the pages of results have in common: what is to be reached, and where it was measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Target(NamedTuple):
    """What is to be reached, what was, by the clock and by the processor, and whether the clock's is enough."""

    what: str
    wanted: str
    wall: str
    cpu: str
    reached: bool


def targets(found: Iterable[Target]) -> list[str]:
    """Return the lines of the table of targets."""
    lines = ["| what | wanted | seconds | of the processor | reached |", "|---|---|---:|---:|---|"]
    for target in found:
        answer = "yes" if target.reached else "no"
        lines.append(f"| {target.what} | {target.wanted} | {target.wall} | {target.cpu} | {answer} |")
    return lines


def machine() -> str:
    """Return what ran it: system, processor, cores, Python."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{platform.system()} {platform.machine()}, {_processor()}, {os.cpu_count()} cores, {python}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
