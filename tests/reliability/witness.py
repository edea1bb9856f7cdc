"""The invariant: what holds in a store after anything that may happen to a publisher."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from typing import Any

from opsmail.errors import OpsmailError
from opsmail.store.audit import audit
from opsmail.store.generation import read_published
from opsmail.store.interface import Store, StoreMissing
from opsmail.store.sql import SqlStore
from tests.conformance.publishing import Place
from tests.reliability.pipeline import ENVIRONMENT, OPERATORS, Pipeline
from tests.reliability.publisher import Ended
from tests.reliability.violation import ViolationError

#: The exit codes of a publish: done, refused, the store unavailable. Everything else is a defect.
_CODES = frozenset((0, 3, 4))


class Witness:
    """Remembers what was tried, what was acknowledged and what was seen, and compares it with the store.

    Args:
        pipeline: whose store.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._tried: set[int] = set()
        #: Version to the generation that its publisher said it is; None where it ended well and could not say so.
        self._acknowledged: dict[int, int | None] = {}
        #: Generation to its digest.
        self._seen: dict[int, str] = {}
        #: Version to its generation, as the store has it.
        self._published: dict[int, int] = {}

    def with_store(self, place: Place) -> Witness:
        """Return another one that knows as much and looks at another store."""
        other = Witness(replace(self._pipeline, place=place))
        other._tried |= self._tried
        other._acknowledged |= self._acknowledged
        other._seen |= self._seen
        other._published |= self._published
        return other

    def has(self, version: int) -> bool:
        """Tell whether a version was published, as far as was seen."""
        return version in self._published

    def expects(self, version: int) -> None:
        """Note that a publish of this version begins."""
        self._tried.add(version)

    def judge(self, ended: Iterable[Ended] = ()) -> None:
        """Look at the store after some publishers have ended.

        Raises:
            ViolationError: naming the first thing that does not hold.
        """
        for each in ended:
            if "Traceback" in each.said or (each.code >= 0 and each.code not in _CODES):
                raise ViolationError(f"a publish ended with {each.code}: {each.said}")
            if each.succeeded:
                self._acknowledged[each.version] = each.acknowledged
        try:
            with closing(self._pipeline.place.open(read_only=True)) as store:
                self._look(store)
        except StoreMissing:
            if self._seen:
                raise ViolationError("the store is gone") from None
        except OpsmailError as error:
            raise ViolationError(f"{type(error).__name__}: {error}") from error
        for version, number in self._acknowledged.items():
            if version not in self._published or number not in (None, self._published[version]):
                raise ViolationError(f"version {version} was acknowledged as generation {number}, and is not there")

    def _look(self, store: Store) -> None:
        # Asked up to the head that was found first: a commit may come into sight while we look.
        head = audit(store, ENVIRONMENT).head
        generations: dict[int, str] = {}
        while len(generations) < head.number:
            generations |= store.generations(ENVIRONMENT, after=len(generations), limit=head.number - len(generations))
        for number, digest in self._seen.items():
            if generations.get(number) != digest:
                raise ViolationError(f"generation {number}, which was there, is another one or gone")
        for number in range(len(self._seen) + 1, head.number + 1):
            self._read(store, number, generations)
        self._events(store, head.events, generations)
        if isinstance(store, SqlStore) and head.number:
            self._rows(store, head.number)

    def _read(self, store: Store, number: int, generations: dict[int, str]) -> None:
        """Read a generation whole, as it was signed, and see that it is one commit's, for the first time."""
        published = read_published(store, ENVIRONMENT, self._pipeline.verify, number)
        generation = published.generation
        if generation is None or generation.parent != generations.get(number - 1):
            raise ViolationError(f"generation {number} does not follow from the one before")
        version = self._pipeline.version_of(generation.commit)
        documents = store.read(published.manifest.values()).values()
        versions = {json.loads(document)["operator"]["labels"]["version"] for document in documents}
        if set(published.manifest) != set(OPERATORS) or versions != {str(version)}:
            raise ViolationError(f"generation {number} is torn: {sorted(published.manifest)} of {versions}")
        if version not in self._tried:
            raise ViolationError(f"generation {number} was published by nobody")
        if version in self._published:
            raise ViolationError(f"version {version} is published twice: {self._published[version]} and {number}")
        self._published[version] = number
        self._seen[number] = generations[number]

    @staticmethod
    def _events(store: Store, count: int, generations: dict[int, str]) -> None:
        """See that the log tells of each generation, of nothing else, and of each publish once."""
        told: list[dict[str, Any]] = []
        after = 0
        while after < count:
            page = store.events(ENVIRONMENT, after=after, limit=min(500, count - after))
            told += [json.loads(event.payload) for event in page]
            after = page[-1].sequence
        publishes = [event for event in told if event["event"] == "publish"]
        if [(event["generation"], event["digest"]) for event in publishes] != list(generations.items()):
            raise ViolationError("the events are not those of the generations")
        if len({event["publish"] for event in publishes}) != len(publishes):
            raise ViolationError("one publish happened twice")

    def _rows(self, store: SqlStore, number: int) -> None:
        """See that the table for SQL is of one generation, no older than the head that was read before."""
        rows = store.operators(ENVIRONMENT)
        versions = {json.loads(row["labels"])["version"] for row in rows.values()}
        numbers = {row["generation"] for row in rows.values()}
        if set(rows) != set(OPERATORS) or len(versions) != 1 or len(numbers) != 1 or max(numbers) < number:
            raise ViolationError(f"the table for SQL is torn: generations {numbers}, versions {versions}")
