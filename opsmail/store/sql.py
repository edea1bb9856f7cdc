"""The store in any SQL database, by SQLAlchemy Core; what differs between databases comes in a `SqlBackend`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeAlias

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    func,
    insert,
    select,
    update,
)

from opsmail.messages import msg
from opsmail.store import bounds, sql_change, sql_sweep, tables
from opsmail.store.consistency import (
    checked_events,
    checked_head,
    checked_identity,
    checked_sweeps,
    damaged,
    following,
    require_standing,
    swept_once,
)
from opsmail.store.interface import NOBODY, PAGE, SWEEP_PAUSE, Event, Head, HeadMoved, Identity, MissingBlobs
from opsmail.store.relational import row
from opsmail.store.sql_backend import SqlBackend, batches

_ENVIRONMENT: BindParameter[str] = bindparam("environment")


def _newest(environment: Column[str], number: Column[int]) -> ColumnElement[bool]:
    """Select the row with the highest number, which the primary key has at hand."""
    highest = select(func.max(number)).where(environment == _ENVIRONMENT).scalar_subquery()
    return and_(environment == _ENVIRONMENT, number == highest)


_Row: TypeAlias = "Row[*tuple[Any, ...]]"

_IDENTITY = select(tables.store.c.version, tables.store.c.store, tables.store.c.epoch, tables.store.c.sweeps).where(
    tables.store.c.id == 1
)

# With the newest generation and event, in one statement: a head that does not fit is found before anybody follows it.
_HEAD = (
    select(
        tables.store.c.version,
        tables.store.c.store,
        tables.store.c.epoch,
        tables.store.c.sweeps,
        tables.heads.c.number,
        tables.heads.c.digest,
        tables.heads.c.events,
        tables.heads.c.last_hash,
        tables.generations.c.number.label("newest"),
        tables.generations.c.digest.label("newest_digest"),
        tables.events.c.sequence.label("last"),
        tables.events.c.hash.label("hash"),
    )
    .select_from(tables.store)
    .outerjoin(tables.heads, tables.heads.c.environment == _ENVIRONMENT)
    .outerjoin(tables.generations, _newest(tables.generations.c.environment, tables.generations.c.number))
    .outerjoin(tables.events, _newest(tables.events.c.environment, tables.events.c.sequence))
    .where(tables.store.c.id == 1)
)

_PUBLISHED = select(tables.heads.c.digest).where(tables.heads.c.environment == _ENVIRONMENT)


class SqlStore:
    """A `Store` in a SQL database.

    Raises:
        StoreNewer: the tables are of a later version.
        StoreDamaged: they are not what they should be.
    """

    def __init__(self, backend: SqlBackend) -> None:
        self._backend = backend
        self.identity()

    @property
    def location(self) -> str:
        """Where it is, without any password."""
        return self._backend.location

    def identity(self) -> Identity:
        """Return which store this is, read anew."""
        with self._backend.reading() as connection:
            return self._identity(connection.execute(_IDENTITY).one_or_none())

    def head(self, environment: str) -> Head:
        """Return where `environment` stands; one statement."""
        with self._backend.reading() as connection:
            return self._head(connection, bounds.environment_name(environment))

    def stands_at(self, environment: str, digest: str) -> bool:
        """Tell whether the generation with `digest` is still the published one; one row of one table."""
        compared, key = bounds.digest(digest), {"environment": bounds.environment_name(environment)}
        with self._backend.reading() as connection:
            return connection.scalar(_PUBLISHED, key) == compared

    def read(self, digests: Collection[str]) -> dict[str, bytes]:
        """Return the blobs of `digests`, each compared with its digest; a statement for a thousand."""
        wanted = list(dict.fromkeys(bounds.digest(digest) for digest in digests))
        found: dict[str, bytes] = {}
        with self._backend.reading() as connection:
            for batch in batches(wanted):
                statement = select(tables.blobs).where(tables.blobs.c.digest.in_(batch))
                for digest, content in connection.execute(statement):
                    if not isinstance(content, bytes) or hashlib.sha256(content).hexdigest() != digest:
                        raise damaged(self.location, msg("blob {digest} has another content", digest=digest))
                    found[digest] = content
        if len(found) < len(wanted):
            raise MissingBlobs(self.location, set(wanted) - found.keys())
        return found

    def write_missing(self, blobs: Mapping[str, bytes]) -> int:
        """Write those of `blobs` that are not there yet, in one transaction, and return how many that were."""
        for digest, content in blobs.items():
            bounds.blob(digest, content)
        written = 0
        with self._backend.writing() as connection:
            # In one order, so that two publishers with the same blobs never wait for each other.
            for batch in batches(sorted(blobs)):
                statement = select(tables.blobs.c.digest).where(tables.blobs.c.digest.in_(batch))
                present = set(connection.scalars(statement))
                rows = [{"digest": digest, "content": blobs[digest]} for digest in batch if digest not in present]
                if rows:
                    self._backend.add_absent(connection, tables.blobs, rows)
                written += len(rows)
        return written

    def generation(self, environment: str, number: int) -> str | None:
        """Return the digest of one generation, or None."""
        return self.generations(environment, after=bounds.number(number) - 1, limit=1).get(number)

    def generations(self, environment: str, *, after: int = 0, limit: int = PAGE) -> dict[int, str]:
        """Return number → digest of generations above `after`, in order."""
        columns = tables.generations.c
        statement = (
            select(columns.number, columns.digest)
            .where(
                columns.environment == bounds.environment_name(environment),
                columns.number > bounds.number(after, least=0),
            )
            .order_by(columns.number)
            .limit(bounds.page(limit))
        )
        with self._backend.reading() as connection:
            rows = connection.execute(statement).all()
        if not all(bounds.is_number(number) and bounds.is_digest(digest) for number, digest in rows):
            raise damaged(
                self.location, msg("a generation of environment {environment} has no digest", environment=environment)
            )
        return {number: digest for number, digest in rows}  # noqa: C416 - dict() does not take rows

    def events(self, environment: str, *, after: int = 0, limit: int = PAGE) -> tuple[Event, ...]:
        """Return events above `after`, in order, each compared with the one before."""
        columns = tables.events.c
        # One more, the event `after` itself, for its hash.
        statement = (
            select(columns.sequence, columns.payload, columns.hash)
            .where(
                columns.environment == bounds.environment_name(environment),
                columns.sequence >= bounds.number(after, least=0),
            )
            .order_by(columns.sequence)
            .limit(bounds.page(limit) + (after > 0))
        )
        with self._backend.reading() as connection:
            rows = connection.execute(statement).all()
        return checked_events(self.location, [tuple(row) for row in rows], after)

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
        return self._change(expected, following, bounds.digest(digest), events, operators)

    def append_events(self, expected: Head, payloads: Sequence[bytes]) -> Head:
        """Append events that bring no generation, by the same compare-and-swap."""
        return self._change(expected, expected.number, expected.digest, payloads)

    def let_go(self, expected: Head, *, oldest: int, events: Sequence[bytes]) -> Head:
        """Forget the generations below `oldest`, and append events, by the same compare-and-swap."""
        first = bounds.oldest(oldest, expected)
        return self._change(expected, expected.number, expected.digest, events, oldest=first)

    def environments(self) -> tuple[str, ...]:
        """Return every environment that has a head."""
        with self._backend.reading() as connection:
            return tuple(connection.scalars(sql_sweep.ENVIRONMENTS).all())

    def blobs(self, *, after: str = "", limit: int = PAGE) -> tuple[str, ...]:
        """Return digests behind `after`, in order; one statement."""
        statement = sql_sweep.blobs(after and bounds.digest(after), bounds.page(limit))
        with self._backend.reading() as connection:
            found = tuple(connection.scalars(statement))
        if not all(map(bounds.is_digest, found)):
            raise damaged(self.location, msg("a blob has no digest"))
        return found

    def sweep(self, expected: Collection[Head], digests: Collection[str]) -> int:
        """Take blobs away, a transaction for ten thousand."""
        heads = bounds.heads(expected)
        swept = 0
        for number, portion in enumerate(sql_sweep.portions(sorted(set(map(bounds.digest, digests))))):
            time.sleep(SWEEP_PAUSE if number else 0)
            with self._backend.writing() as connection:
                # The store's row first: publishers share it until their change is committed.
                counted = sql_sweep.count_on(connection, heads)
                names = {*heads, *connection.scalars(sql_sweep.ENVIRONMENTS)}
                found = {name: self._head(connection, name) for name in names}
                require_standing(swept_once(heads) if counted else heads, found)
                swept += sql_sweep.delete_blobs(connection, portion)
            heads = swept_once(heads)
        return swept

    def raise_epoch(self, expected: Identity) -> Identity:
        """Make the epoch one higher where the store is what is expected, and return what it is from then on."""
        columns = tables.store.c
        statement = update(tables.store).where(
            columns.id == 1, columns.store == expected.store, columns.epoch == expected.epoch
        )
        with self._backend.writing() as connection:
            connection.execute(statement, {"epoch": expected.epoch + 1})
            return self._identity(connection.execute(_IDENTITY).one_or_none())

    def check(self) -> None:
        """Have the database examine its own structures."""
        with self._backend.reading() as connection:
            self._backend.examine(connection)

    def close(self) -> None:
        """Give back the connections."""
        self._backend.reader.dispose()
        self._backend.writer.dispose()

    def operators(self, environment: str) -> dict[str, dict[str, Any]]:
        """Return the rows for applications that speak only SQL, by operator; see `opsmail.store.relational`."""
        columns = tables.operators.c
        statement = select(tables.operators).where(columns.environment == bounds.environment_name(environment))
        with self._backend.reading() as connection:
            rows = connection.execute(statement.order_by(columns.operator)).mappings().all()
        return {row["operator"]: dict(row) for row in rows}

    def _change(
        self,
        expected: Head,
        number: int,
        digest: str | None,
        payloads: Sequence[bytes],
        operators: Mapping[str, bytes | None] = NOBODY,
        oldest: int = 1,
    ) -> Head:
        bounds.head(expected)
        bounds.events(payloads)
        key = {"environment": expected.environment, "generation": number}
        changed = [
            {**key, "operator": operator, **row(document)}
            for operator, document in sorted(operators.items())
            if document is not None
        ]
        events = following(expected, payloads)
        target = replace(expected, number=number, digest=digest, events=events[-1].sequence, last_hash=events[-1].hash)
        rows = [{"environment": expected.environment, **asdict(event)} for event in events]
        with self._backend.writing() as connection:
            # The head first: its row is the lock for which racing publishers queue.
            if not self._move(connection, expected, target):
                raise HeadMoved(expected, self._head(connection, expected.environment))
            if number > expected.number:
                self._add_generation(connection, target)
            if oldest > 1:
                sql_sweep.forget(connection, expected.environment, oldest)
            connection.execute(insert(tables.events), rows)
            sql_change.replace_operators(connection, self._backend, expected.environment, sorted(operators), changed)
        return target

    def _move(self, connection: Connection, expected: Head, target: Head) -> bool:
        """Compare and swap; False where there was something else to compare with."""
        # Shared with other publishers, so that nothing is swept away until this is committed.
        stood = connection.execute(_IDENTITY.with_for_update(read=True)).one_or_none()
        if self._identity(stood) != expected.identity or stood is None or stood.sweeps != expected.sweeps:
            return False
        return sql_change.move_head(connection, self._backend, expected, target)

    def _add_generation(self, connection: Connection, target: Head) -> None:
        digest = str(target.digest)
        if connection.scalar(select(tables.blobs.c.digest).where(tables.blobs.c.digest == digest)) is None:
            raise MissingBlobs(self.location, [digest])
        row = {"environment": target.environment, "number": target.number, "digest": digest}
        connection.execute(insert(tables.generations), row)

    def _head(self, connection: Connection, environment: str) -> Head:
        row = connection.execute(_HEAD, {"environment": environment}).one_or_none()
        identity = self._identity(row)
        sweeps = checked_sweeps(self.location, None if row is None else row.sweeps)
        if row is None or (row.number, row.newest, row.last) == (None, None, None):
            return Head(identity, environment, sweeps=sweeps)
        head = Head(identity, environment, row.number, row.digest, row.events, row.last_hash, sweeps)
        return checked_head(self.location, head, (row.newest, row.newest_digest), (row.last, row.hash))

    def _identity(self, row: _Row | None) -> Identity:
        told = (None, None, None) if row is None else (row.version, row.store, row.epoch)
        return checked_identity(self.location, *told)
