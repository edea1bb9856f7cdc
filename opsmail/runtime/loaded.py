"""A generation in memory: verified whole before it takes the place of the one before, and never an older one."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from opsmail.errors import RefusedError
from opsmail.messages import Message, msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import Role
from opsmail.providers import load_providers
from opsmail.runtime.endings import Ending, endings
from opsmail.store.generation import Blobs, Generation, Published, Verify, read_newest
from opsmail.store.interface import Head, StoreDamaged
from opsmail.store.manifest import bucket_of


class StoreReplacedError(RefusedError):
    """The store is another one than before, or went back to an older generation."""


@dataclass(frozen=True)
class Loaded:
    """A generation with everything it consists of.

    Args:
        published: its facts and manifest.
        blobs: all that was read of it, by digest: what a snapshot needs.
        master: the master's id; None without one.
        master_proven: whether it went live by a gate that wanted a test send, and not past it.
        time: when it was published, in seconds since the epoch.
    """

    published: Published
    blobs: Mapping[str, bytes]
    master: str | None
    master_proven: bool
    time: float

    @classmethod
    def read(cls, source: Blobs, head: Head, verify: Verify, known: Mapping[str, bytes]) -> Self:
        """Read the generation that `head` stands at.

        Args:
            source: a store or a snapshot.
            head: after a first publish.
            verify: judges the signature.
            known: blobs that need not be read again, by digest.

        Raises:
            OpsmailError: it is not there whole, or not as it was signed.
        """
        blobs = _Remembered(source, known)
        published = read_newest(blobs, head, verify)
        documents = blobs.read(set(published.manifest.values()))
        masters = (name for name, digest in published.manifest.items() if _is_master(documents[digest], name))
        master = next(masters, None)
        generation = published.generation
        time = 0.0 if generation is None else generation.moment().timestamp()
        return cls(published, blobs.used, master, _went_through_the_gate(blobs, generation, master), time)

    @property
    def head(self) -> Head:
        """Where the environment stands with it."""
        return self.published.head

    @cached_property
    def endings(self) -> tuple[Ending, ...]:
        """What ends of the operators, the soonest first."""
        documents = {name: self.blobs[digest] for name, digest in self.published.manifest.items()}
        return endings(documents, load_providers())

    def operator(self, name: str) -> EffectiveOperator | None:
        """Return an operator, None where it is not published."""
        digest = self.published.manifest.get(name)
        return None if digest is None else _parse(self.blobs[digest], name)


def require_forward(current: Head, head: Head) -> None:
    """Refuse a store that was exchanged or set back; a rollback by opsmail has a higher number.

    Raises:
        StoreReplacedError: `head` is of another store, older than `current`, or another one of the same number.
    """
    if head.identity.store != current.identity.store:
        raise _replaced(
            msg(
                "this is the store {found}, before it was {known}",
                found=head.identity.store,
                known=current.identity.store,
            )
        )
    stood, stands = (current.identity.epoch, current.number), (head.identity.epoch, head.number)
    if stands < stood or (stands == stood and head.digest != current.digest):
        raise _replaced(
            msg(
                "the store went back: it has generation {found} of epoch {epoch}, in use is generation {number}",
                found=head.number,
                epoch=head.identity.epoch,
                number=current.number,
            )
        )


def _replaced(message: Message) -> StoreReplacedError:
    hint = msg("if it was replaced or restored on purpose, delete the snapshot and start this program anew")
    return StoreReplacedError(message, hint=hint)


class _Remembered:
    """Reads what is known already from memory and the rest from the source, and remembers all that was read."""

    def __init__(self, source: Blobs, known: Mapping[str, bytes]) -> None:
        self._source = source
        self._known = known
        self.used: dict[str, bytes] = {}

    @property
    def location(self) -> str:
        return self._source.location

    def read(self, digests: Collection[str]) -> dict[str, bytes]:
        found = {digest: self._known[digest] for digest in digests if digest in self._known}
        missing = [digest for digest in digests if digest not in found]
        if missing:
            found |= self._source.read(missing)
        self.used |= found
        return found


def _parse(content: bytes, name: str) -> EffectiveOperator:
    try:
        return EffectiveOperator.parse(content)
    except ValueError as error:
        raise StoreDamaged(
            msg("the published settings of `{name}` cannot be read: {reason}", name=name, reason=error),
            hint=msg("use the same or a newer opsmail here than the one that published"),
        ) from error


def _went_through_the_gate(blobs: Blobs, generation: Generation | None, master: str | None) -> bool:
    if generation is None or master is None or "test-send" not in generation.required:
        return False
    bucket = generation.marks.get(bucket_of(master, generation.marks))
    try:
        marks = {} if bucket is None else json.loads(blobs.read([bucket])[bucket])
        return all(mark["kind"] != "break-glass" for mark in marks.get(master, ()))
    except (ValueError, LookupError, TypeError, AttributeError):
        # Marks in a form that is not known here prove nothing.
        return False


def _is_master(content: bytes, name: str) -> bool:
    # Parsing all 10,000 documents takes seconds; most of them cannot be the master's, and their bytes tell.
    return b'"role":"master"' in content and _parse(content, name).operator.role is Role.MASTER
