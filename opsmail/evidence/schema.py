"""The JSON Schema of evidence: an envelope, and the statement in it.

The frame of a statement is in-toto's; what is ours in it, the context and the facts, is described by `evidence.facts`.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from opsmail.evidence.envelope import PAYLOAD_TYPE
from opsmail.evidence.facts import Approval, Context, TestSend
from opsmail.evidence.statement import APPROVED, STATEMENT_TYPE, SUBJECT, VERIFIER, Kind, Statement
from opsmail.shape.schema import schema_head, section_schema

_BASE64 = "^[A-Za-z0-9+/]*={0,2}$"
_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$", "title": "SHA-256", "description": "Hexadecimal."}


def evidence_schema() -> dict[str, Any]:
    """Return the schema of a file with evidence.

    The statement's is that of the decoded payload (`contentSchema`); draft-07 leaves it alone, and so do validators
    that do not decode.
    """
    signature = {
        "keyid": {"type": "string", "title": "Key", "description": "Whose signature it is: the key's id."},
        "sig": {"type": "string", "pattern": _BASE64, "title": "Signature", "description": "Ed25519, in base64."},
    }
    envelope = {
        "payload": {
            "type": "string",
            "pattern": _BASE64,
            "title": "Payload",
            "description": "The statement in base64.",
            "contentEncoding": "base64",
            "contentMediaType": PAYLOAD_TYPE,
            "contentSchema": statement_schema(),
        },
        "payloadType": _exactly(PAYLOAD_TYPE, "Payload type", "An in-toto statement."),
        "signatures": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "title": "Signatures",
            "description": "One, over the payload and its type.",
            "items": _section(signature),
        },
    }
    head = schema_head(
        title="opsmail evidence",
        description="A signed statement (DSSE envelope), such as that a test send passed, or that somebody approved.",
        example=_example(),
    )
    return {**head, **_section(envelope)}


def statement_schema() -> dict[str, Any]:
    """Return the schema of a statement; what it does not know may be there and is passed over, as in-toto demands."""
    subject = {
        "name": {
            "type": "string",
            "pattern": f"^(?:{SUBJECT.pattern})$",
            "title": "Name",
            "description": "What kind of thing it is about, and its name.",
            "examples": ["operator:rh-notificacoes"],
        },
        "digest": {
            **_section({"sha256": _SHA256}),
            "title": "Digest",
            "description": "Of exactly what the statement is about.",
        },
    }
    types = [kind.predicate_type for kind in Kind]
    explained = "\n".join(f"`{kind.predicate_type}`: {kind.value}" for kind in Kind)
    fields = {
        "_type": _exactly(STATEMENT_TYPE, "Type", "An in-toto statement, version 1."),
        "subject": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "title": "Subject",
            "description": "What the statement is about.",
            "items": _section(subject),
        },
        "predicateType": {"type": "string", "enum": types, "title": "Predicate type", "description": explained},
        "predicate": {
            **_section({"context": {**section_schema(Context, closed=False), "title": "Context"}}),
            "title": "Predicate",
            "description": "What the statement says.",
        },
    }
    return {
        "title": "Statement",
        "description": "in-toto Statement v1 with one subject.",
        **_section(fields),
        "allOf": [_when(Kind.TEST_SEND, _test_result()), _when(Kind.APPROVAL, _verification_result())],
    }


def _test_result() -> dict[str, Any]:
    return _section(
        {
            "result": _exactly("PASSED", "Result", "Only what passed is signed."),
            "failedTests": {"type": "array", "maxItems": 0, "title": "Failed tests", "description": "None."},
            "send": {**section_schema(TestSend, closed=False), "title": "Test send"},
        },
        required=("result", "send"),
    )


def _verification_result() -> dict[str, Any]:
    identity = {"id": _exactly(VERIFIER, "Id", "Who approves with opsmail.")}
    return _section(
        {
            "verifier": {
                **_section(identity),
                "additionalProperties": False,
                "title": "Verifier",
                "description": "In whose sense the properties hold.",
            },
            "properties": {
                "type": "array",
                "contains": {"const": APPROVED},
                "title": "Properties",
                "description": f"`{APPROVED}` is among them.",
            },
            "approval": {**section_schema(Approval, closed=False), "title": "Approval"},
        }
    )


def _when(kind: Kind, predicate: dict[str, Any]) -> dict[str, Any]:
    condition = {"properties": {"predicateType": {"const": kind.predicate_type}}, "required": ["predicateType"]}
    explained = {"title": "Predicate", "description": f"Of the kind `{kind.value}`."}
    return {"if": condition, "then": {"properties": {"predicate": {**predicate, **explained}}}}


def _section(properties: dict[str, Any], required: tuple[str, ...] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties if required is None else required)}


def _exactly(value: str, title: str, description: str) -> dict[str, Any]:
    return {"type": "string", "const": value, "title": title, "description": description}


def _example() -> dict[str, Any]:
    context = Context(
        repository="github.com/empresa/operators",
        environment="production",
        settings_digest=f"sha256:{'cd' * 32}",
        time=datetime(2026, 3, 10, 12, tzinfo=UTC),
        version="0.1.0",
        commit="ef" * 20,
    )
    approval = Approval(approver="ti@empresa.com.br", role="IT")
    payload = Statement.approval("operator:rh-notificacoes", "ab" * 32, context, approval).payload()
    return {
        "payload": base64.b64encode(payload).decode("ascii"),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": "01" * 32, "sig": base64.b64encode(bytes(64)).decode("ascii")}],
    }
