"""The reader: one verified generation at a time, and the last known good one when the store does not answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from opsmail.errors import OpsmailError, RefusedError, UnavailableError
from opsmail.evidence.envelope import verify
from opsmail.evidence.keys import TrustedKey
from opsmail.evidence.statement import Kind
from opsmail.mail.tls import TrustStores
from opsmail.messages import msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.runtime.operator import PublishedOperator, SecretCache
from opsmail.runtime.snapshot import SnapshotError, load_snapshot, write_snapshot
from opsmail.secrets import Secrets, open_secrets
from opsmail.store.backends import open_store
from opsmail.store.generation import Blobs, Generation, Published, read_generation
from opsmail.store.interface import Head, Store, StoreDamaged


class OperatorNotPublishedError(OpsmailError, KeyError):
    """There is no such operator in the published settings: never published, or deleted."""


class NoMasterError(OpsmailError):
    """The published settings have no master."""


class NothingPublishedError(UnavailableError):
    """Neither the store nor a snapshot has settings to give."""


class StoreReplacedError(RefusedError):
    """The store is another one than before, or went back to an older generation."""


class State(StrEnum):
    """How current the settings are."""

    CURRENT = "current"
    STALE = "stale"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Health:
    """How the reader is doing.

    Args:
        state: `stale` when the store did not answer the last time, `expired` when that lasts longer than `max_stale`.
        generation: the number in use.
        age: seconds since the store last confirmed it.
        operators: how many are published.
        master: the master's id; None without one.
        problem: what the store said last, None when all is well.
    """

    state: State
    generation: int
    age: float
    operators: int
    master: str | None
    problem: str | None


@dataclass(frozen=True)
class _Loaded:
    """A generation in memory, with the blobs that a snapshot needs."""

    published: Published
    blobs: Mapping[str, bytes]
    master: str | None


class Operators(Mapping[str, PublishedOperator]):
    """The published operators by id. May be used by several threads at once.

    Args:
        source: opens the store; called again after a failure.
        environment: whose settings.
        keys: whose signature a generation must carry.
        snapshot: where the last known good generation is kept; None for nowhere.
        secrets: what resolves the operators' passwords.
        max_stale: seconds without the store after which the state is `expired`; None for never.
        clock: in seconds, monotonic.
    """

    def __init__(
        self,
        source: Callable[[], Store],
        environment: str,
        keys: Sequence[TrustedKey],
        *,
        snapshot: Path | None = None,
        secrets: Secrets | None = None,
        max_stale: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._environment = environment
        self._keys = tuple(keys)
        self._snapshot = snapshot
        self._max_stale = max_stale
        self._clock = clock
        self._trust = TrustStores()
        self._secrets = SecretCache(secrets or open_secrets())
        self._lock = threading.RLock()
        self._store: Store | None = None
        self._problem: OpsmailError | None = None
        self._confirmed = clock()
        self._loaded = self._first()

    @classmethod
    def open(
        cls,
        url: str,
        *,
        environment: str = "default",
        keys: Sequence[str | Path],
        snapshot: str | Path | None = None,
        secrets: Secrets | None = None,
        max_stale: float | None = None,
    ) -> Self:
        """Open the published settings.

        Args:
            url: the store, as in `opsmail.toml`.
            environment: whose settings.
            keys: files with the public keys that may sign generations, kept outside the store.
            snapshot: the file that keeps the last known good settings; None for no snapshot.
            secrets: what resolves passwords; what is installed here when left out.
            max_stale: seconds; see `Operators`.

        Raises:
            NothingPublishedError: the store does not answer or is empty, and there is no snapshot.
            OpsmailError: the store or the snapshot has something that cannot be trusted, or a key cannot be read.
        """
        trusted = [_key(Path(key), environment) for key in keys]
        path = None if snapshot is None else Path(snapshot)
        return cls(
            lambda: open_store(url, read_only=True),
            environment,
            trusted,
            snapshot=path,
            secrets=secrets,
            max_stale=max_stale,
        )

    def __getitem__(self, name: str) -> PublishedOperator:
        loaded = self._loaded
        digest = loaded.published.manifest.get(name)
        if digest is None:
            raise OperatorNotPublishedError(
                msg("the operator `{name}` is not published", name=name),
                hint=msg("check the name; `opsmail history` shows when it was deleted"),
            )
        number = loaded.published.generation.number if loaded.published.generation else 0
        return PublishedOperator(_parse(loaded.blobs[digest], name), number, self._trust, self._secrets)

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded.published.manifest)

    def __len__(self) -> int:
        return len(self._loaded.published.manifest)

    @property
    def master(self) -> PublishedOperator:
        """The operator that the scheduler sends with."""
        name = self._loaded.master
        if name is None:
            raise NoMasterError(msg("the published settings have no master"), hint=msg("publish one with `role: master`"))
        return self[name]

    def refresh(self) -> bool:
        """Ask the store for a newer generation, and return whether there was one.

        When the store does not answer, or has something that cannot be trusted, the settings in use stay, and `health` tells.
        """
        with self._lock:
            try:
                return self._refresh()
            except OpsmailError as error:
                self._problem = error
                self._disconnect()
                return False

    def health(self) -> Health:
        """Return how current the settings are."""
        loaded = self._loaded
        age = self._clock() - self._confirmed
        state = State.CURRENT if self._problem is None else State.STALE
        if self._problem is not None and self._max_stale is not None and age > self._max_stale:
            state = State.EXPIRED
        generation = loaded.published.generation
        return Health(
            state,
            0 if generation is None else generation.number,
            age,
            len(loaded.published.manifest),
            loaded.master,
            None if self._problem is None else str(self._problem),
        )

    def close(self) -> None:
        """Let go of the store; the settings in use stay."""
        with self._lock:
            self._disconnect()

    def _first(self) -> _Loaded:
        kept = self._from_snapshot()
        try:
            store = self._connect()
            head = store.head(self._environment)
            if kept is not None:
                _require_forward(kept.published.head, head)
            if head.digest is not None:
                loaded = self._load(store, head, {} if kept is None else kept.blobs)
                self._keep(loaded)
                return loaded
        except (UnavailableError, RefusedError) as error:
            if kept is None:
                raise NothingPublishedError(
                    msg("there are no settings to work with: {reason}", reason=error.message),
                    hint=msg("start the store; a snapshot would have bridged this"),
                ) from error
            self._problem = error
            self._disconnect()
            return kept
        raise NothingPublishedError(
            msg("nothing is published for environment {environment}", environment=self._environment),
            hint=msg("run `opsmail publish` for it first"),
        )

    def _from_snapshot(self) -> _Loaded | None:
        snapshot = None if self._snapshot is None else load_snapshot(self._snapshot, self._environment)
        return None if snapshot is None else self._load(snapshot, snapshot.head, {})

    def _refresh(self) -> bool:
        store = self._connect()
        head = store.head(self._environment)
        current = self._loaded.published.head
        _require_forward(current, head)
        changed = head.digest != current.digest
        if changed:
            loaded = self._load(store, head, self._loaded.blobs)
            self._loaded = loaded
            self._keep(loaded)
        self._problem = None
        self._confirmed = self._clock()
        return changed

    def _load(self, source: Blobs, head: Head, known: Mapping[str, bytes]) -> _Loaded:
        blobs = _Kept(source, known)
        published = read_generation(blobs, head, head.digest or "", self._verify)
        documents = blobs.read(set(published.manifest.values()))
        masters = [name for name, digest in published.manifest.items() if _is_master(documents[digest], name)]
        return _Loaded(published, blobs.used, masters[0] if masters else None)

    def _verify(self, envelope: bytes) -> Generation:
        return Generation.parse(verify(envelope, self._keys, kind=Kind.GENERATION, environment=self._environment).predicate)

    def _keep(self, loaded: _Loaded) -> None:
        if self._snapshot is None:
            return
        try:
            write_snapshot(self._snapshot, loaded.published.head, loaded.blobs.values())
        except SnapshotError as error:
            self._problem = error

    def _connect(self) -> Store:
        if self._store is None:
            self._store = self._source()
        return self._store

    def _disconnect(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None


class _Kept:
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


def _require_forward(current: Head, head: Head) -> None:
    """Refuse a store that was exchanged or set back; a rollback by opsmail has a higher number."""
    before = (current.identity.epoch, current.number)
    if head.identity.store != current.identity.store or (head.identity.epoch, head.number) < before:
        raise StoreReplacedError(
            msg(
                "the store has generation {found} of store {store}, older than or other than generation {number} in use",
                found=head.number,
                store=head.identity.store,
                number=current.number,
            ),
            hint=msg("if a backup was restored on purpose, publish a new generation on it"),
        )


def _parse(content: bytes, name: str) -> EffectiveOperator:
    try:
        return EffectiveOperator.parse(content)
    except ValueError as error:
        raise StoreDamaged(
            msg("the published settings of `{name}` cannot be read: {reason}", name=name, reason=str(error)),
            hint=msg("use the same or a newer opsmail here than the one that published"),
        ) from error


def _is_master(content: bytes, name: str) -> bool:
    # Parsing all 10,000 documents takes seconds; most of them cannot be the master's, and their bytes tell.
    return b'"role":"master"' in content and _parse(content, name).operator.role.value == "master"


def _key(path: Path, environment: str) -> TrustedKey:
    try:
        pem = path.read_text("ascii")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a PEM file"
        raise UnavailableError(
            msg("the public key {path} cannot be read: {reason}", path=str(path), reason=reason),
            hint=msg("copy the public key that `opsmail keygen` wrote to this machine"),
        ) from error
    return TrustedKey.load(pem, kinds=[Kind.GENERATION], environments=[environment])
