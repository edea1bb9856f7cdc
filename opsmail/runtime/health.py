"""How current a reader's settings are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
        operators: how many are published.
        master: the master's id; None without one.
        problem: what is wrong with the store or the snapshot, None when all is well.
    """

    state: State
    generation: int
    age: float
    operators: int
    master: str | None
    problem: str | None
