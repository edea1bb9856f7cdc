"""The JSON Schema of `opsmail.toml`, for editors."""

from __future__ import annotations

from typing import Any

from opsmail.settings.load import OVERLAYABLE
from opsmail.settings.model import SettingsFile
from opsmail.shape.schema import json_schema

_EXAMPLE = {
    "operators": "operators",
    "policy": {"sender_domains": ["empresa.com.br"]},
    "servers": [
        {
            "host": "smtp.empresa.com.br",
            "connections": ["587/starttls"],
            "authentication": ["basic"],
            "secrets": ["env://OPSMAIL_SECRET_{OPERATOR}"],
        }
    ],
    "environments": {"production": {"store": {"url": "sqlite:////var/lib/opsmail/opsmail.db"}}},
}


def settings_schema() -> dict[str, Any]:
    """Return the schema of the settings file."""
    schema = json_schema(
        SettingsFile,
        title="opsmail settings",
        description="Which servers IT approved, what may be sent there, how operators are judged, tested, published.",
        example=_EXAMPLE,
    )
    schema["properties"]["environments"] = {
        "title": "Environments",
        "description": "What is different in one environment: tables merge, arrays replace.",
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "properties": {name: schema["properties"][name] for name in OVERLAYABLE},
            "additionalProperties": False,
        },
    }
    return schema
