"""The loop that cuts the power: after each call of a publish, the store as the disk may have it."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conformance.publishing import Place
from tests.reliability.disk import Disk, said_in
from tests.reliability.publisher import Ended
from tests.reliability.scene import Scene
from tests.reliability.tracing import CALLS, calls_in, traced, wait_for_tracer
from tests.reliability.witness import Witness

#: Of each moment, the states in which some of what was not synchronised is there.
_VARIANTS = 4
#: Of each publish, the states that are judged however slow the machine is.
_LEAST = 12


def power(scene: Scene, events: int) -> None:
    """Record so many publishes, and cut the power after each of their calls.

    Nobody reads meanwhile: readers keep the log from being brought into the file.
    """
    scene.publish()
    for _ in scene.rounds(range(events)):
        _replay(scene)


def first_power(scene: Scene, events: int) -> None:
    """Record a first publish, which makes the store, and cut the power after each of its calls."""
    for _ in scene.rounds(range(min(events, 1))):
        _replay(scene)


def _replay(scene: Scene) -> None:
    disk, before = Disk(scene.pipeline.root.parent / "store"), scene.witness.with_store(scene.pipeline.place)
    log = scene.pipeline.root.parent / "strace"
    publisher = scene.start(prepare=wait_for_tracer)
    with traced(publisher, log, "-e", f"trace={','.join(CALLS)}"):
        ended = publisher.wait()
    scene.judge(ended)
    before.expects(ended.version)
    states, said = [], ""
    for call in calls_in(log):
        told = said_in(call)
        said += told
        if disk.take(call) or told:
            scene.counts["moments"] += 1
            states += [(files, said) for files in disk.after_power_cut(scene.chance, _VARIANTS)]
    # In any order: where the time does not do for all of them, it does for some of each kind.
    scene.chance.shuffle(states)
    for number, (files, heard) in enumerate(states):
        if number >= _LEAST and scene.is_late():
            return
        scene.counts["states"] += 1
        _judge(scene, before, files, Ended(ended.version, -signal.SIGKILL, heard))


def _judge(scene: Scene, before: Witness, files: Mapping[str, bytes], ended: Ended) -> None:
    """Judge what is left as the one who starts the machine again."""
    with TemporaryDirectory(dir=scene.pipeline.root.parent) as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        witness = before.with_store(Place(f"sqlite:///{folder}/store.db"))
        witness.judge([ended])
        scene.counts["states with the new generation"] += witness.has(ended.version)
