"""The JSON Schema of the operator file, for editors and other validators."""

from __future__ import annotations

from typing import Any

from opsmail.operator.model import Operator
from opsmail.shape.schema import json_schema

_EXAMPLE = {
    "version": 1,
    "operator": "rh-notificacoes",
    "name": "Notificações do RH",
    "sender": {"address": "rh@empresa.com.br", "display_name": "RH Empresa"},
    "server": {"host": "smtp.empresa.com.br", "port": 587, "encryption": "starttls"},
    "authentication": {
        "type": "basic",
        "username": "rh@empresa.com.br",
        "password": "env://OPSMAIL_SECRET_RH_NOTIFICACOES",
    },
}


def operator_schema() -> dict[str, Any]:
    """Return the schema of one operator file."""
    return json_schema(
        Operator,
        title="Operator e-mail settings",
        description="One sending identity of a business system: who sends, over which server, with which login.",
        example=_EXAMPLE,
    )
