"""Tables in JSON: an array of objects, an object of them by name, or what `opsmail export` writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from opsmail.messages import msg
from opsmail.references import SecretReference
from opsmail.secrets import known_schemes
from opsmail.transfer.columns import Columns
from opsmail.transfer.delimited import not_encoded
from opsmail.transfer.header import Expected, Header
from opsmail.transfer.interface import MOST_BYTES, REFERENCES, Cell, Row, TableError, require_few

#: Deeper than any section of an operator.
_DEEPEST = 8
#: There, and nowhere else, a text that is a reference is kept.
_REFERENCES = frozenset(REFERENCES)
_NAME = "operator"


class JsonTable:
    """A table in a JSON file; see `Table`. The keys in it are the columns, those of sections joined by dots.

    Args:
        file: its bytes.
        encoding: `utf-8` or `cp1252`.
        expected: what is known of its keys.

    Raises:
        TableError: it is no such file.
        UsageError: nothing in it is known.
    """

    def __init__(self, file: BinaryIO, encoding: str, expected: Expected) -> None:
        self._rows = list(_flattened(_items(_parsed(file, encoding, expected.columns))))
        names = list(dict.fromkeys(name for row in self._rows for name in row))
        references = {
            name for row in self._rows for name, value in row.items() if isinstance(value, SecretReference)
        } & _REFERENCES
        self.header: Header = expected.header([name for name in names if name not in references])
        self._paths = {name: path for path, name in self.header.names.items()} | {path: path for path in references}

    def rows(self) -> Iterator[Row]:
        """Yield its rows, once."""
        for number, row in enumerate(self._rows, 1):
            require_few(number, number)
            cells: dict[str, Cell] = {}
            for name, value in row.items():
                path = self._paths.get(name)
                kept = isinstance(value, SecretReference) == (path in _REFERENCES)
                if path is not None and kept and value:
                    cells[path] = value
            yield Row(number, cells)


def _parsed(file: BinaryIO, encoding: str, columns: Columns) -> Any:
    """Return the document without the values of keys that may be those of secrets."""
    raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise TableError(
            msg("a file of more than {most} MiB is not read", most=MOST_BYTES >> 20),
            hint=msg("import it in parts, or take out what are no operators"),
        )
    try:
        text = raw.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise not_encoded(raw.count(b"\n", 0, error.start) + 1, encoding) from None
    schemes = known_schemes()

    def take(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        taken = {key: _without_secret(columns, key, value, schemes) for key, value in pairs}
        if len(taken) != len(pairs):
            raise _Refused
        return taken

    try:
        return json.loads(text, object_pairs_hook=take, parse_int=str, parse_float=str, parse_constant=_nothing)
    except _Refused:
        raise TableError(
            msg("an object has the same key twice"), hint=msg("correct the program that wrote the file")
        ) from None
    except RecursionError:
        raise _no_table() from None
    except json.JSONDecodeError as error:  # it holds the whole text
        raise TableError(
            msg("line {line} is no JSON: {reason}", line=error.lineno, reason=error.msg),
            hint=msg("correct the program that wrote the file"),
        ) from None


class _Refused(Exception):  # noqa: N818 - on its way out of the parser, no error of the program
    """A key stands twice in an object."""


def _nothing(constant: str) -> None:
    """Return what NaN and infinities stand for here, which no field can be."""


def _without_secret(columns: Columns, key: str, value: Any, schemes: Iterable[str]) -> Any:
    """Return a value, nothing for one that may be a secret, and for a reference the reference."""
    if not columns.is_secret(key) or (isinstance(value, dict) and key == "credential"):
        return value
    reference = SecretReference.parse(value) if isinstance(value, str) else None
    return reference if reference is not None and reference.scheme in schemes else ""


def _items(document: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the objects that are rows; what names them is their operator, unless they say it themselves."""
    if isinstance(document, dict) and isinstance(document.get("operators"), dict | list):
        document = document["operators"]
    if isinstance(document, dict) and document and all(isinstance(value, dict) for value in document.values()):
        yield from ({_NAME: name} | value for name, value in document.items())
        return
    if not isinstance(document, list) or not document:
        raise _no_table()
    for number, value in enumerate(document, 1):
        if not isinstance(value, dict):
            raise TableError(
                msg("row {number} is no object", number=number),
                hint=msg("an array of objects has one for each operator"),
            )
        yield value


def _no_table() -> TableError:
    return TableError(
        msg("this is no table of operators"),
        hint=msg("it is an array of objects, or an object that has one for each operator by its name"),
    )


def _flattened(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Cell]]:
    for row in rows:
        yield dict(_cells(row, "", 0))


def _cells(section: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Cell]]:
    """Yield each value with the names that lead to it, joined by dots; nulls and lists are none."""
    for name, value in section.items():
        if isinstance(value, dict):
            if depth < _DEEPEST:
                yield from _cells(value, f"{prefix}{name}.", depth + 1)
        elif isinstance(value, bool):
            yield f"{prefix}{name}", "true" if value else "false"
        elif isinstance(value, SecretReference):
            yield f"{prefix}{name}", value
        elif isinstance(value, str):
            yield f"{prefix}{name}", value.strip()
