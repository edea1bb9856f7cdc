"""A change of a head as one transaction of etcd's: what has to hold, and what is written then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from opsmail.messages import msg
from opsmail.store import etcd_operations as operations
from opsmail.store import etcd_records as records
from opsmail.store.etcd_keys import Keys
from opsmail.store.interface import Event, Head, InvalidValue

#: Bytes that one request writes, keys included, with room for what goes around them.
LARGEST_REQUEST = 1400 * 1024
#: Events that one change appends; the head and the generation are operations as well.
_MOST_EVENTS = 120


class Change(NamedTuple):
    """One change.

    Args:
        keys: where values stand.
        expected: the head before it.
        target: the head after it.
        events: that it appends.
        oldest: the first generation that is kept; those below are forgotten.
    """

    keys: Keys
    expected: Head
    target: Head
    events: Sequence[Event]
    oldest: int

    def require_fitting(self) -> None:
        """Raise where it takes more than one transaction, before anything is asked.

        Raises:
            InvalidValue: it does.
        """
        size = sum(len(event.payload) + 4 * records.HASH for event in self.events)
        if len(self.events) > _MOST_EVENTS or size > LARGEST_REQUEST:
            raise InvalidValue(
                msg(
                    "a change of a store in etcd brings at most {most} events and {size} bytes",
                    most=_MOST_EVENTS,
                    size=LARGEST_REQUEST,
                )
            )

    def comparisons(self) -> Iterator[dict[str, Any]]:
        """What has to hold: the store and the head are as expected, and nothing stands in the way."""
        keys, expected, environment = self.keys, self.expected, self.expected.environment
        head = keys.key("heads", environment)
        yield operations.equal(keys.key("store"), records.store_record(expected.identity))
        yield swept_so_often(keys, expected.sweeps)
        yield operations.absent(head) if expected.is_unused else operations.equal(head, records.head_record(expected))
        yield operations.absent(keys.numbered("events", environment, expected.events + 1))
        if self._is_publish:
            yield operations.absent(keys.numbered("generations", environment, self.target.number))
            yield operations.present(keys.key("blobs", str(self.target.digest)))

    def writes(self) -> Iterator[dict[str, Any]]:
        """What is written when all of that holds."""
        keys, target, environment = self.keys, self.target, self.expected.environment
        if self.oldest > 1:
            below = keys.numbered("generations", environment, self.oldest)
            yield operations.delete_below(keys.key("generations", environment), below)
        yield operations.put(keys.key("heads", environment), records.head_record(target))
        if self._is_publish:
            yield operations.put(keys.numbered("generations", environment, target.number), str(target.digest).encode())
        for event in self.events:
            key = keys.numbered("events", environment, event.sequence)
            yield operations.put(key, event.hash.encode() + event.payload)

    @property
    def _is_publish(self) -> bool:
        return self.target.number > self.expected.number


def swept_so_often(keys: Keys, sweeps: int) -> dict[str, Any]:
    """Compare: blobs were taken away so often."""
    key = keys.key("sweeps")
    return operations.equal(key, records.sweeps_record(sweeps)) if sweeps else operations.absent(key)
