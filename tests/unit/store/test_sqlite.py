"""The store as a file: what is refused, how it is made, and what happens when the file or its disk fails."""

from __future__ import annotations

import os
import random
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from opsmail.errors import OpsmailError, UsageError
from opsmail.store.audit import audit
from opsmail.store.interface import (
    OutcomeUnknown,
    StoreBusy,
    StoreDamaged,
    StoreMissing,
    StoreNewer,
    StoreUnavailable,
)
from opsmail.store.sql import SqlStore
from opsmail.store.sqlite import _File, open_sqlite
from tests.conformance.publishing import ENVIRONMENT, event, generation, name, publish, read_whole

#: Takes the write lock, says so, and keeps it until its input ends.
HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    with closing(open_sqlite(f"sqlite:///{path}", create=True)) as store:
        yield store


@contextmanager
def unprivileged() -> Iterator[Path]:
    """A folder that everybody may enter, as a user who is not root."""
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        folder.chmod(0o777)
        # What is imported on first use (codecs, dialects) comes in now: later its files may be out of reach.
        with closing(open_sqlite(f"sqlite:///{folder}/warm.db", create=True)) as store:
            publish(store, "a")
            read_whole(store)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(user)


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Let every write beyond `size` bytes of a file fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def edit(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


# The URL


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://user:hunter2-secret@host/store.db",
        "sqlite:///store.db?mode=memory",
        "sqlite:///store.db#x",
        "sqlite:///a\0b",
        "sqlite+other:///store.db",
    ],
)
def test_urls_that_name_no_file(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_sqlite(url, create=True)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_a_relative_path_starts_at_the_root(tmp_path: Path) -> None:
    folder = tmp_path / "a folder % with ? and #"
    folder.mkdir()
    with closing(open_sqlite("sqlite:///ops mail.db", create=True, root=folder)) as store:
        assert store.location == str(folder / "ops mail.db")
    assert names(folder) == ["ops mail.db"]


def test_a_relative_path_without_a_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(open_sqlite("sqlite:///store.db", create=True)) as store:
        assert store.location == str(tmp_path / "store.db")


# Making it


def test_files_are_for_their_owner_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(open_sqlite(f"sqlite:///{path}", create=True)), closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE more (x)")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_nothing_else_is_left_in_the_folder(path: Path, store: SqlStore) -> None:
    publish(store, "a")
    assert names(path.parent) == ["store.db"]


def test_many_make_it_at_once(path: Path) -> None:
    start = threading.Barrier(8)
    identities = set()

    def make() -> None:
        start.wait(30)
        with closing(open_sqlite(f"sqlite:///{path}", create=True)) as store:
            identities.add(store.identity())

    makers = [threading.Thread(target=make) for _ in range(8)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join(60)
    assert len(identities) == 1
    assert names(path.parent) == ["store.db"]


def test_the_second_maker_takes_what_the_first_made(path: Path, store: SqlStore) -> None:
    from opsmail.store.sqlite import _create

    publish(store, "a")
    _create(_File(path, 1))
    assert read_whole(store) == 1


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be made") as caught:
        open_sqlite(f"sqlite:///{tmp_path}/none/store.db", create=True)
    assert caught.value.hint is not None


def test_no_room_to_make_it(path: Path) -> None:
    with pytest.raises(StoreUnavailable), files_limited_to(20_000):
        open_sqlite(f"sqlite:///{path}", create=True)
    assert names(path.parent) == []
    with closing(open_sqlite(f"sqlite:///{path}", create=True)) as store:
        assert store.head(ENVIRONMENT).number == 0


def test_no_room_to_bring_its_log_into_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite does so by itself when it closes a file, and says nothing where it cannot."""

    class Full(sqlite3.Connection):
        def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
            if "wal_checkpoint" in statement:
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
            return super().execute(statement, *parameters)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Full))
    with pytest.raises(StoreUnavailable, match="is full"):
        open_sqlite(f"sqlite:///{path}", create=True)
    assert names(path.parent) == []


# What is there and is no store


def other_database(path: Path) -> None:
    edit(path, "CREATE TABLE opsmail_heads (x)")


@pytest.mark.case("D-27")
@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (Path.mkdir, StoreUnavailable, "not a file"),
        (os.mkfifo, StoreUnavailable, "not a file"),
        (Path.touch, StoreDamaged, "empty"),
        (lambda path: path.write_text("operators: []\n" * 100), StoreDamaged, "not a database"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(4080)), StoreDamaged, "not an opsmail store"),
        (other_database, StoreDamaged, "no such table"),
        (lambda path: path.symlink_to("nowhere"), StoreMissing, "no store"),
        (lambda path: path.symlink_to(path), StoreUnavailable, "symbolic links"),
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_what_is_no_store_is_refused_and_left_alone(
    path: Path, make: Callable[[Path], Any], error: type[StoreUnavailable], said: str, read_only: bool
) -> None:
    make(path)
    content = path.read_bytes() if path.is_file() else None
    with pytest.raises(error, match=said) as caught:
        open_sqlite(f"sqlite:///{path}", create=True, read_only=read_only)
    assert type(caught.value) is error
    assert caught.value.hint is not None
    if content is not None and make is not other_database:
        assert path.read_bytes() == content


def test_a_path_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="Not a directory"):
        open_sqlite(f"sqlite:///{tmp_path}/file/store.db")


def test_a_link_to_a_store_is_followed(path: Path, store: SqlStore) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    with closing(open_sqlite(f"sqlite:///{link}")) as again:
        assert again.identity() == store.identity()


@pytest.mark.case("D-25")
def test_a_newer_store(path: Path, store: SqlStore) -> None:
    edit(path, "UPDATE opsmail_store SET version = 2")
    with pytest.raises(StoreNewer, match="version 2"):
        open_sqlite(f"sqlite:///{path}", create=True)
    # Also for who had it open already.
    with pytest.raises(StoreNewer):
        store.head(ENVIRONMENT)
    with pytest.raises(StoreNewer):
        publish(store, "a")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE opsmail_store SET version = 0",
        "UPDATE opsmail_store SET version = 'one'",
        "UPDATE opsmail_store SET store = 'me'",
        "UPDATE opsmail_store SET store = x'ff'",
        "UPDATE opsmail_store SET epoch = 0",
        "DELETE FROM opsmail_store",
        "DROP TABLE opsmail_store",
    ],
)
def test_a_store_without_a_proper_identity(path: Path, store: SqlStore, statement: str) -> None:
    edit(path, statement)
    with pytest.raises(StoreDamaged):
        open_sqlite(f"sqlite:///{path}", create=True)
    with pytest.raises(StoreDamaged):
        store.head(ENVIRONMENT)


# Permissions


@pytest.mark.case("D-27")
def test_a_file_that_may_not_be_written() -> None:
    with unprivileged() as folder:
        path = folder / "store.db"
        with closing(open_sqlite(f"sqlite:///{path}", create=True)) as store:
            publish(store, "a")
            path.chmod(0o400)
            with pytest.raises(StoreUnavailable, match="may not write"):
                publish(store, "b")
        with pytest.raises(StoreUnavailable, match="may not write"):
            open_sqlite(f"sqlite:///{path}")
        with closing(open_sqlite(f"sqlite:///{path}", read_only=True)) as reader:
            assert read_whole(reader) == 1


def test_a_folder_that_may_not_be_written() -> None:
    with unprivileged() as folder:
        url = f"sqlite:///{folder}/inner/store.db"
        (folder / "inner").mkdir()
        open_sqlite(url, create=True).close()
        (folder / "inner").chmod(0o500)
        try:
            with pytest.raises(StoreUnavailable, match="may not write"):
                open_sqlite(url)
            # SQLite has to make its shared memory there; who may not gets a reason instead of an empty answer.
            with pytest.raises(StoreUnavailable, match=r"unable to open|readonly"):
                open_sqlite(url, read_only=True)
            with pytest.raises(StoreUnavailable, match="Permission denied"):
                open_sqlite(f"sqlite:///{folder}/inner/other.db", create=True)
        finally:
            (folder / "inner").chmod(0o700)


def test_a_file_that_may_not_be_read() -> None:
    with unprivileged() as folder:
        path = folder / "store.db"
        open_sqlite(f"sqlite:///{path}", create=True).close()
        path.chmod(0)
        with pytest.raises(StoreUnavailable, match="unable to open"):
            open_sqlite(f"sqlite:///{path}", read_only=True)


# Durability


def test_what_every_connection_promises(path: Path, store: SqlStore) -> None:
    with store._backend.writing() as writer:
        assert writer.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert writer.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert writer.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    with store._backend.reading() as reader:
        assert reader.exec_driver_sql("PRAGMA query_only").scalar() == 1
    with pytest.raises(StoreUnavailable, match="readonly"), store._backend.reading() as reader:
        reader.exec_driver_sql("DELETE FROM opsmail_blobs")


@pytest.mark.case("D-16")
def test_another_journal_is_set_right_before_anything_is_written(path: Path, store: SqlStore) -> None:
    edit(path, "PRAGMA journal_mode=DELETE")
    publish(store, "a")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_folder_without_a_write_ahead_log(path: Path, store: SqlStore) -> None:
    edit(path, "PRAGMA journal_mode=DELETE")
    # This way of locking has no shared memory, as network folders have none.
    with (
        closing(sqlite3.connect(f"file:{path}?vfs=unix-dotfile", uri=True)) as connection,
        pytest.raises(StoreUnavailable, match="write-ahead log"),
    ):
        _File(path, 1)._prepare(connection, writing=True)


@pytest.mark.case("D-06")
def test_no_room_for_a_publish(path: Path, store: SqlStore) -> None:
    head = publish(store, "a")
    digest, blobs = generation(head, "b")
    store.write_missing(blobs)
    large = b'{"a":"' + b"x" * 200_000 + b'"}'
    with files_limited_to(path.stat().st_size + 50_000):
        with pytest.raises(OutcomeUnknown, match="may have happened or not"):
            store.swap_head(head, number=2, digest=digest, events=[large])
        # Asked, as the error advises, the store knows.
        assert store.generation(ENVIRONMENT, 2) is None
        assert read_whole(store) == 1
    assert store.swap_head(head, number=2, digest=digest, events=[event(head, digest)]).number == 2
    audit(store, ENVIRONMENT)


@pytest.mark.case("D-06")
def test_a_full_disk_is_told(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA max_page_count=2")
        with pytest.raises(sqlite3.OperationalError) as caught:
            connection.execute("CREATE TABLE a AS SELECT zeroblob(100000)")
    error = _File(path, 1).explain(caught.value)
    assert "full" in str(error)
    assert type(error) is StoreUnavailable


# Others


@contextmanager
def lock_held(path: Path) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield
        holder.communicate()


@pytest.mark.case("D-26")
def test_a_store_in_use_is_waited_for_within_bounds(path: Path, store: SqlStore) -> None:
    head = publish(store, "a")
    with closing(open_sqlite(f"sqlite:///{path}", busy_seconds=0.3)) as waiting, lock_held(path):
        began = time.monotonic()
        with pytest.raises(StoreBusy, match="in use") as caught:
            publish(waiting, "b")
        assert 0.2 < time.monotonic() - began < 3
        assert isinstance(caught.value, TimeoutError)
        # Who reads does not wait.
        assert read_whole(waiting) == 1
    assert store.head(ENVIRONMENT) == head
    assert publish(store, "b").number == 2


def test_a_store_that_vanishes(path: Path, store: SqlStore) -> None:
    publish(store, "a")
    path.unlink()
    with pytest.raises(StoreMissing):
        store.head(ENVIRONMENT)
    with pytest.raises(StoreMissing):
        store.write_missing({name(b"1"): b"1"})
    assert not path.exists()


# Damage


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A file with a few generations, and what is in it."""
    path = tmp_path_factory.mktemp("published") / "store.db"
    with closing(open_sqlite(f"sqlite:///{path}", create=True)) as store:
        for publisher in "abc":
            publish(store, publisher)
        return path, everything(store)


def everything(store: SqlStore) -> dict[str, object]:
    audit(store, ENVIRONMENT)
    return {
        "head": store.head(ENVIRONMENT),
        "generations": store.generations(ENVIRONMENT),
        "events": store.events(ENVIRONMENT),
        "blobs": store.read(store.generations(ENVIRONMENT).values()),
        "whole": read_whole(store),
    }


@pytest.mark.case("D-27")
def test_a_changed_byte_in_each_page_is_never_believed(
    published: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    source, truth = published
    seed = int.from_bytes(os.urandom(4))
    place = random.Random(seed)
    print("seed", seed)
    content = source.read_bytes()
    noticed = 0
    for page in range(0, len(content), 4096):
        # The page's own header and cells' pointers, then somewhere in it.
        for at in (page, page + 3, page + 8, page + place.randrange(4096), page + place.randrange(4096)):
            damaged = bytearray(content)
            damaged[at] ^= place.randrange(1, 256)
            path = tmp_path / "damaged.db"
            path.write_bytes(damaged)
            try:
                with closing(open_sqlite(f"sqlite:///{path}", read_only=True)) as store:
                    found = everything(store)
            except OpsmailError as error:
                assert isinstance(error, StoreUnavailable), (seed, at)  # noqa: PT017 - which of its kind depends on the place
                noticed += 1
            else:
                # A byte that nothing is kept in, or one that does not matter.
                assert found["whole"] == truth["whole"], (seed, at)
                same = {key: value for key, value in found.items() if key != "head"}
                assert same == {key: value for key, value in truth.items() if key != "head"}, (seed, at)
            for file in tmp_path.glob("damaged.db*"):
                file.unlink()
    assert noticed > len(content) // 4096


@pytest.mark.parametrize("size", [1, 100, 4096, 8192, -4096])
def test_a_file_cut_short(published: tuple[Path, dict[str, object]], tmp_path: Path, size: int) -> None:
    path = tmp_path / "store.db"
    shutil.copy(published[0], path)
    os.truncate(path, size % path.stat().st_size)
    with pytest.raises(StoreDamaged), closing(open_sqlite(f"sqlite:///{path}")) as store:
        audit(store, ENVIRONMENT)
    assert path.stat().st_size


def test_a_schema_that_is_no_text(path: Path, store: SqlStore) -> None:
    """The driver cannot decode its own message then."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET name = CAST(x'ff' AS TEXT), sql = 'CREATE TABLE x('")
    with pytest.raises(StoreDamaged):
        store.head(ENVIRONMENT)
    with pytest.raises(StoreDamaged):
        publish(store, "a")
    for read_only in (True, False):
        with pytest.raises(StoreDamaged):
            open_sqlite(f"sqlite:///{path}", read_only=read_only)


def test_text_that_is_not_utf8(path: Path, store: SqlStore) -> None:
    publish(store, "a")
    edit(path, "UPDATE opsmail_heads SET digest = CAST(x'ff' AS TEXT)")
    with pytest.raises(StoreDamaged, match="decode"):
        store.head(ENVIRONMENT)


def test_the_database_examines_itself(path: Path, store: SqlStore) -> None:
    publish(store, "a")
    store.check()
    edit(path, "DELETE FROM opsmail_blobs WHERE digest IN (SELECT digest FROM opsmail_generations)")
    with pytest.raises(StoreDamaged, match="lost its content"):
        store.check()


def test_a_page_that_is_no_longer_one(path: Path, store: SqlStore) -> None:
    publish(store, "a")
    with path.open("r+b") as file:
        file.seek(-2048, os.SEEK_END)
        file.write(b"\xff" * 2048)
    with pytest.raises(StoreDamaged), closing(open_sqlite(f"sqlite:///{path}")) as damaged:
        damaged.check()
