"""The JSON Schema of what `opsmail check --format json` writes."""

from __future__ import annotations

from typing import Any

from opsmail.output.findings.document import SCHEMA, Document
from opsmail.shape.schema import json_schema

_START, _END = {"line": 9, "column": 9}, {"line": 9, "column": 12}
_EXAMPLE = {
    "schema": SCHEMA,
    "summary": {"files": 240, "operators": 240, "errors": 1, "warnings": 0, "notes": 0, "waived": 0, "fixable": 1},
    "findings": [
        {
            "rule": "OM201",
            "name": "port-encryption-mismatch",
            "severity": "error",
            "operator": "rh",
            "path": "server.port",
            "message": "port 465 expects implicit TLS, but encryption is `starttls`",
            "file": "operators/rh.yaml",
            "start": _START,
            "end": _END,
            "related": [
                {
                    "message": "STARTTLS belongs to 587",
                    "file": "operators/rh.yaml",
                    "start": {"line": 10, "column": 15},
                    "end": {"line": 10, "column": 23},
                }
            ],
            "help": "use port 587, or encryption `implicit-tls`",
            "url": "https://opsmail.readthedocs.io/rules/OM201/",
            "waived": None,
            "fingerprint": "0f1e2d3c4b5a6978",
            "fix": {
                "safety": "unsafe",
                "description": "write 587",
                "edits": [{"start": _START, "end": _END, "text": "587"}],
            },
        }
    ],
}


def findings_schema() -> dict[str, Any]:
    """Return the schema of the findings."""
    return json_schema(
        Document,
        title="opsmail findings",
        description="What `opsmail check --format json` found, with places, reasons and remedies.",
        example=_EXAMPLE,
    )
