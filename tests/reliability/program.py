"""Runs loops: standard input has a list of jobs (see `jobs.py`), standard output gets a line with the outcome of each.

    program.py FOLDER

A program of its own, because it forks publishers that have to be at work at once: everything is loaded here, and
nothing else is going on.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

# Behind all others, so that the opsmail is found that is to be tested.
sys.path.append(str(Path(__file__).parents[2]))

from tests.conformance.publishing import Place
from tests.reliability import calls, moments, power
from tests.reliability.canaries import CANARIES
from tests.reliability.jobs import Job, Outcome
from tests.reliability.pipeline import Pipeline
from tests.reliability.publisher import load
from tests.reliability.scene import Scene
from tests.reliability.violation import ViolationError

_LOOPS: Mapping[str, Callable[..., None]] = {
    "kills": moments.kills,
    "terminations": moments.terminations,
    "race": moments.race,
    "pauses": moments.pauses,
    "answers": moments.answers,
    "calls": calls.calls,
    "first calls": calls.first_calls,
    "power": power.power,
    "first power": power.first_power,
}
#: Those that nobody looks on at: what they look at themselves is the file that the last one to close leaves.
_UNWATCHED = frozenset(("first calls", "power", "first power"))
#: Publishes of one event at most, and those before and after all events.
_EACH, _BESIDES = 4, 4
#: Commits for a loop that goes on until it has met each call.
_MANY = 4000


def run(job: Job, folder: Path) -> Outcome:
    """Run a job, and tell what came of it."""
    seed = random.SystemRandom().randrange(2**32)
    place = Place(f"sqlite:///{folder}/store/store.db") if job.place is None else Place(**json.loads(job.place))
    (folder / "store").mkdir()
    commits = _MANY if job.events is None else job.events * _EACH + _BESIDES
    pipeline = Pipeline.make(folder, place, commits)
    broken = int if job.canary is None else CANARIES[job.canary]
    loop = _LOOPS[job.loop]
    if job.administrator is not None:
        loop = partial(loop, administrator=job.administrator)
    started = time.monotonic()
    scene = Scene(pipeline, random.Random(seed), broken, job.seconds)
    violation = None
    try:
        with nullcontext() if job.loop in _UNWATCHED else scene.watched():
            loop(scene, job.events)
    except ViolationError as error:
        violation = str(error)
    return Outcome(
        violation=violation,
        seed=seed,
        seconds=time.monotonic() - started,
        cut=scene.cut,
        counts=dict(sorted(scene.counts.items())),
    )


def main(folder: Path) -> None:
    """Run the jobs, each in a folder of its own."""
    told: list[dict[str, Any]] = json.load(sys.stdin)
    load()
    spared = 0.0
    for job in (Job(**one) for one in told):
        with tempfile.TemporaryDirectory(dir=folder) as own:
            outcome = run(replace(job, seconds=job.seconds + spared), Path(own))
        spared = max(0.0, spared + job.seconds - outcome.seconds)
        print(json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
