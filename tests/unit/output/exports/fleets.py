"""Published fleets as tests make them up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsmail.operator.digest import Connection, EffectiveOperator
from opsmail.operator.model import Operator
from opsmail.shape import Decoder
from opsmail.transfer.published import Fleet
from tests.builders import operator_data


def effective(connection: Connection | None = None, **sections: Any) -> EffectiveOperator:
    operator, problems = Decoder(Operator).decode(operator_data(**sections))
    assert operator is not None, problems
    return EffectiveOperator(operator, connection or Connection())


def fleet_of(operators: Mapping[str, Mapping[str, Any]]) -> Fleet:
    """Return a fleet of operators by id, each with what is special about it."""
    made = {name: effective(**{"operator": name, "role": "standard", **own}) for name, own in operators.items()}
    return Fleet("production", 7, made)


#: What is valid in an operator file, and means something to a shell, to JSON or to msmtp.
HOSTILE = (
    *("it's", '"', '"quoted"', "'", "\\", "\\n", "$HOME", "${X}", "`id`", "$(id)", "a b", " a ", "#c", "a#b", "!x"),
    *("%H", "a=b", "*", "~", "é", "日本", "\U0001f4e7", "'\"'$`\\", "&&", ";", "<", "##[x]", "::set-env::", "\\'"),
)
MODERN = {
    "type": "modern",
    "username": "rh@empresa.com.br",
    "tenant": "empresa.onmicrosoft.com",
    "client_id": "1a2b",
    "credential": {"kind": "client-secret", "secret": "vault://secret/opsmail/rh#password"},
    "password": None,
}
