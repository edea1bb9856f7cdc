"""From the rows of a table to operators, with everything that a person has to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from opsmail.messages import Message, msg
from opsmail.operator.model import Operator
from opsmail.references import SecretReference
from opsmail.shape import Decoder, Problem, ProblemKind
from opsmail.source.characters import unseen_in_value
from opsmail.transfer.columns import LABELS, Columns
from opsmail.transfer.header import Header, MappingError, require_field
from opsmail.transfer.interface import REFERENCES, Cell, Row, Table
from opsmail.transfer.naming import Names, is_id, operator_id
from opsmail.transfer.values import UnknownValueError, Value, value_of
from opsmail.values import dataclass

_TYPE, _KIND = "authentication.type", "authentication.credential.kind"
#: What a credential's secret is called, by its kind; the others have none.
_SECRETS: Mapping[str, str] = MappingProxyType(
    {"client-secret": "secret", "certificate": "pfx", "delegated": "token_cache"}
)
#: References, in the order of the file, and after which field they stand.
_AFTER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "authentication.username": REFERENCES[:1],
        _KIND: REFERENCES[1:],
    }
)


class Credentials(Protocol):
    """Decides where the secrets of new operators are kept."""

    def kind(self, operator: str, host: str) -> str:
        """Return the kind of the credential of modern authentication.

        Args:
            operator: its id.
            host: its server; empty where it is not known.
        """
        ...

    def reference(self, operator: str, host: str, kind: str) -> SecretReference:
        """Return where a secret is kept; a literal where there can be no such place.

        Args:
            operator: its id.
            host: its server; empty where it is not known.
            kind: of the credential; empty for a password.
        """
        ...


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a person has to look at.

    Args:
        path: the field.
        message: what about it.
    """

    path: str
    message: Message


@dataclass(frozen=True, slots=True)
class Imported:
    """An operator from a row.

    Args:
        operator: its id.
        row: where it is from.
        data: what its file has to say.
        remarks: what a person has to look at.
        references: field to where its secret has to be put.
    """

    operator: str
    row: int
    data: Mapping[str, Any]
    remarks: tuple[Remark, ...]
    references: tuple[tuple[str, SecretReference], ...]


class Conversion:
    """Makes operators of rows.

    Args:
        columns: what is known of values.
        defaults: field to what it is where a row has nothing for it.
        credentials: decides where secrets are kept.
    """

    def __init__(self, columns: Columns, defaults: Mapping[str, str], credentials: Credentials) -> None:
        self._columns = columns
        self._defaults = defaults
        self._credentials = credentials
        self._decoder = Decoder(Operator)
        paths = [path for known in columns.by_path for path in (known, *_AFTER.get(known, ()))]
        self._order = {path: index for index, path in enumerate(paths)}

    def operators(self, table: Table) -> Iterator[Imported]:
        """Yield the operator of each row.

        Raises:
            TableError: the table is not what it should be.
        """
        names = Names()
        for row in table.rows():
            yield self._imported(row, table.header, names)

    def _imported(self, row: Row, header: Header, names: Names) -> Imported:
        values, remarks = self._values(row.cells, header)
        operator = self._name(values, row, names)
        values |= {"version": values.get("version", 1), "operator": operator}
        remarks += self._add_references(values, operator)
        for problem in self._decoder.decode(self._nested(values))[1]:
            if problem.kind is not ProblemKind.MISSING_FIELD:
                _take_out(values, problem)
            elif any(remark.path == problem.path for remark in remarks):
                continue  # why it is missing was told
            remarks.append(Remark(problem.path, problem.message))
        references = [(path, SecretReference.parse(str(values[path]))) for path in REFERENCES if path in values]
        return Imported(operator, row.number, self._nested(values), tuple(remarks), tuple(references))

    def _values(self, cells: Mapping[str, Cell], header: Header) -> tuple[dict[str, Value], list[Remark]]:
        """Return what the cells mean, by field; and what means nothing."""
        values: dict[str, Value] = {}
        remarks = []
        for path, cell in sorted((dict(self._defaults) | dict(cells)).items(), key=self._rank):
            column = header.names.get(path, path)
            try:
                values[path] = (
                    str(cell)
                    if isinstance(cell, SecretReference)
                    else _value(self._columns, path, cell, column, values.get("server.port"))
                )
            except UnknownValueError as error:
                remarks.append(Remark(path, error.message))
        return values, remarks

    def _name(self, values: dict[str, Value], row: Row, names: Names) -> str:
        """Return the operator's id; what it was called stays its name for people."""
        address = str(values.get("sender.address", ""))
        called = str(values.get("operator") or values.get("name") or address.partition("@")[0])
        if "operator" in values and not is_id(called):
            values.setdefault("name", called)
        return names.take(operator_id(called) or f"operator-{row.number}")

    def _add_references(self, values: dict[str, Value], operator: str) -> list[Remark]:
        """Add where the secret of the login is kept."""
        host, kind, path = str(values.get("server.host", "")), "", REFERENCES[0]
        if values.get(_TYPE) == "modern":
            kind = str(values.setdefault(_KIND, self._credentials.kind(operator, host)))
            path = f"authentication.credential.{_SECRETS[kind]}" if kind in _SECRETS else ""
        elif values.get(_TYPE) != "basic":
            path = ""
        if not path or path in values:
            return []
        reference = self._credentials.reference(operator, host, kind)
        if reference.is_literal:
            return [Remark(path, msg("no reference to a secret can be made of this operator's id"))]
        values[path] = str(reference)
        return []

    def _nested(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """Return the data of a file, in the order of the model."""
        data: dict[str, Any] = {}
        for path, value in sorted(values.items(), key=self._rank):
            *sections, name = ["labels", path.removeprefix(LABELS)] if path.startswith(LABELS) else path.split(".")
            section = data
            for part in sections:
                section = section.setdefault(part, {})
            section[name] = value
        return data

    def _rank(self, item: tuple[str, object]) -> int:
        return self._order.get(item[0], len(self._order))


def _take_out(values: dict[str, Value], problem: Problem) -> None:
    for path in [path for path in values if path == problem.path or path.startswith(f"{problem.path}.")]:
        del values[path]


def _value(columns: Columns, path: str, cell: str, column: str, port: object = None) -> Value:
    """Return what a cell means for a field, see `value_of`; labels are free."""
    hidden = unseen_in_value(cell)
    if hidden is not None:
        raise UnknownValueError(hidden)
    return cell if path.startswith(LABELS) else value_of(columns, columns.by_path[path], cell, column, port)


def parse_defaults(columns: Columns, texts: tuple[str, ...]) -> dict[str, str]:
    """Return what `FIELD=VALUE` says of each field.

    Raises:
        MappingError: there is no such field, or it cannot have this value.
    """
    defaults = {}
    for text in texts:
        path, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not value:
            raise MappingError(
                msg("`--default` takes FIELD=VALUE"), hint=msg("for example `--default authentication.type=basic`")
            )
        require_field(columns, path)
        try:
            _value(columns, path, value, path)
        except UnknownValueError as error:
            raise MappingError(
                msg("{option}: {fault}", option="--default", fault=error.message),
                hint=msg("see `opsmail import --help`"),
            ) from None
        defaults[path] = value
    return defaults
