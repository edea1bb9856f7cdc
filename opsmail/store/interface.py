"""The port of a store: its values, what it does, and how it fails.

A store is a small version control system without branches:

- **blobs**: immutable bytes named by their SHA-256 (operator documents, manifest buckets, evidence, generations);
- **generations**: per environment a numbered list; each is the digest of one blob, the signed generation;
- **the head**: the newest generation of an environment and the end of its event log, moved only by compare-and-swap;
- **events**: per environment an append-only log in which each entry's hash covers the one before.

Writing blobs has no effect that a reader could see; what a reader sees changes in the one transaction of `swap_head`.
A publisher that dies before it leaves unused blobs, and nothing else; `sweep` takes them away. Each time it does, the
store counts on, and a change that was made before is refused: what it found written may not be there any more.

Digests are bare lower-case hexadecimal SHA-256 (64 characters) everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from opsmail.errors import RefusedError, UnavailableError
from opsmail.messages import Message, msg
from opsmail.values import dataclass

#: What the first event of a log follows.
NO_EVENT = "0" * 64
#: No operator changes.
NOBODY: Mapping[str, bytes | None] = MappingProxyType({})
#: How many events, generations or blobs one call returns unless told otherwise.
PAGE = 500
#: Seconds between two portions of a sweep: room for a publisher that has to write anew what the one before took away.
SWEEP_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Identity:
    """Which store this is.

    Args:
        store: 32 hexadecimal characters, random, made with the store.
        epoch: counts how often the store was adopted after it came back from a backup; from 1.
    """

    store: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Head:
    """Where an environment stands; what a plan is made against and a swap compares with.

    Args:
        identity: the store it was read from.
        environment: its name.
        number: the published generation, from 1; 0 before the first one.
        digest: the blob of that generation; None before the first one.
        events: how many events the log holds, which is the sequence number of the last.
        last_hash: the hash of the last event; `NO_EVENT` for an empty log.
        sweeps: how often blobs were taken away from the store.
    """

    identity: Identity
    environment: str
    number: int = 0
    digest: str | None = None
    events: int = 0
    last_hash: str = NO_EVENT
    sweeps: int = 0

    @property
    def is_unused(self) -> bool:
        """Whether nothing was ever written for the environment."""
        return self == Head(self.identity, self.environment, sweeps=self.sweeps)


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log.

    Args:
        sequence: from 1, without gaps.
        payload: RFC 8785 canonical JSON, an object.
        hash: SHA-256 of the previous event's hash (32 bytes) and the payload.
    """

    sequence: int
    payload: bytes
    hash: str


def next_hash(previous: str, payload: bytes) -> str:
    """Return the hash of the event with `payload` that follows the event with the hash `previous`."""
    return hashlib.sha256(bytes.fromhex(previous) + payload).hexdigest()


class Store(Protocol):
    """What every backend does, alike; `tests/conformance/store.py` holds each of them to it.

    Every method may raise `StoreUnavailable` or one of its children, and `InvalidValue` for an argument out of bounds.
    Instances may be used by several threads at once.
    """

    @property
    def location(self) -> str:
        """Where it is, without any password: safe to show."""
        ...

    def identity(self) -> Identity:
        """Return which store this is, read anew."""
        ...

    def head(self, environment: str) -> Head:
        """Return where `environment` stands, in one round trip; number 0 where nothing was published."""
        ...

    def stands_at(self, environment: str, digest: str) -> bool:
        """Tell whether the generation with `digest` is still the published one: the least that can be asked.

        For who polls, with a generation that was read and verified. Its digest stands for the store, epoch and number
        that are signed in it, so nothing else is looked at; where there is another one, `head` says what it is.
        """
        ...

    def read(self, digests: Collection[str]) -> dict[str, bytes]:
        """Return the blobs of `digests`, each compared with its digest, in few statements.

        Raises:
            MissingBlobs: naming all that are not there.
            StoreDamaged: a blob does not have its digest.
        """
        ...

    def write_missing(self, blobs: Mapping[str, bytes]) -> int:
        """Write those of `blobs` (digest to content) that are not there yet, and return how many that were.

        May be repeated, also after an unknown outcome.
        """
        ...

    def generation(self, environment: str, number: int) -> str | None:
        """Return the digest of one generation, or None where it does not exist (yet).

        After `OutcomeUnknown` it tells whether the swap happened: its digest is there, or it is not.
        """
        ...

    def generations(self, environment: str, *, after: int = 0, limit: int = PAGE) -> dict[int, str]:
        """Return number → digest of at most `limit` generations with numbers above `after`, in order."""
        ...

    def events(self, environment: str, *, after: int = 0, limit: int = PAGE) -> tuple[Event, ...]:
        """Return at most `limit` events with sequence numbers above `after`, in order.

        Raises:
            StoreDamaged: one of them does not follow from the one before, or one is missing between them.
        """
        ...

    def swap_head(
        self,
        expected: Head,
        *,
        number: int,
        digest: str,
        events: Sequence[bytes],
        operators: Mapping[str, bytes | None] = NOBODY,
    ) -> Head:
        """Publish a generation, in one transaction: the head moves from `expected`, all of it or nothing.

        Args:
            expected: the head that the generation was made from.
            number: `expected.number + 1`; anything else is refused.
            digest: the signed generation, already written as a blob.
            events: at least one payload (see `Event`) to append.
            operators: id to published document of each operator that comes or changes, None for one that goes. SQL
                databases keep a table of them for whoever speaks only SQL; other stores have no use for it.

        Raises:
            HeadMoved: the environment no longer stands at `expected`; nothing was changed.
            MissingBlobs: `digest` was not written.
            OutcomeUnknown: the commit was not acknowledged; ask `generation` before anything else.
        """
        ...

    def append_events(self, expected: Head, payloads: Sequence[bytes]) -> Head:
        """Append events that bring no generation (a refused publish, fresh evidence), in one transaction.

        Raises:
            HeadMoved: the environment no longer stands at `expected`; nothing was changed.
            OutcomeUnknown: the commit was not acknowledged; compare `events` after `expected.events`.
        """
        ...

    def let_go(self, expected: Head, *, oldest: int, events: Sequence[bytes]) -> Head:
        """Forget the generations below `oldest` and append events, in one transaction; their blobs stay.

        Args:
            expected: the head that `oldest` was chosen by.
            oldest: the first generation that stays, at most `expected.number`.
            events: at least one payload, to tell of it.

        Raises:
            HeadMoved: the environment no longer stands at `expected`; nothing was changed.
            OutcomeUnknown: the commit was not acknowledged; may be tried again from the head as it is then.
        """
        ...

    def environments(self) -> tuple[str, ...]:
        """Return every environment that has a head, in one order."""
        ...

    def blobs(self, *, after: str = "", limit: int = PAGE) -> tuple[str, ...]:
        """Return the digests of at most `limit` blobs, in one order, from the one behind `after` on."""
        ...

    def sweep(self, expected: Collection[Head], digests: Collection[str]) -> int:
        """Take blobs away, in portions, and return how many were there.

        Each portion is a transaction that finds every environment where it is expected, and no other environment; it
        counts `Head.sweeps` on, so that no change of before it can rely on what is gone.

        Args:
            expected: the head of each environment, by which the blobs were found to be of no use.
            digests: which blobs.

        Raises:
            HeadMoved: an environment does not stand where it is expected; portions before may be gone.
        """
        ...

    def raise_epoch(self, expected: Identity) -> Identity:
        """Make the epoch one higher where the store is what is expected, and return what it is from then on.

        Every head is then of an epoch before the store's, which readers refuse, until a generation of this one follows.
        May be repeated, also after an unknown outcome.
        """
        ...

    def check(self) -> None:
        """Have the backend examine its own structures; takes time in proportion to the store.

        Raises:
            StoreDamaged: with what the backend says.
        """
        ...

    def close(self) -> None:
        """Give back what is held open."""
        ...


