"""The store in one SQLite file.

Write-ahead log and `synchronous=FULL`: a commit that was acknowledged survives a power cut
(https://www.sqlite.org/pragma.html#pragma_synchronous). Each call opens the file anew: nothing is shared over a fork,
a file that was exchanged is noticed, and the last one to close leaves everything in the one file.

The commit of a process that was killed in it may come into sight only when the log is recovered, a moment later: whole,
or never.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Insert, Table, create_engine, event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from opsmail.errors import UsageError
from opsmail.messages import Message, msg, quoted
from opsmail.store.bounds import MAX_VALUE_BYTES
from opsmail.store.foreign import ForeignDatabase
from opsmail.store.interface import StoreBusy, StoreDamaged, StoreMissing, StoreUnavailable
from opsmail.store.server import Access
from opsmail.store.sql import SqlStore
from opsmail.store.sql_backend import Rows, SqlBackend, add_one_by_one, create_tables

#: Seconds to wait for somebody else's change to end.
BUSY_SECONDS = 5.0

_NO_ACCESS = Access()
_PREFIX = "sqlite:///"
#: What `PRAGMA synchronous` answers for FULL.
_FULL = 2
#: A row with one value of full size, and room for its other columns.
_MAX_ROW_BYTES = MAX_VALUE_BYTES + 64 * 1024

# https://www.sqlite.org/rescode.html; SQLITE_ERROR is a missing table or column, so not our file or not whole.
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_DAMAGED = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
}


def open_sqlite(
    url: str,
    *,
    read_only: bool = False,
    create: bool = False,
    root: Path | None = None,
    access: Access = _NO_ACCESS,
    busy_seconds: float = BUSY_SECONDS,
) -> SqlStore:
    """Open the store in a file.

    Args:
        url: `sqlite:///relative/path` or `sqlite:////absolute/path`.
        read_only: refuse every change.
        create: make the store where there is no file; an existing file is never made anew.
        root: where a relative path starts; None for the working folder.
        access: nothing, since who may read the file is the system's to say.
        busy_seconds: how long to wait for others.

    Raises:
        UsageError: `url` does not name a file, or there is a password for it.
        StoreUnavailable: or one of its children, by what is wrong with the file.
    """
    _require_no_access(access)
    file = _File(_place(url, root), busy_seconds, read_only)
    if create and not os.path.lexists(file.path):
        _create(file)
    if not read_only:
        # Now, not at the first change: who opens a store for writing wants to know at once that it cannot be written.
        file.connect(writing=True).close()
    return SqlStore(
        SqlBackend(
            location=str(file.path),
            reader=file.engine(writing=False),
            writer=file.engine(writing=True),
            writable=not read_only,
            absent=_absent,
            add=add_one_by_one,
            add_absent=_add_absent,
            explain=file.explain,
            examine=file.examine,
        )
    )


def _require_no_access(access: Access) -> None:
    if not access.is_empty:
        raise UsageError(
            msg("the store is a SQLite file, which has neither a password nor a certificate"),
            hint=msg("take `store.password` and `store.ca` out of these settings"),
        )


def foreign_sqlite(url: str, access: Access, root: Path | None) -> ForeignDatabase:
    """Return a database that is no store; see `open_sqlite` for the arguments and errors."""
    _require_no_access(access)
    path = _place(url, root)
    return ForeignDatabase(str(path), "sqlite://", partial(_open_foreign, path), _reason)


def _open_foreign(path: Path) -> sqlite3.Connection:
    if not path.is_file():  # SQLite would wait at a FIFO
        raise sqlite3.OperationalError("there is no such file")
    connection = sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    connection.execute("PRAGMA trusted_schema=OFF")
    # What is no UTF-8 is for whoever reads the rows to refuse; the library's error would quote it.
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    return connection


def _reason(error: BaseException | None) -> Message:
    return msg("{reason}", reason=error)


@dataclass(frozen=True, slots=True)
class _File:
    """Where the store is, and how its connections are made."""

    path: Path
    busy_seconds: float
    read_only: bool = False

    def engine(self, *, writing: bool) -> Engine:
        return _engine(lambda: self.connect(writing=writing), writing=writing)

    def connect(self, *, writing: bool) -> sqlite3.Connection:
        self._look(writing=writing)
        return self._open(writing=writing)

    def fill(self) -> None:
        """Make an empty file a store, all of it in this one file."""
        engine = _engine(lambda: self._open(writing=True), writing=True)
        try:
            with engine.begin() as making:
                create_tables(making, _absent)
            # Closing brings the log into the file, too, but says nothing when a full disk does not let it.
            with closing(self._open(writing=True)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except DBAPIError as error:
            raise self.explain(error.orig) from None
        except sqlite3.Error as error:
            raise self.explain(error) from None

    def _open(self, *, writing: bool) -> sqlite3.Connection:
        mode = "ro" if self.read_only else "rw"
        try:
            # Without an isolation level the driver leaves transactions to us.
            connection = sqlite3.connect(
                f"file:{quote(os.fsencode(self.path))}?mode={mode}",
                uri=True,
                timeout=self.busy_seconds,
                isolation_level=None,
            )
            try:
                self._prepare(connection, writing=writing)
            except BaseException:  # Ctrl-C too: nothing stays open
                connection.close()
                raise
        # The driver fails to decode its own message where that quotes a damaged schema.
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self.explain(error) from None
        return connection

    def _look(self, *, writing: bool) -> None:
        """Judge the file before SQLite opens it, which would wait at a FIFO and take an empty file for a database."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            raise StoreMissing(
                msg("there is no store at {location}", location=self.path),
                hint=msg("a first publish makes it; if there should be one, correct `store.url` or the working folder"),
            ) from None
        except OSError as error:
            raise self._unavailable(quoted(error.strerror)) from None
        if not stat.S_ISREG(found.st_mode):
            raise self._unavailable(msg("it is not a file"))
        if not found.st_size:
            raise self._damaged(msg("the file is empty"))
        if writing and not (_writable(self.path) and _writable(self.path.parent)):
            raise self._unavailable(msg("this user may not write the file and its folder"))

    def _prepare(self, connection: sqlite3.Connection, *, writing: bool) -> None:
        # More than any row of ours: a damaged length is refused instead of allocated.
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_ROW_BYTES)
        for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "foreign_keys=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        if not writing:
            connection.execute("PRAGMA query_only=ON")
            return
        kept = (
            connection.execute("PRAGMA synchronous").fetchone(),
            connection.execute("PRAGMA journal_mode=WAL").fetchone(),
        )
        if kept != ((_FULL,), ("wal",)):
            raise self._unavailable(msg("its folder does not keep a write-ahead log; network folders do not"))

    def examine(self, connection: Connection) -> None:
        verdict = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        if verdict != "ok":
            raise self._damaged(msg("{reason}", reason=verdict))
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            raise self._damaged(msg("a generation has lost its content"))

    def explain(self, error: BaseException | None) -> StoreUnavailable:
        """Return the error of ours for one of the driver's."""
        reason = msg("{reason}", reason=error)
        # An error without a code is the driver's own: it could not decode what it read.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in _BUSY:
            return StoreBusy(
                msg("the store {location} stayed in use by somebody else", location=self.path),
                hint=msg("try again; if it stays so, look for a hanging publish that has the file open"),
            )
        if code in _DAMAGED:
            return self._damaged(reason)
        if code == sqlite3.SQLITE_FULL:
            return StoreUnavailable(
                msg("the disk with the store {location} is full", location=self.path),
                hint=msg("make room; what was published stays as it was"),
            )
        return self._unavailable(reason)

    def _damaged(self, detail: Message) -> StoreDamaged:
        return StoreDamaged(
            msg("{location} is not an opsmail store, or it is damaged: {detail}", location=self.path, detail=detail),
            hint=msg(
                "correct `store.url`, or keep a copy of the file and restore it from a backup; it is never made anew"
            ),
        )

    def _unavailable(self, detail: Message) -> StoreUnavailable:
        return StoreUnavailable(
            msg("the store {location} cannot be used: {detail}", location=self.path, detail=detail),
            hint=msg("SQLite needs to read and write the file and its folder, on a local disk"),
        )


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _place(url: str, root: Path | None) -> Path:
    return (root or Path()).absolute() / _path(url)


