"""The keys of a store below their prefix, and transactions over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from opsmail.messages import msg
from opsmail.store import etcd_operations as operations
from opsmail.store import etcd_records as records
from opsmail.store.etcd_gateway import Gateway, Unanswered
from opsmail.store.etcd_operations import Done, Pair
from opsmail.store.interface import PAGE

#: Values that one request reads or writes.
PORTION = 64


@dataclass(frozen=True, slots=True)
class Keys:
    """What is asked of etcd.

    Args:
        gateway: answers.
        location: where it is, without a password.
        prefix: of all keys.
    """

    gateway: Gateway
    location: str
    prefix: str

    def close(self) -> None:
        """Give back the connections."""
        self.gateway.close()

    def key(self, *parts: str) -> str:
        """Return a key by its parts below the prefix."""
        return "/".join((self.prefix, *parts))

    def numbered(self, kind: str, environment: str, number: int) -> str:
        """Return the key of a generation or an event."""
        return self.key(kind, environment, records.numbered(number))

    def names(self, folder: str, start: str = "") -> Iterator[str]:
        """Yield the last parts of a folder's keys from `start` on, in order."""
        path = self.key(folder)
        key = f"{path}/{start}"
        while True:
            (pairs,) = self.read([operations.names(path, key, PAGE)])
            yield from (found.rpartition("/")[2] for found, _ in pairs)
            if len(pairs) < PAGE:
                return
            key = f"{pairs[-1][0]}\0"

    def rows(self, kind: str, environment: str, first: int, limit: int) -> Iterator[tuple[int | None, bytes]]:
        """Yield numbers from `first` with their values, in portions: each may be of full size."""
        folder = self.key(kind, environment)
        start = self.numbered(kind, environment, first)
        while limit > 0:
            (pairs,) = self.read([operations.page(folder, start, min(limit, PORTION))])
            yield from ((records.number(key), value) for key, value in pairs)
            if len(pairs) < min(limit, PORTION):
                return
            limit -= len(pairs)
            start = f"{pairs[-1][0]}\0"

    def read(self, reads: Sequence[dict[str, Any]]) -> list[list[Pair]]:
        """Return what each of these operations has read, all at one time."""
        done = self.transaction([], reads)
        if not done.succeeded:
            raise self._not_etcd()
        return done.answers

    def transaction(
        self,
        compare: Sequence[dict[str, Any]],
        success: Sequence[dict[str, Any]],
        otherwise: Sequence[dict[str, Any]] = (),
    ) -> Done:
        """Do one of two lists of operations, by whether the comparisons hold.

        Raises:
            Unanswered: whether it was done is not known.
            StoreUnavailable: nothing was done.
        """
        answer = self.gateway.ask("/kv/txn", {"compare": compare, "success": success, "failure": otherwise})
        try:
            done = operations.done(answer)
        except (ValueError, TypeError, AttributeError, KeyError):
            raise self._not_etcd() from None
        if len(done.answers) != len(success if done.succeeded else otherwise):
            raise self._not_etcd()
        return done

    def _not_etcd(self) -> Unanswered:
        return Unanswered.because(self.location, msg("it does not answer as etcd does"))
