"""How a big fleet is split over jobs."""

from __future__ import annotations

import random
import time
from typing import NamedTuple

from opsmail.live.shards import Shard

_OPERATORS, _JOBS = 100_000, 50


class Split(NamedTuple):
    """One fleet in parts.

    Args:
        operators: all together.
        jobs: how many parts.
        wall: seconds for one job to find its part.
        cpu: the same, of the processor.
        spread: the largest difference of a part from the mean, as a share of it.
        stable: whether the parts stay the same in another order of names, and one name more moves one a cut at most.
    """

    operators: int
    jobs: int
    wall: float
    cpu: float
    spread: float
    stable: bool


def split() -> Split:
    """Split a made-up fleet."""
    names = [f"op-{number:06}" for number in range(_OPERATORS)]
    started, before = time.perf_counter(), time.process_time()
    first = Shard(1, _JOBS).pick(names)
    wall, cpu = time.perf_counter() - started, time.process_time() - before
    parts = [first, *(Shard(number, _JOBS).pick(names) for number in range(2, _JOBS + 1))]
    mean = _OPERATORS / _JOBS
    spread = max(abs(len(part) - mean) for part in parts) / mean
    complete = len(frozenset().union(*parts)) == sum(map(len, parts)) == _OPERATORS
    shuffled = random.Random(1).sample(names, len(names))
    last = parts[-1]
    moved = last ^ Shard(_JOBS, _JOBS).pick([*names, "new"])
    stable = complete and last == Shard(_JOBS, _JOBS).pick(shuffled) and len(moved) <= 2
    return Split(_OPERATORS, _JOBS, wall, cpu, spread, stable)