def _path(url: str) -> str:
    path = url.removeprefix(_PREFIX)
    if path == url or not path or path == ":memory:" or set(path) & {"?", "#", "\0"}:
        raise UsageError(
            msg("the store's URL does not name a SQLite file"),
            hint=msg(
                "write `sqlite:///opsmail.db` for a file beside the settings, `sqlite:////var/lib/opsmail.db` for any"
            ),
        )
    return path


def _create(file: _File) -> None:
    """Make the store beside its place and link it there when it is whole: nobody ever sees half of one."""
    folder = file.path.parent
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.path.name}.", suffix=".new", dir=folder)
        os.close(descriptor)
        try:
            replace(file, path=Path(name), read_only=False).fill()
            _link(Path(name), file.path)
        finally:
            for ending in ("", "-wal", "-shm"):
                Path(name + ending).unlink(missing_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            msg("the store {location} cannot be made: {reason}", location=file.path, reason=quoted(error.strerror)),
            hint=msg("the folder has to exist and to be writable"),
        ) from None


def _link(made: Path, place: Path) -> None:
    """Give `made` its name, durably; who comes second takes what the first one made."""
    with suppress(FileExistsError):
        place.hardlink_to(made)
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _engine(connect: Callable[[], sqlite3.Connection], *, writing: bool) -> Engine:
    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    if writing:
        event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    # The write lock from the start: a transaction that begins by reading can find itself too old to write.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _absent(table: Table) -> Insert:
    return insert(table).on_conflict_do_nothing()


def _add_absent(connection: Connection, table: Table, rows: Rows) -> None:
    connection.execute(_absent(table), rows)
