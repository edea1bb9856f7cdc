"""What IT would have to write into the catalogue, so that an operator is approved."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from opsmail.operator.model import Federated, ManagedIdentity, ModernAuthentication, Operator
from opsmail.settings.catalogue import environment_name
from opsmail.settings.model import ServerEntry
from opsmail.settings.notation import ApprovedConnection
from opsmail.shape import encode

#: Rules whose errors an approval ends.
NOT_APPROVED = frozenset(("OM209", "OM410", "OM604"))


def approval(operator: Operator, entry: ServerEntry | None) -> str:
    """Return the catalogue entry that approves an operator, as TOML.

    Args:
        operator: what it should approve.
        entry: what is approved of its server already, which stays; None for nothing.
    """
    approved: dict[str, Any] = {} if entry is None else encode(entry)
    wanted = {name: approved.get(name, []) + _added(approved.get(name, []), items) for name, items in _wanted(operator)}
    return server_entry({"host": operator.server.host} | {name: items for name, items in wanted.items() if items})


def server_entry(fields: Mapping[str, Any]) -> str:
    """Return an entry of `[[servers]]` with its fields, lists of texts, texts or truth values, as TOML."""
    return "\n".join(["[[servers]]", *(f"{name} = {toml_value(value)}" for name, value in fields.items()), ""])


def toml_value(value: object) -> str:
    """Return a text, a truth value or a list of them as TOML writes it (a basic string is what JSON calls one)."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _wanted(operator: Operator) -> Sequence[tuple[str, list[str]]]:
    authentication = operator.authentication
    wanted = [
        ("connections", [str(ApprovedConnection(operator.server.port, operator.server.encryption))]),
        ("authentication", [str(authentication.type)]),
        ("secrets", _secrets(operator)),
    ]
    if isinstance(authentication, ModernAuthentication):
        wanted += [("tenants", [authentication.tenant]), ("client_ids", [authentication.client_id])]
    return wanted


def _secrets(operator: Operator) -> list[str]:
    """Return the patterns that cover the operator's credential, and in the same way those of others."""
    if isinstance(operator.authentication, ModernAuthentication):
        credential = operator.authentication.credential
        if isinstance(credential, Federated | ManagedIdentity):
            return [credential.kind]
    names = {environment_name(operator.operator): "{OPERATOR}", operator.operator: "{operator}"}
    patterns = []
    for _, reference in operator.references():
        scheme, _, rest = str(reference).partition("://")
        for name, placeholder in names.items():
            rest = rest.replace(name, placeholder)
        patterns.append(f"{scheme}://{rest}")
    return patterns


def _added(approved: Sequence[str], wanted: Sequence[str]) -> list[str]:
    return [item for item in wanted if item not in approved]
