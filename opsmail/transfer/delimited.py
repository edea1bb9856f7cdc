"""Tables in text files, their cells parted by commas, semicolons or tabs (RFC 4180, and what spreadsheets write)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO

from opsmail.messages import msg
from opsmail.transfer.header import Expected, Header
from opsmail.transfer.interface import MOST_BYTES, Row, TableError, require_few

DELIMITERS = (",", ";", "\t")
#: A row of an operator has some hundred.
_MOST_LINE_BYTES = 64 * 1024
_MARK = "\ufeff"
#: What spreadsheets write before the names, so that others of them know the delimiter.
_TELLING = "sep="


class DelimitedTable:
    """A table in a text file; see `Table`.

    Args:
        file: its bytes.
        encoding: `utf-8` or `cp1252`.
        expected: what is known of its columns.

    Raises:
        TableError: it is no such file.
        UsageError: its first row names no columns.
    """

    def __init__(self, file: BinaryIO, encoding: str, expected: Expected) -> None:
        self._lines = _Lines(file, encoding)
        first = next(self._lines, "")
        while first and not first.strip():
            first = next(self._lines, "")
        told = first.strip().lower()
        if told.startswith(_TELLING) and told[len(_TELLING) :] in (*DELIMITERS, ""):
            first = next(self._lines, "")
        names, self._delimiter = _names(first, expected)
        self._width = len(names)
        self.header: Header = expected.header(names)

    def rows(self) -> Iterator[Row]:
        """Yield its rows, once."""
        records = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        count = 0
        while True:
            number = self._lines.number + 1
            try:
                record = next(records)
            except StopIteration:
                return
            except csv.Error:  # its text quotes nothing, and is of no use to people
                raise TableError(
                    msg("row {number}: its quotes do not fit together, or a cell never ends", number=number),
                    hint=msg("a cell with a quote in it is written in quotes, and the quote twice"),
                ) from None
            if not any(cell.strip() for cell in record):
                continue
            if len(record) != self._width:
                raise TableError(
                    msg(
                        "row {number} has {count} cells, but {width} columns have names",
                        number=number,
                        count=len(record),
                        width=self._width,
                    ),
                    hint=msg(
                        "a cell with a `{delimiter}` in it has to be in quotes; which cell is which is not guessed",
                        delimiter=self._delimiter.replace("\t", "TAB"),
                    ),
                )
            count += 1
            require_few(number, count)
            # Only what is a field goes on from here: never a password.
            cells = {path: record[position].strip() for path, position in self.header.fields.items()}
            yield Row(number, {path: cell for path, cell in cells.items() if cell})


def _names(line: str, expected: Expected) -> tuple[list[str], str]:
    """Return the names in the first row, with the delimiter by which most of them are known."""
    attempts = []
    for delimiter in DELIMITERS:
        try:
            names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter, strict=True), [])]
        except csv.Error:
            continue
        attempts.append((expected.known(names), len(names), delimiter, names))
    if not attempts:
        raise TableError(
            msg("row {number}: its quotes do not fit together, or a cell never ends", number=1),
            hint=msg("a cell with a quote in it is written in quotes, and the quote twice"),
        )
    *_, delimiter, names = max(attempts, key=lambda attempt: attempt[:2])
    return names, delimiter


class _Lines:
    """The lines of a file, none longer than any row.

    Args:
        file: its bytes.
        encoding: of its text.
    """

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self._read = 0
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        raw = self._file.readline(_MOST_LINE_BYTES + 1)
        if not raw:
            raise StopIteration
        self.number += 1
        self._read += len(raw)
        if len(raw) > _MOST_LINE_BYTES:
            raise TableError(
                msg("row {number} has more than {most} KiB", number=self.number, most=_MOST_LINE_BYTES // 1024),
                hint=msg("this is no table of operators, or its lines do not end"),
            )
        if self._read > MOST_BYTES:
            raise TableError(
                msg(
                    "row {number}: a file of more than {most} MiB is not read",
                    number=self.number,
                    most=MOST_BYTES >> 20,
                ),
                hint=msg("import it in parts, or take out what are no operators"),
            )
        try:
            text = raw.decode(self._encoding)
        except UnicodeDecodeError:
            raise not_encoded(self.number, self._encoding) from None
        return text.removeprefix(_MARK) if self.number == 1 else text


def not_encoded(number: int, encoding: str) -> TableError:
    """Return the error of a row that is not in the encoding it should be in."""
    return TableError(
        msg("row {number} is not {encoding}", number=number, encoding=encoding.upper()),
        hint=msg("save the file as UTF-8, or read an older one of Windows with `--encoding cp1252`"),
    )
