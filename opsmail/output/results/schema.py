"""The JSON Schema of what `opsmail test --format json` writes."""

from __future__ import annotations

from typing import Any

from opsmail.output.results.document import SCHEMA, Document
from opsmail.shape.schema import json_schema

_REPLY = {"code": 535, "enhanced": "5.7.139", "text": "Authentication unsuccessful"}
_EXAMPLE = {
    "schema": SCHEMA,
    "complete": True,
    "summary": {"passed": 0, "failed": 1, "inconclusive": 0, "skipped": 0},
    "results": [
        {
            "operator": "rh-notificacoes",
            "digest": f"sha256:{'d1' * 32}",
            "outcome": "failed",
            "depth": "send",
            "attempts": 1,
            "milliseconds": 412,
            "stages": [
                {"stage": "resolve", "outcome": "passed", "milliseconds": 3},
                {"stage": "authenticate", "outcome": "failed", "milliseconds": 96, "reply": _REPLY},
            ],
            "failure": {
                "stage": "authenticate",
                "rule": "OM915",
                "name": "smtp-auth-disabled-tenant",
                "fault": "configuration",
                "detail": "the server answered 535 5.7.139 Authentication unsuccessful",
                "reply": _REPLY,
                "challenge": None,
                "oauth": None,
                "cause": "SMTP AUTH is switched off for the tenant",
                "remedy": "switch it on for this mailbox, or use modern authentication",
                "path": "authentication.type",
            },
            "skipped": None,
            "evidence": [],
        }
    ],
}


def test_results_schema() -> dict[str, Any]:
    """Return the schema of the test results."""
    return json_schema(
        Document,
        title="opsmail test results",
        description="What `opsmail test --format json` found: one result for each operator, stage by stage.",
        example=_EXAMPLE,
    )
