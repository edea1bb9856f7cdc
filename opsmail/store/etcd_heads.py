"""Where an environment stands in etcd: what is asked, and what the answers say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opsmail.store import etcd_operations as operations
from opsmail.store import etcd_records as records
from opsmail.store.consistency import checked_head, checked_identity, checked_sweeps
from opsmail.store.etcd_keys import Keys
from opsmail.store.etcd_operations import Pair
from opsmail.store.interface import Head, Identity


def reads(keys: Keys, environment: str) -> list[dict[str, Any]]:
    """Return the questions of which `head` takes the answers: five, for one transaction."""
    return [
        operations.get(keys.key("store")),
        operations.get(keys.key("sweeps")),
        operations.get(keys.key("heads", environment)),
        operations.last(keys.key("generations", environment)),
        operations.last(keys.key("events", environment)),
    ]


def head(location: str, environment: str, answers: Sequence[Sequence[Pair]]) -> Head:
    """Return the head that answers tell, when all of them fit together.

    Raises:
        StoreDamaged: they do not.
    """
    store, swept, heads, generations, events = answers
    found = identity(location, store)
    sweeps = checked_sweeps(location, records.sweeps(swept))
    if not heads and not generations and not events:
        return Head(found, environment, sweeps=sweeps)
    told: Mapping[str, Any] = records.parsed(heads[0][1]) if heads else {}
    number, digest, sequence, last_hash = (told.get(name) for name in records.HEAD)
    judged = Head(found, environment, number, digest, sequence, last_hash, sweeps)  # type: ignore[arg-type]  # judged next
    return checked_head(location, judged, records.newest(generations), records.newest(events))


def identity(location: str, pairs: Sequence[Pair]) -> Identity:
    """Return which store an answer tells.

    Raises:
        StoreDamaged: it tells none.
    """
    told = records.parsed(pairs[0][1]) if pairs else {}
    return checked_identity(location, *(told.get(name) for name in ("version", "store", "epoch")))
