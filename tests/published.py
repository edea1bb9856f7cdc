"""What opsmail writes, read back once the schema that it publishes for it has agreed."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator

FOLDER = Path(__file__).parents[1] / "schemas"
_DIALECTS = (Draft7Validator, Draft202012Validator)
#: The first words of a document to the name of its schema.
_NAMES = {
    "opsmail/findings/v1": "findings",
    "opsmail/test-results/v1": "test-results",
    "opsmail/plan/v1": "plan",
    # For these none is published: they are read back by whoever reads generations, settings, secrets, messages, rules
    # or tables.
    "opsmail/history/v1": None,
    "opsmail/history-verification/v1": None,
    "opsmail/collection/v1": None,
    "opsmail/status/v1": None,
    "opsmail/diff/v1": None,
    "opsmail/drift/v1": None,
    "opsmail/why/v1": None,
    "opsmail/settings/v1": None,
    "opsmail/secrets/v1": None,
    "opsmail/import/v1": None,
    "opsmail/enquiry/v1": None,
    "opsmail/statistics/v1": None,
}


def read_json(text: str | bytes) -> Any:
    """Return the JSON in `text`; a document of opsmail's own has to be what its schema says."""
    document = json.loads(text)
    if isinstance(document, dict) and "schema" in document:
        name = _NAMES[document["schema"]]
        if name is not None:
            validate(name, document)
    elif isinstance(document, dict) and "payloadType" in document:
        validate("evidence", document)
        validate_statement(json.loads(base64.b64decode(document["payload"])))
    return document


def validate(name: str, document: Any) -> None:
    """Judge a document by a published schema, in both dialects."""
    for validator in _validators(name):
        validator.validate(document)


def validate_statement(document: Any) -> None:
    """Judge the payload of an envelope."""
    schema = published("evidence")["properties"]["payload"]["contentSchema"]
    for dialect in _DIALECTS:
        dialect(schema).validate(document)


def published(name: str) -> dict[str, Any]:
    """Return a schema as it is committed."""
    schema: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text("utf-8"))
    return schema


@cache
def _validators(name: str) -> tuple[Any, ...]:
    return tuple(dialect(published(name)) for dialect in _DIALECTS)
