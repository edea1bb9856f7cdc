"""The store in etcd: one key for each value, below a prefix.

    PREFIX/store                          version, id and epoch
    PREFIX/sweeps                         how often blobs were taken away; none for never
    PREFIX/blobs/DIGEST                   content
    PREFIX/heads/ENVIRONMENT              number, digest, events, last hash
    PREFIX/generations/ENVIRONMENT/…      by number: digest
    PREFIX/events/ENVIRONMENT/…           by sequence: hash and payload

A change is one transaction that compares the head with what was expected and is on the disks of most members before it
is acknowledged; what is read comes from a majority, too, unless the cluster was told otherwise
(https://etcd.io/docs/v3.5/learning/api_guarantees/). etcd's own history is never needed: compaction removes it.

A transaction takes 128 operations and 1.5 MiB (https://etcd.io/docs/v3.5/dev-guide/limit/, `--max-txn-ops`): blobs are
written in portions, and a change whose events are more is refused.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.store import bounds
from opsmail.store import etcd_heads as heads
from opsmail.store import etcd_operations as operations
from opsmail.store import etcd_records as records
from opsmail.store.consistency import (
    checked_events,
    damaged,
    following,
    require_standing,
    swept_once,
)
from opsmail.store.etcd_change import LARGEST_REQUEST, Change, swept_so_often
from opsmail.store.etcd_gateway import Gateway, Unanswered
from opsmail.store.etcd_keys import PORTION, Keys
from opsmail.store.failures import missing
from opsmail.store.interface import (
    NOBODY,
    PAGE,
    SWEEP_PAUSE,
    Event,
    Head,
    HeadMoved,
    Identity,
    MissingBlobs,
    OutcomeUnknown,
    StoreUnavailable,
)
from opsmail.store.portions import portions
from opsmail.store.server import Access, Server

_PORT = 2379
#: Blobs that one transaction takes away.
_SWEPT = 100


def open_etcd(
    url: str, *, read_only: bool = False, create: bool = False, root: Path | None = None, access: Access
) -> EtcdStore:
    """Open the store in an etcd.

    Args:
        url: `etcd://user@host:2379/prefix`.
        read_only: refuse every change.
        create: make the store where there is none.
        root: of no meaning here.
        access: password, and authority of the server's certificate.

    Raises:
        UsageError: `url` names no prefix, or no safe way to an etcd.
        StoreUnavailable: or one of its children, by what is wrong with it.
    """
    server = Server.parse(url, access, port=_PORT, sockets=False)
    if not server.name.strip("/"):
        raise UsageError(
            msg("the store's URL names no prefix, below which its keys would be"),
            hint=msg("write for example `etcd://opsmail@etcd.empresa.com.br/opsmail`"),
        )
    store = EtcdStore(
        Keys(Gateway(server, access.password), str(server), server.name.strip("/")), writable=not read_only
    )
    try:
        store.find(create=create and not read_only)
    except BaseException:  # Ctrl-C too: nothing stays open
        store.close()
        raise
    return store


class EtcdStore:
    """A `Store` in etcd.

    Args:
        keys: what is asked.
        writable: False refuses every change.
    """

    def __init__(self, keys: Keys, *, writable: bool) -> None:
        self._keys = keys
        self._writable = writable

    @property
    def location(self) -> str:
        """Where it is, without any password."""
        return self._keys.location

    def find(self, *, create: bool) -> None:
        """Look whether there is a store, and make one where there is none.

        Raises:
            StoreMissing: there is none, and none is to be made.
        """
        key = self._keys.key("store")
        if create:
            made = records.store_record(Identity(secrets.token_hex(16), 1))
            self._keys.transaction([operations.absent(key)], [operations.put(key, made)])
        (found,) = self._keys.read([operations.get(key)])
        if not found:
            raise missing(self.location)
        heads.identity(self.location, found)

    def identity(self) -> Identity:
        """Return which store this is, read anew."""
        return heads.identity(self.location, *self._keys.read([operations.get(self._keys.key("store"))]))

    def head(self, environment: str) -> Head:
        """Return where `environment` stands; one transaction of five reads."""
        answers = self._keys.read(heads.reads(self._keys, bounds.environment_name(environment)))
        return heads.head(self.location, environment, answers)

    def stands_at(self, environment: str, digest: str) -> bool:
        """Tell whether the generation with `digest` is still the published one; one read."""
        compared, key = bounds.digest(digest), self._keys.key("heads", bounds.environment_name(environment))
        (found,) = self._keys.read([operations.get(key)])
        return any(records.parsed(value).get("digest") == compared for _, value in found)

    def read(self, digests: Collection[str]) -> dict[str, bytes]:
        """Return the blobs of `digests`, each compared with its digest; a request for 64."""
        wanted = list(dict.fromkeys(bounds.digest(digest) for digest in digests))
        found: dict[str, bytes] = {}
        for portion in portions(wanted, PORTION):
            answers = self._keys.read([operations.get(self._keys.key("blobs", digest)) for digest in portion])
            for digest, pairs in zip(portion, answers, strict=True):
                for _, content in pairs:
                    if hashlib.sha256(content).hexdigest() != digest:
                        raise damaged(self.location, msg("blob {digest} has another content", digest=digest))
                    found[digest] = content
        if len(found) < len(wanted):
            raise MissingBlobs(self.location, set(wanted) - found.keys())
        return found

    def write_missing(self, blobs: Mapping[str, bytes]) -> int:
        """Write those of `blobs` that are not there yet, in portions, and return how many that were."""
        for digest, content in blobs.items():
            bounds.blob(digest, content)
        self._require_writable()
        absent: list[str] = []
        for portion in portions(sorted(blobs), PORTION):
            answers = self._keys.read([operations.exists(self._keys.key("blobs", digest)) for digest in portion])
            absent += [digest for digest, pairs in zip(portion, answers, strict=True) if not pairs]
        # Whoever writes the same blob at the same time writes the same content.
        sizes = {digest: len(blobs[digest]) + 2 * len(self._keys.key("blobs", digest)) for digest in absent}
        for portion in portions(absent, PORTION, sizes.__getitem__, LARGEST_REQUEST):
            self._keys.transaction(
                [], [operations.put(self._keys.key("blobs", digest), blobs[digest]) for digest in portion]
            )
        return len(absent)

    def generation(self, environment: str, number: int) -> str | None:
        """Return the digest of one generation, or None."""
        return self.generations(environment, after=bounds.number(number) - 1, limit=1).get(number)

    def generations(self, environment: str, *, after: int = 0, limit: int = PAGE) -> dict[int, str]:
        """Return number → digest of generations above `after`, in order."""
        rows = self._keys.rows(
            "generations", bounds.environment_name(environment), bounds.number(after, least=0) + 1, bounds.page(limit)
        )
        found: dict[int, str] = {}
        for number, value in rows:
            digest = value.decode("latin-1")
            if not bounds.is_number(number) or not bounds.is_digest(digest):
                raise damaged(
                    self.location,
                    msg("a generation of environment {environment} has no digest", environment=environment),
                )
            found[number] = digest
        return found

    def events(self, environment: str, *, after: int = 0, limit: int = PAGE) -> tuple[Event, ...]:
        """Return events above `after`, in order, each compared with the one before."""
        # One more, the event `after` itself, for its hash.
        first = bounds.number(after, least=0)
        rows = self._keys.rows(
            "events", bounds.environment_name(environment), first or 1, bounds.page(limit) + (first > 0)
        )
        return checked_events(
            self.location,
            [(sequence, value[records.HASH :], value[: records.HASH].decode("latin-1")) for sequence, value in rows],
            first,
        )

    def swap_head(
        self,
        expected: Head,
        *,
        number: int,
        digest: str,
        events: Sequence[bytes],
        operators: Mapping[str, bytes | None] = NOBODY,
    ) -> Head:
        """Publish a generation by compare-and-swap, in one transaction."""
        following = bounds.next_number(number, expected)
        return self._change(expected, following, bounds.digest(digest), events)

    def append_events(self, expected: Head, payloads: Sequence[bytes]) -> Head:
        """Append events that bring no generation, by the same compare-and-swap."""
        return self._change(expected, expected.number, expected.digest, payloads)

    def let_go(self, expected: Head, *, oldest: int, events: Sequence[bytes]) -> Head:
        """Forget the generations below `oldest`, and append events, by the same compare-and-swap."""
        first = bounds.oldest(oldest, expected)
        return self._change(expected, expected.number, expected.digest, events, first)

    def environments(self) -> tuple[str, ...]:
        """Return every environment that has a head."""
        return tuple(self._keys.names("heads"))

    def blobs(self, *, after: str = "", limit: int = PAGE) -> tuple[str, ...]:
        """Return digests behind `after`, in order."""
        start = f"{bounds.digest(after)}\0" if after else ""
        found = tuple(islice(self._keys.names("blobs", start), bounds.page(limit)))
        if not all(map(bounds.is_digest, found)):
            raise damaged(self.location, msg("a blob has no digest"))
        return found

    def sweep(self, expected: Collection[Head], digests: Collection[str]) -> int:
        """Take blobs away, a transaction for a hundred."""
        standing = bounds.heads(expected)
        wanted = sorted(set(map(bounds.digest, digests)))
        self._require_writable()
        swept = 0
        for number, start in enumerate(range(0, len(wanted), _SWEPT)):
            time.sleep(SWEEP_PAUSE if number else 0)
            found, revision = self._standing(standing)
            require_standing(standing, found)
            before = next(iter(standing.values()))
            comparisons = [
                operations.equal(self._keys.key("store"), records.store_record(before.identity)),
                swept_so_often(self._keys, before.sweeps),
                # Of an environment that is not there yet, too.
                operations.none_but(self._keys.key("heads"), revision),
            ]
            counted = operations.put(self._keys.key("sweeps"), records.sweeps_record(before.sweeps + 1))
            deletions = [
                operations.delete(self._keys.key("blobs", digest)) for digest in wanted[start : start + _SWEPT]
            ]
            done = self._keys.transaction(comparisons, [counted, *deletions])
            if not done.succeeded:
                raise HeadMoved(before, self.head(before.environment))
            standing = swept_once(standing)
            swept += done.deleted
        return swept

    def _standing(self, environments: Iterable[str]) -> tuple[dict[str, Head], int]:
        """Return the heads of these and all other environments, and a revision of etcd's from before they were read."""
        done = self._keys.transaction([], [operations.exists(self._keys.key("store"))])
        return {name: self.head(name) for name in {*environments, *self.environments()}}, done.revision

    def raise_epoch(self, expected: Identity) -> Identity:
        """Make the epoch one higher where the store is what is expected, and return what it is from then on."""
        self._require_writable()
        key, higher = self._keys.key("store"), replace(expected, epoch=expected.epoch + 1)
        self._keys.transaction(
            [operations.equal(key, records.store_record(expected))],
            [operations.put(key, records.store_record(higher))],
            [],
        )
        return self.identity()

    def check(self) -> None:
        """Nothing: etcd compares its members by itself, and who may ask about that is an administrator."""
        self.identity()

    def close(self) -> None:
        """Give back the connections."""
        self._keys.close()

    def _change(
        self, expected: Head, number: int, digest: str | None, payloads: Sequence[bytes], oldest: int = 1
    ) -> Head:
        bounds.head(expected)
        bounds.events(payloads)
        self._require_writable()
        events = following(expected, payloads)
        target = replace(expected, number=number, digest=digest, events=events[-1].sequence, last_hash=events[-1].hash)
        change = Change(self._keys, expected, target, events, oldest)
        change.require_fitting()
        reads = heads.reads(self._keys, expected.environment)
        blob = operations.exists(self._keys.key("blobs", str(digest)))
        try:
            done = self._keys.transaction(
                list(change.comparisons()),
                list(change.writes()),
                [*reads, blob],
            )
        except Unanswered as error:
            raise OutcomeUnknown(
                msg(
                    "a change of the store {location} may have happened or not: {reason}",
                    location=self.location,
                    reason=error.message,
                ),
                hint=msg("look at the history before trying again"),
            ) from None
        if done.succeeded:
            return target
        found = heads.head(self.location, expected.environment, done.answers[: len(reads)])
        if found != expected:
            raise HeadMoved(expected, found)
        if not done.answers[-1]:
            raise MissingBlobs(self.location, [str(digest)])
        raise damaged(self.location, msg("something stands where generation {number} would be", number=number))

    def _require_writable(self) -> None:
        if not self._writable:
            raise StoreUnavailable(msg("the store {location} was opened for reading only", location=self.location))
