"""The reader: one verified generation at a time, and the last known good one when the store does not answer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from opsmail.errors import OpsmailError, RefusedError, UnavailableError, UsageError
from opsmail.evidence.envelope import verify
from opsmail.evidence.keys import TrustedKey
from opsmail.evidence.statement import Kind
from opsmail.messages import msg
from opsmail.references import SecretReference
from opsmail.runtime.files import load_authority, load_key
from opsmail.runtime.health import Health, State
from opsmail.runtime.loaded import Loaded, require_forward
from opsmail.runtime.operator import Means, PublishedOperator
from opsmail.runtime.snapshot import SnapshotError, confirm_snapshot, load_snapshot, write_snapshot
from opsmail.secrets import Secrets, open_secrets
from opsmail.store.backends import open_store
from opsmail.store.generation import Generation
from opsmail.store.interface import MissingBlobs, Store
from opsmail.store.server import Access

_LOG = logging.getLogger("opsmail.runtime")


class OperatorNotPublishedError(OpsmailError, KeyError):
    """There is no such operator in the published settings: never published, or deleted."""


class NoMasterError(OpsmailError):
    """The published settings have no master."""


class NothingPublishedError(UnavailableError):
    """Neither the store nor a snapshot has settings to give."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the reader has; exchanged as a whole, so that no thread sees half of a change.

    Args:
        loaded: the generation in use.
        confirmed: by the clock, when the store last said that it is the newest.
        store: what is wrong with the store; None when it answered.
        snapshot: what is wrong with the snapshot; None when it is written, or none is kept.
    """

    loaded: Loaded
    confirmed: float
    store: OpsmailError | None = None
    snapshot: OpsmailError | None = None


class Operators(Mapping[str, PublishedOperator]):
    """The published operators by id. May be used by several threads at once.

    What goes wrong with the store or the snapshot is told by `health`, and once to the logger `opsmail.runtime`.

    Args:
        source: opens the store; called again after a failure.
        environment: whose settings.
        keys: whose signature a generation must carry.
        snapshot: where the last known good generation is kept; None for nowhere.
        secrets: what resolves the operators' passwords.
        max_stale: seconds without the store's word after which the state is `expired`; None for never.
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
        self._means = Means.of(secrets or open_secrets())
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._standing = self._start()

    @classmethod
    def open(
        cls,
        url: str,
        *,
        environment: str = "default",
        keys: Sequence[str | Path],
        password: str | None = None,
        ca: str | Path | None = None,
        snapshot: str | Path | None = None,
        secrets: Secrets | None = None,
        max_stale: float | None = None,
    ) -> Self:
        """Open the published settings.

        Args:
            url: the store, as in `opsmail.toml`.
            environment: whose settings.
            keys: files with the public keys that may sign generations, kept outside the store.
            password: a reference to the password of the user that `url` names, such as `env://OPSMAIL_STORE_PASSWORD`;
                resolved whenever the store is connected to.
            ca: the file with the authority that signed the server's certificate, in PEM.
            snapshot: the file that keeps the last known good settings; None for no snapshot.
            secrets: what resolves passwords, the store's too; what is installed here when left out.
            max_stale: seconds; see `Operators`.

        Raises:
            NothingPublishedError: the store gives nothing that can be trusted, and there is no snapshot that could.
            UsageError: the URL, a key, the CA or the reference is none.
        """
        trusted = [load_key(Path(key), environment) for key in ([keys] if isinstance(keys, str) else keys)]
        if not trusted:
            raise UsageError(
                msg("no public key is given, so no generation could be verified"),
                hint=msg("pass the file of the public key that `opsmail keygen` wrote: `keys=[…]`"),
            )
        reference = None if password is None else SecretReference.parse(password)
        if reference is not None and reference.is_literal:
            raise UsageError(
                msg("the store's password is not given as a reference"),
                hint=msg("write where it is kept, for example `env://OPSMAIL_STORE_PASSWORD`"),
            )
        authority = None if ca is None else load_authority(Path(ca))
        resolving = secrets or open_secrets()
        return cls(
            lambda: open_store(url, read_only=True, access=Access.resolve(reference, authority, resolving)),
            environment,
            trusted,
            snapshot=None if snapshot is None else Path(snapshot),
            secrets=resolving,
            max_stale=max_stale,
        )

    def __getitem__(self, name: str) -> PublishedOperator:
        loaded = self._standing.loaded
        effective = loaded.operator(name)
        if effective is None:
            raise OperatorNotPublishedError(
                msg("the operator `{name}` is not published", name=name),
                hint=msg("check the name; `opsmail history` tells what was published when"),
            )
        return PublishedOperator(effective, loaded.head.number, self._means)

    def __iter__(self) -> Iterator[str]:
        return iter(self._standing.loaded.published.manifest)

    def __len__(self) -> int:
        return len(self._standing.loaded.published.manifest)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def master(self) -> PublishedOperator:
        """The operator that the scheduler sends with."""
        name = self._standing.loaded.master
        if name is None:
            raise NoMasterError(
                msg("the published settings have no master"), hint=msg("publish one with `role: master`")
            )
        return self[name]

    def refresh(self) -> bool:
        """Ask the store for a newer generation, and return whether there was one.

        An unchanged store is asked once. When it does not answer, or has something that cannot be trusted, the settings
        in use stay, and `health` tells.
        """
        with self._lock:
            before = self._standing
            try:
                loaded = self._newest(before.loaded)
            except (UnavailableError, RefusedError) as error:
                self._disconnect()
                self._stand(replace(before, store=error))
                return False
            changed = loaded is not before.loaded
            self._stand(_Standing(loaded, self._clock(), snapshot=self._keep(loaded, changed=changed)))
            return changed

    def health(self) -> Health:
        """Return how current the settings are; asks nobody."""
        standing = self._standing
        age = self._clock() - standing.confirmed
        expired = self._max_stale is not None and age > self._max_stale
        stale = State.CURRENT if standing.store is None else State.STALE
        problem = standing.store or standing.snapshot
        return Health(
            state=State.EXPIRED if expired else stale,
            generation=standing.loaded.head.number,
            age=age,
            published=time.time() - standing.loaded.time,
            operators=len(standing.loaded.published.manifest),
            master=standing.loaded.master,
            master_proven=standing.loaded.master_proven,
            endings=standing.loaded.endings,
            problem=None if problem is None else str(problem),
        )

    def close(self) -> None:
        """Let go of the store; the settings in use stay."""
        with self._lock:
            self._disconnect()

    def _start(self) -> _Standing:
        kept = self._from_snapshot()
        try:
            loaded = self._newest(None if kept is None else kept.loaded)
        except (UnavailableError, RefusedError) as error:
            self._disconnect()
            if kept is None:
                raise NothingPublishedError(
                    msg("there are no settings to work with: {reason}", reason=error.message),
                    hint=error.hint or msg("start the store; a snapshot would have bridged this"),
                ) from error
            _LOG.warning("working with the snapshot of generation %d: %s", kept.loaded.head.number, error)
            return replace(kept, store=error)
        changed = kept is None or loaded is not kept.loaded
        return _Standing(loaded, self._clock(), snapshot=self._keep(loaded, changed=changed))

    def _from_snapshot(self) -> _Standing | None:
        """Return what the snapshot has; None where there is none that can be trusted: the store may do without."""
        if self._snapshot is None:
            return None
        try:
            snapshot = load_snapshot(self._snapshot, self._environment)
            if snapshot is None:
                return None
            loaded = Loaded.read(snapshot, snapshot.head, self._verify, {})
        except (UnavailableError, RefusedError) as error:
            _LOG.warning("the snapshot is not used: %s", error)
            return None
        return _Standing(loaded, self._clock() - max(0.0, time.time() - snapshot.confirmed))

    def _newest(self, current: Loaded | None) -> Loaded:
        """Return what the store has now, which is `current` itself when nothing has changed."""
        if self._store is None:
            self._store = self._source()
        elif current is not None and self._store.stands_at(self._environment, str(current.head.digest)):
            return current
        head = self._store.head(self._environment)
        while True:
            if current is not None:
                require_forward(current.head, head)
                if head.digest == current.head.digest:
                    return current
            if head.digest is None:
                raise NothingPublishedError(
                    msg("nothing is published for environment {environment}", environment=self._environment),
                    hint=msg("run `opsmail publish` for it first"),
                )
            try:
                return Loaded.read(self._store, head, self._verify, {} if current is None else current.blobs)
            except MissingBlobs:
                # Another one may be published by now, and a collection have taken this one away.
                before, head = head, self._store.head(self._environment)
                if head.digest == before.digest:
                    raise

    def _verify(self, envelope: bytes) -> Generation:
        statement = verify(envelope, self._keys, kind=Kind.GENERATION, environment=self._environment)
        return Generation.parse(statement.predicate)

    def _keep(self, loaded: Loaded, *, changed: bool) -> SnapshotError | None:
        """Bring the snapshot in line with the store, and return why it is not."""
        if self._snapshot is None or (not changed and confirm_snapshot(self._snapshot)):
            return None
        try:
            write_snapshot(self._snapshot, loaded.head, loaded.blobs.values())
        except SnapshotError as error:
            return error
        return None

    def _stand(self, standing: _Standing) -> None:
        """Take over a new standing, and log what has become wrong or right with it."""
        before, self._standing = self._standing, standing
        for old, new in ((before.store, standing.store), (before.snapshot, standing.snapshot)):
            if new is not None and str(new) != str(old):
                _LOG.warning("%s", new)
        if before.store is not None and standing.store is None:
            _LOG.info("the store answers again")

    def _disconnect(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
