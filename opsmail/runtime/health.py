"""How current a reader's settings are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from opsmail.runtime.endings import Ending


class State(StrEnum):
    """How current the settings are."""

    CURRENT = "current"
    STALE = "stale"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Health:
    """How the reader is doing.

    Args:
        state: `stale` when the store could not be used the last time it was asked, `expired` when it has not confirmed
            the settings for longer than `max_stale`, whatever the reason.
        generation: the number in use.
        age: seconds since the store last confirmed it, those before a restart included.
        published: seconds since that generation was published, by this machine's clock.
        operators: how many are published.
        master: the master's id; None without one.
        master_proven: whether the gate that let it pass wanted a test send of each change, and nobody broke the glass
            for the master.
        endings: what ends of the operators, the soonest first; `opsmail status` tells of more.
        problem: what is wrong with the store or the snapshot, None when all is well.
    """

    state: State
    generation: int
    age: float
    published: float
    operators: int
    master: str | None
    master_proven: bool
    endings: tuple[Ending, ...]
    problem: str | None
