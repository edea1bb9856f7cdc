"""The JSON Schema of a saved plan."""

from __future__ import annotations

from typing import Any

from opsmail.publish.plan import Plan
from opsmail.publish.saved import SCHEMA
from opsmail.shape.schema import schema_head, section_schema

_EXAMPLE = {
    "schema": SCHEMA,
    "id": f"sha256:{'1d' * 32}",
    "store": "0f" * 16,
    "epoch": 1,
    "environment": "production",
    "base": 7,
    "base_digest": "ba" * 32,
    "repository": "github.com/empresa/operators",
    "commit": "c0" * 20,
    "settings_digest": f"sha256:{'cd' * 32}",
    "published": 240,
    "unchanged": 239,
    "changes": [
        {
            "operator": "rh-notificacoes",
            "action": "update",
            "before": "be" * 32,
            "after": "af" * 32,
            "fields": [{"path": "server.port", "before": 25, "after": 587}],
            "master_lost": False,
        }
    ],
    "held": ["financeiro"],
    "revoked": [{"operator": "faturamento", "reason": "the server `smtp.antigo.test` is not approved"}],
}


def plan_schema() -> dict[str, Any]:
    """Return the schema of a saved plan."""
    head = schema_head(
        title="opsmail plan",
        description="What `opsmail publish` would change, as `opsmail plan --out` saves it.",
        example=_EXAMPLE,
    )
    facts = section_schema(Plan)
    named = {
        "schema": {"type": "string", "const": SCHEMA, "title": "Schema", "description": "What this document is."},
        "id": {
            "type": "string",
            "pattern": "^sha256:[0-9a-f]{64}$",
            "title": "Id",
            "description": "SHA-256 of everything else but `schema`, as canonical JSON (RFC 8785).",
        },
    }
    properties, required = {**named, **facts["properties"]}, [*named, *facts["required"]]
    return {**head, "type": "object", "properties": properties, "required": required, "additionalProperties": False}
