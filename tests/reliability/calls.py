"""Loops in which each call that writes to the disk is the last one, or is answered with an error."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, product
from pathlib import Path

from tests.conformance.publishing import Place
from tests.reliability.pipeline import Pipeline
from tests.reliability.scene import Scene
from tests.reliability.tracing import CALLS, calls_in, traced, wait_for_tracer

#: What may happen at a call, as strace's `inject` has it: the process dies, the disk is full, the disk fails.
_FAULTS = {"killed": "signal=KILL", "disk full": "error=ENOSPC", "disk failing": "error=EIO"}


def calls(scene: Scene, events: int | None) -> None:
    """Have something happen at each call of a publish; or at as many as `events`, chosen by chance."""
    scene.publish()
    if events is None:
        _each(scene, partial(_met, scene))
    else:
        for point in scene.rounds(_chosen(scene, events)):
            _met(scene, *point)
    scene.publish()


def first_calls(scene: Scene, events: int | None) -> None:
    """Have something happen at each call of a first publish, which makes the store; or at some, chosen by chance."""
    if events is None:
        _each(scene, partial(_met_first, scene))
        return
    with _new(scene) as fresh:
        chosen = _chosen(fresh, events)
    for point in scene.rounds(chosen):
        _met_first(scene, *point)


def _each(scene: Scene, met: Callable[[str, str, int], bool]) -> None:
    """Go from one call to the next until a publish got through untouched: there is no such call any more."""
    for call, fault in product(CALLS, _FAULTS):
        for number in scene.rounds(count(1)):
            if not met(fault, call, number):
                break


def _chosen(scene: Scene, events: int) -> list[tuple[str, str, int]]:
    """Return so many of the calls that an undisturbed publish makes, each with what happens at it."""
    log = scene.pipeline.root.parent / "strace"
    publisher = scene.start(prepare=wait_for_tracer)
    with traced(publisher, log, "-e", f"trace={','.join(CALLS)}"):
        scene.judge(publisher.wait())
    made = Counter(call.name for call in calls_in(log))
    every = [(fault, call, number) for fault in _FAULTS for call in made for number in range(1, made[call] + 1)]
    return scene.chance.sample(every, min(events, len(every)))


def _met(scene: Scene, fault: str, call: str, number: int) -> bool:
    """Publish with a fault at the `number`-th call of a name; tell whether there was such a call."""
    log = scene.pipeline.root.parent / "strace"
    publisher = scene.start(prepare=wait_for_tracer)
    injected = f"inject={call}:{_FAULTS[fault]}:when={number}"
    with traced(publisher, log, "-e", f"trace={call}", "-e", injected):
        ended = publisher.wait()
    met = ended.code < 0 or "(INJECTED)" in log.read_text("ascii")
    scene.counts[fault] += met
    scene.judge(ended)
    return met


def _met_first(scene: Scene, fault: str, call: str, number: int) -> bool:
    """Do so in a first publish, and see that the next one goes well."""
    with _new(scene) as fresh:
        met = _met(fresh, fault, call, number)
        fresh.publish()
    scene.counts.update(fresh.counts)
    return met


@contextmanager
def _new(scene: Scene) -> Iterator[Scene]:
    """Give a scene without a store."""
    with tempfile.TemporaryDirectory(dir=scene.pipeline.root.parent) as folder:
        pipeline = Pipeline.make(Path(folder), Place(f"sqlite:///{folder}/store.db"), 2)
        yield Scene(pipeline, scene.chance, scene.broken)
