"""Tables in a database: only columns that are fields are asked for, so that no password leaves it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import ColumnClause, Connection, Select, column, create_engine, inspect, select, table
from sqlalchemy.exc import DBAPIError, NoSuchTableError, SAWarning
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import quoted_name

from opsmail.errors import UnavailableError
from opsmail.messages import Message, msg
from opsmail.store.foreign import ForeignDatabase
from opsmail.transfer.header import Expected, Header
from opsmail.transfer.interface import MOST_ROWS, Row, require_few

#: So many rows at once.
_ROWS = 1000


class SqlTable:
    """A table in a database; see `Table`. Close it, or use it as a context.

    Args:
        database: where it is.
        name: of the table or view, after its schema and a dot where it is not the user's own.
        expected: what is known of its columns.

    Raises:
        UnavailableError: the database cannot be read.
        UsageError: none of its columns is known.
    """

    def __init__(self, database: ForeignDatabase, name: str, expected: Expected) -> None:
        self._database = database
        schema, dot, last = name.rpartition(".")
        self._table = table(_exactly(last), schema=_exactly(schema) if dot else None)
        self._engine = create_engine(
            database.dialect, creator=database.connect, poolclass=NullPool, hide_parameters=True
        )
        with self._connected() as connection, warnings.catch_warnings():
            # Not by a query of all columns: the right to read those of secrets may, and should, be missing.
            warnings.simplefilter("ignore", SAWarning)  # types of columns that nobody asks for
            self._names = [str(found["name"]) for found in inspect(connection).get_columns(last, schema or None)]
        self.header: Header = expected.header(self._names)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    def rows(self) -> Iterator[Row]:
        """Yield its rows, once."""
        with self._connected() as connection:
            options = {"stream_results": True, "max_row_buffer": _ROWS}
            found = connection.execution_options(**options).execute(self._query())
            for number, values in enumerate(found, 1):
                require_few(number, number)
                cells = zip(self.header.fields, map(_text, values), strict=True)
                yield Row(number, {path: cell for path, cell in cells if cell})

    def _query(self) -> Select[Any]:
        columns: list[ColumnClause[Any]] = [
            column(_exactly(self._names[position])) for position in self.header.fields.values()
        ]
        # In the same order each time, for the same names of operators.
        return select(*columns).select_from(self._table).order_by(columns[0]).limit(MOST_ROWS + 1)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except NoSuchTableError:
            raise self._unreadable(msg("there is no such table that this user may see")) from None
        except DBAPIError as error:
            raise self._unreadable(self._database.reason(error.orig)) from None

    def _unreadable(self, reason: Message) -> UnavailableError:
        location = self._database.location
        return UnavailableError(
            msg("the table in {location} cannot be read: {reason}", location=location, reason=reason),
            hint=msg("see whether the URL, `--table`, `--password` and `--ca` are right, and the user may read it"),
        )


def _exactly(name: str) -> quoted_name:
    """Return a name that is not folded to another case."""
    return quoted_name(name, quote=True)


def _text(value: Any) -> str:
    """Return a value as it would stand in a text file; empty for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        # MariaDB's BIT(1), by which forms keep their check boxes.
        return str(raw[0]) if raw in (b"\0", b"\1") else raw.decode("utf-8", "surrogateescape").strip()
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()
