"""Publishers that are broken on purpose, each in one way in which a store can be written wrongly.

Each takes the place of the sound store in the process of one publisher. A loop that lets its canary live would also let
such a mistake of ours live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import delete, event, update

import opsmail.store.sqlite as module
from opsmail.store import tables
from opsmail.store.interface import Head, OutcomeUnknown
from opsmail.store.sql import SqlStore
from opsmail.store.sql_backend import SqlBackend


class HeadFirst(SqlStore):
    """Moves the head first, and writes what it stands for afterwards."""

    _later: Mapping[str, bytes] = {}

    def write_missing(self, blobs: Mapping[str, bytes]) -> int:
        *_, envelope = blobs  # what the head has to name is the last
        self._later = blobs
        return super().write_missing({envelope: blobs[envelope]})

    def swap_head(self, *arguments: Any, **more: Any) -> Head:
        head = super().swap_head(*arguments, **more)
        super().write_missing(self._later)
        return head


class NoTransaction(SqlStore):
    """Each statement for itself."""

    def __init__(self, backend: SqlBackend) -> None:
        event.remove(backend.writer, "begin", module._begin)
        super().__init__(backend)


class NoComparison(SqlStore):
    """Whoever comes last wins: what others have published meanwhile is put back to what the plan was made from."""

    def _change(self, expected: Head, *arguments: Any, **more: Any) -> Head:
        generations, events, heads = tables.generations, tables.events, tables.heads
        with self._backend.writing() as connection:
            connection.execute(delete(generations).where(generations.c.number > expected.number))
            connection.execute(delete(events).where(events.c.sequence > expected.events))
            connection.execute(
                update(heads),
                {
                    "number": expected.number,
                    "digest": expected.digest,
                    "events": expected.events,
                    "last_hash": expected.last_hash,
                },
            )
        return super()._change(expected, *arguments, **more)


class BlindRetry(SqlStore):
    """Tries again when it does not know what came of the first time."""

    def swap_head(self, expected: Head, **more: Any) -> Head:
        try:
            return super().swap_head(expected, **more)
        except OutcomeUnknown:
            head = self.head(expected.environment)
            return super().swap_head(head, **{**more, "number": head.number + 1})


class NoSync(SqlStore):
    """`synchronous=OFF`: an acknowledged commit is in the system's memory, and on the disk some day."""

    def __init__(self, backend: SqlBackend) -> None:
        for engine in (backend.reader, backend.writer):
            event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        super().__init__(backend)


def _in_place_of(store: type[SqlStore]) -> Callable[[], None]:
    def take_place() -> None:
        module.SqlStore = store  # type: ignore[attr-defined]  # in this process only

    return take_place


#: Name to what makes the present process such a publisher.
CANARIES: Mapping[str, Callable[[], None]] = {
    "head-first": _in_place_of(HeadFirst),
    "no-transaction": _in_place_of(NoTransaction),
    "no-comparison": _in_place_of(NoComparison),
    "blind-retry": _in_place_of(BlindRetry),
    "no-sync": _in_place_of(NoSync),
}
