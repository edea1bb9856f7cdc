"""What every loop works on: a pipeline, its readers, its witness, and a publisher that may be broken."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from tests.reliability.pipeline import Pipeline
from tests.reliability.publisher import Ended, Publisher, start
from tests.reliability.reader import Reader, reading
from tests.reliability.violation import ViolationError
from tests.reliability.witness import Witness

T = TypeVar("T")


@dataclass
class Scene:
    """One run of a loop.

    Args:
        pipeline: whose store is at stake.
        chance: decides what happens when; a seed repeats what it decides, not what the machine makes of it.
        broken: what makes a publisher a canary, called in its process; for a sound one nothing.
        seconds: after which no further event begins, from the first one on.
        counts: what came of the events.
        readers: those that look on.
    """

    pipeline: Pipeline
    chance: random.Random
    broken: Callable[[], object] = int
    seconds: float = math.inf
    counts: Counter[str] = field(default_factory=Counter)
    readers: list[Reader] = field(default_factory=list)
    #: Whether there were events left when the time was over.
    cut: bool = False
    _deadline: float | None = None
    _version: int = 0
    _noted: int = 0

    def __post_init__(self) -> None:
        self.witness = Witness(self.pipeline)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Have readers look on while the context lasts."""
        with reading(self.pipeline) as readers:
            self.readers = readers
            yield
            self.readers = []
            for reader in readers:
                for name, count in reader.end().items():
                    self.counts[f"reader {name}"] += count

    def rounds(self, wanted: Iterable[T]) -> Iterator[T]:
        """Yield what is wanted, one for each event, until the time is over; the first one in any case."""
        self._deadline = self._deadline or time.monotonic() + self.seconds
        for each in wanted:
            if self.counts["events"] and self.is_late():
                self.cut = True
                return
            self.counts["events"] += 1
            yield each

    def is_late(self) -> bool:
        """Tell whether the time for events is over."""
        return self._deadline is not None and time.monotonic() > self._deadline

    def start(self, *, prepare: Callable[[], object] = int) -> Publisher:
        """Start a publish of the next version.

        Args:
            prepare: what is to happen in its process besides.
        """
        self._version += 1
        self._noted = self._stamp()
        self.witness.expects(self._version)

        def both() -> None:
            self.broken()
            prepare()

        return start(self.pipeline, self._version, prepare=both)

    def publish(self) -> Ended:
        """Publish the next version undisturbed.

        Raises:
            ViolationError: it does not go well: something was left in the way.
        """
        ended = self.start().wait()
        self.judge(ended)
        if not ended.succeeded:
            raise ViolationError(f"an undisturbed publish ended with {ended.code}: {ended.said}")
        return ended

    def judge(self, *ended: Ended) -> None:
        """See what has become of the store, and count what came of the publishers.

        Raises:
            ViolationError: the store, or a reader, saw what must not be.
        """
        self.witness.judge(ended)
        if any(reader.has_ended() for reader in self.readers):
            for reader in self.readers:
                reader.end()
        for each in ended:
            landed = self.witness.has(each.version)
            self.counts["acknowledged"] += each.succeeded
            self.counts["landed without a word"] += landed and not each.succeeded
            self.counts["not published"] += not landed

    def wait_for_writing(self, publisher: Publisher) -> bool:
        """Return once a publisher is about to write, or has ended; tell whether it writes."""
        while not self.has_left_a_note():
            if publisher.has_ended():
                return False
            time.sleep(0.0005)  # nothing tells when somebody else's file appears
        return True

    def has_left_a_note(self) -> bool:
        """Tell whether the last publisher that was started has noted its attempt, and not yet that it ended."""
        return self._stamp() not in (0, self._noted)

    def _stamp(self) -> int:
        """Return when the note of an attempt was written; 0 where there is none."""
        try:
            return self.pipeline.note.stat().st_mtime_ns
        except FileNotFoundError:
            return 0