class StoreUnavailable(UnavailableError):  # noqa: N818 - the word for what happened
    """The store cannot be reached, opened or written."""


class StoreMissing(StoreUnavailable):
    """There is no store at this place yet."""


class StoreBusy(StoreUnavailable, TimeoutError):  # noqa: N818 - the word for what happened
    """Somebody else held the store for longer than we wait."""


class StoreDamaged(StoreUnavailable):
    """The store's content contradicts itself, or is not a store's at all. Nothing is repaired or made anew unasked."""


class StoreNewer(StoreUnavailable):
    """The store was made by a newer opsmail, in a form that this one does not know."""


class OutcomeUnknown(StoreUnavailable):
    """The store failed while it committed: the change may have happened or not. Look before anything is tried again."""


class MissingBlobs(StoreDamaged):
    """Blobs that should be there are not.

    Args:
        location: the store.
        digests: which ones, sorted.
    """

    def __init__(self, location: str, digests: Collection[str]) -> None:
        self.digests = tuple(sorted(digests))
        super().__init__(
            msg(
                "the store {location} lacks {count} of the documents asked for, the first is {digest}",
                location=location,
                count=len(self.digests),
                digest=self.digests[0],
            ),
            hint=msg("publish again, which writes what is missing, or restore the store from a backup"),
        )


class HeadMoved(RefusedError):  # noqa: N818 - the word for what happened
    """Somebody else changed the environment first.

    Args:
        expected: the head that the change was made from.
        found: the head that is there.
    """

    def __init__(self, expected: Head, found: Head) -> None:
        self.expected = expected
        self.found = found
        #: It stands where it was expected; only what was written before may have been swept away, and can be again.
        self.is_only_swept = found == replace(expected, sweeps=found.sweeps)
        hint = msg("make a new plan from the present state and publish that")
        super().__init__(
            _moved(expected, found),
            hint=msg("try again when the collection has ended") if self.is_only_swept else hint,
        )


def _moved(expected: Head, found: Head) -> Message:
    if expected.identity != found.identity:
        return msg(
            "the change to environment {environment} was made for the store {expected}, but this is the store {found} "
            "in epoch {epoch}",
            found=found.identity.store,
            epoch=found.identity.epoch,
            environment=expected.environment,
            expected=expected.identity.store,
        )
    if found == replace(expected, sweeps=found.sweeps):
        return msg(
            "the store was collected while the change to environment {environment} was made",
            environment=expected.environment,
        )
    return msg(
        "environment {environment} has moved on: the change was made from generation {expected} and event "
        "{expected_event}, but the store is at generation {found} and event {found_event}",
        environment=expected.environment,
        expected=expected.number,
        expected_event=expected.events,
        found=found.number,
        found_event=found.events,
    )


class InvalidValue(RefusedError):  # noqa: N818 - the word for what happened
    """A value that must not reach a store, whoever sent it."""
