"""Where a table is, and of which kind it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from opsmail.errors import UsageError
from opsmail.messages import msg, quoted
from opsmail.store.foreign import foreign_database
from opsmail.store.server import Access
from opsmail.transfer.delimited import DelimitedTable
from opsmail.transfer.header import Expected
from opsmail.transfer.interface import Table
from opsmail.transfer.json import JsonTable
from opsmail.values import dataclass

ENCODINGS = ("utf-8", "cp1252")
#: https://www.sqlite.org/fileformat.html#the_database_header
_SQLITE = b"SQLite format 3\0"
#: A ZIP archive, which .xlsx and .ods are, and what older programs wrote
#: (https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb, section 2.2).
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
#: So much tells of which kind a file is.
_BEGINNING = 4096


@dataclass(frozen=True, slots=True)
class Source:
    """What a person says of a table.

    Args:
        place: a file, or the URL of a database.
        encoding: of a text file, one of `ENCODINGS`.
        table: its name in a database; None where it is a file.
        access: password, and authority of the server's certificate.
    """

    place: str
    encoding: str
    table: str | None
    access: Access

    @contextmanager
    def opened(self, expected: Expected) -> Iterator[Table]:
        """Open the table for reading and close it again.

        Raises:
            UsageError: it cannot be read, or not as what was said.
        """
        if "://" in self.place:
            with self._database(self.place, expected) as table:
                yield table
            return
        try:
            file: BinaryIO = Path(self.place).open("rb")  # noqa: SIM115 - closed below, where errors are of the table
        except (OSError, ValueError) as error:
            reason = quoted(getattr(error, "strerror", None) or "not a path")
            raise UsageError(
                msg("{path} cannot be read: {reason}", path=self.place, reason=reason),
                hint=msg("name a file, or a database as `postgresql://user@host/database`"),
            ) from None
        with file:
            beginning = file.peek(_BEGINNING) if hasattr(file, "peek") else b""
            if beginning.startswith(_SQLITE):
                with self._database(f"sqlite:///{Path(self.place).absolute()}", expected) as table:
                    yield table
                return
            if beginning.startswith(_SPREADSHEETS):
                raise UsageError(
                    msg("{path} is a spreadsheet, and no table as text", path=self.place),
                    hint=msg("save the sheet as CSV (UTF-8) in the program that it is from, and import that file"),
                )
            if self.table is not None or not self.access.is_empty:
                raise UsageError(
                    msg("--table, --password and --ca are for databases, and {path} is none", path=self.place),
                    hint=msg("leave them out"),
                )
            is_json = beginning.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{")
            yield (JsonTable if is_json else DelimitedTable)(file, self.encoding, expected)

    @contextmanager
    def _database(self, url: str, expected: Expected) -> Iterator[Table]:
        from opsmail.transfer.sql import SqlTable  # a file needs no database

        if not self.table:
            raise UsageError(
                msg("a database has many tables, and none is named"), hint=msg("add `--table NAME`, or SCHEMA.NAME")
            )
        with SqlTable(foreign_database(url, self.access), self.table, expected) as table:
            yield table
