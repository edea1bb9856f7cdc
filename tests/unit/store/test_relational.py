"""The columns are the fields of what is published: none is forgotten, none is made up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from opsmail.operator.digest import Connection, EffectiveOperator
from opsmail.operator.model import Operator
from opsmail.references import SecretReference
from opsmail.shape import Decoder
from opsmail.store.relational import FIELDS, row
from tests.builders import operator_data


def leaves(kind: Any, path: str) -> Iterator[str]:
    """Yield the paths of the values in a type that are no sections themselves."""
    sections = [each for each in (get_args(kind) or (kind,)) if is_dataclass(each) and each is not SecretReference]
    if not sections:
        yield path
    for section in sections:
        for name, below in get_type_hints(section).items():
            yield from leaves(below, f"{path}.{name}" if path else name)


def test_every_field_has_a_column() -> None:
    known = {*leaves(Operator, ""), *leaves(Connection, "connection")}
    # The format's version, and the key.
    assert known - {"version", "operator"} == set(FIELDS)


def test_a_published_document_is_a_row() -> None:
    value, problems = Decoder(Operator).decode(operator_data(name="RH"))
    assert value is not None, problems
    columns = row(EffectiveOperator(value).canonical())
    assert columns.keys() == {path.replace(".", "_") for path in FIELDS}
    assert (columns["name"], columns["server_port"], columns["connection_private"]) == ("RH", value.server.port, False)
    assert columns["authentication_password"] == str(next(value.references())[1])
