"""What stands in etcd's keys and values. Records are compared as bytes, so there is one way to write them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from opsmail.store.consistency import VERSION
from opsmail.store.etcd_operations import Pair
from opsmail.store.interface import Head, Identity

#: Characters of a hash, before an event's payload.
HASH = 64
#: The fields of a head.
HEAD = ("number", "digest", "events", "last_hash")


def newest(pairs: Sequence[Pair]) -> tuple[int | None, str | None]:
    """Return the number and the digest or hash of the only one of `pairs`; None for each where there is none."""
    for key, value in pairs:
        return number(key), value[:HASH].decode("latin-1")
    return None, None


def store_record(identity: Identity) -> bytes:
    """Return what tells which store this is."""
    return _written({"version": VERSION, "store": identity.store, "epoch": identity.epoch})


def head_record(head: Head) -> bytes:
    """Return what tells where an environment stands."""
    return _written({name: getattr(head, name) for name in HEAD})


def sweeps_record(sweeps: int) -> bytes:
    """Return what tells how often blobs were taken away."""
    return numbered(sweeps).encode("ascii")


def sweeps(pairs: Sequence[Pair]) -> int | None:
    """Return what that record says; 0 where there is none, None where it is no number."""
    return number(pairs[0][1].decode("latin-1")) if pairs else 0


def _written(record: Mapping[str, object]) -> bytes:
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode("ascii")


def parsed(value: bytes) -> Mapping[str, Any]:
    """Return what a record says; nothing where it is none, which whoever looks at its fields will find."""
    try:
        record = json.loads(value)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def numbered(number: int) -> str:
    """Return a number as the last part of a key: all of one length, so that keys are in the order of numbers."""
    return f"{number:019d}"


def number(key: str) -> int | None:
    """Return the number that is the last part of a key; None where there is none."""
    last = key.rpartition("/")[2]
    return int(last) if len(last) == len(numbered(0)) and last.isascii() and last.isdigit() else None
