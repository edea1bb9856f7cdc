"""What the cells of a table mean. What they hold is not repeated: in a shifted row it may be a password."""

from __future__ import annotations

from opsmail.expressions import expression
from opsmail.messages import Message, msg
from opsmail.operator.model import Encryption
from opsmail.operator.ports import PORT_ENCRYPTIONS
from opsmail.shape import may_show
from opsmail.transfer.columns import Columns, FieldColumns, plain

Value = str | int | bool

#: As spreadsheets and data frames write whole numbers, too.
_NUMBER = expression(r"([0-9]{1,9})(?:[.,]0+)?")
#: The day as ISO 8601 writes it, as databases give it, too: with midnight.
_DAY = expression(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")


class UnknownValueError(Exception):
    """A cell holds nothing that its field can be.

    Args:
        message: what is wrong with it.
    """

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


def value_of(columns: Columns, field: FieldColumns, cell: str, column: str, port: object) -> Value:
    """Return what a cell means.

    Args:
        columns: what is known.
        field: what the cell is for.
        cell: its text.
        column: what its column is called.
        port: the server's, where it is known.

    Raises:
        UnknownValueError: it means nothing.
    """
    match field.kind:
        case "number":
            return _number(field, cell, column)
        case "truth":
            return _truth(columns, cell, column)
        case "date":
            found = _DAY.fullmatch(cell)
            if found is None:
                raise UnknownValueError(msg("`{column}` is no date in the form year-month-day", column=column))
            return found[1]
        case "choice":
            return _choice(columns, field, cell, column, port)
        case _:
            return cell


def _number(field: FieldColumns, cell: str, column: str) -> int:
    found = _NUMBER.fullmatch(cell)
    number = 0 if found is None else int(found[1])
    if not 1 <= number <= field.most:
        raise UnknownValueError(msg("`{column}` is no number from 1 to {most}", column=column, most=field.most))
    return number


def _truth(columns: Columns, cell: str, column: str) -> bool:
    known = columns.truths.get(plain(cell))
    if known is None:
        raise UnknownValueError(msg("`{column}` is neither yes nor no", column=column))
    return known


def _choice(columns: Columns, field: FieldColumns, cell: str, column: str, port: object) -> str:
    known = columns.choices[field.path]
    word = plain(cell)
    if word in known:
        return known[word]
    if word in map(plain, field.by_port):
        return _by_port(column, port)
    choices = ", ".join(f"`{choice}`" for choice in field.values)
    if may_show(cell, [*known, *field.values]):
        message = msg(
            "`{value}` in `{column}` is not known; it can be {choices}", value=cell, column=column, choices=choices
        )
    else:
        message = msg("what `{column}` holds is not known; it can be {choices}", column=column, choices=choices)
    raise UnknownValueError(message)


def _by_port(column: str, port: object) -> str:
    """Return the encryption that belongs to a port: SSL and TLS alone name no way to connect."""
    known = PORT_ENCRYPTIONS.get(port, ()) if isinstance(port, int) else ()
    encryption = next((item for item in known if item is not Encryption.NONE), None)
    if encryption is not None:
        return encryption.value
    raise UnknownValueError(
        msg(
            "`{column}` says that there is encryption, and the port does not tell which: `starttls` or `implicit-tls`",
            column=column,
        )
    )
