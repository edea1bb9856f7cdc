"""Tables as tests write them, and what is read of them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from opsmail.references import SecretReference
from opsmail.transfer.columns import load_columns
from opsmail.transfer.delimited import DelimitedTable
from opsmail.transfer.header import Expected
from opsmail.transfer.interface import Row, Table
from opsmail.transfer.json import JsonTable
from opsmail.transfer.operators import Conversion, Imported, parse_defaults

COLUMNS = load_columns()


class KeptInVariables:
    """Decides like a catalogue that knows no server."""

    def kind(self, operator: str, host: str) -> str:
        return "client-secret"

    def reference(self, operator: str, host: str, kind: str) -> SecretReference:
        return SecretReference.parse(f"env://SECRET_{operator.upper().replace('-', '_')}")


def expected(*maps: str) -> Expected:
    return Expected.parse(COLUMNS, maps)


def as_bytes(content: str | bytes, encoding: str = "utf-8") -> bytes:
    return content.encode(encoding) if isinstance(content, str) else content


def csv_table(content: str | bytes, *maps: str, encoding: str = "utf-8") -> DelimitedTable:
    return DelimitedTable(BytesIO(as_bytes(content, encoding)), encoding, expected(*maps))


def json_table(content: str | bytes, *maps: str, encoding: str = "utf-8") -> JsonTable:
    return JsonTable(BytesIO(as_bytes(content, encoding)), encoding, expected(*maps))


def rows(table: Table) -> list[Row]:
    return list(table.rows())


def imported(table: Table, *defaults: str) -> list[Imported]:
    return list(Conversion(COLUMNS, parse_defaults(COLUMNS, defaults), KeptInVariables()).operators(table))


def remarks(operator: Imported) -> dict[str, str]:
    return {remark.path: str(remark.message) for remark in operator.remarks}


def operator_from(cells: dict[str, str], *defaults: str) -> Imported:
    """Return the operator of a row that has these cells by the names of their columns."""
    quoted = [[text.replace('"', '""') for text in line] for line in (cells, cells.values())]
    text = "\n".join(",".join(f'"{cell}"' for cell in line) for line in quoted)
    (operator,) = imported(csv_table(text), *defaults)
    return operator


def complete(**fields: str) -> dict[str, str]:
    """Return the cells of an operator that lacks nothing; an empty one takes a field away."""
    cells: dict[str, Any] = {
        "operator": "rh",
        "authentication_type": "basic",
        "server_host": "smtp.empresa.com.br",
        "server_port": "587",
        "server_encryption": "starttls",
        "sender_address": "rh@empresa.com.br",
        "authentication_username": "rh@empresa.com.br",
    }
    return {name: text for name, text in (cells | fields).items() if text}
