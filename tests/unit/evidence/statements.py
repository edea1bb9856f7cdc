"""Statements, keys and envelopes to test with."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from opsmail.evidence.envelope import sign
from opsmail.evidence.facts import Context, Depth, ServerReply, TestSend, Tls
from opsmail.evidence.keys import SigningKey, TrustedKey
from opsmail.evidence.statement import Kind, Statement
from tests.published import read_json, validate_statement

NOW = datetime(2026, 3, 10, 12, 0, 0, tzinfo=UTC)
DIGEST = "ab" * 32
SETTINGS = "sha256:" + "cd" * 32
CONTEXT = Context(
    repository="github.com/empresa/operators",
    environment="production",
    settings_digest=SETTINGS,
    time=NOW,
    version="0.1.0",
    commit="ef" * 20,
    run="https://ci.empresa.com.br/runs/1?job=2#log",
)
FACTS = TestSend(
    depth=Depth.SEND,
    stages=("resolve", "connect", "tls", "authenticate", "envelope", "send"),
    tls=Tls(
        version="TLSv1.3",
        cipher="TLS_AES_256_GCM_SHA384",
        subject="CN=smtp.empresa.com.br",
        issuer="CN=Empresa CA",
        not_after=datetime(2027, 1, 1, tzinfo=UTC),
        sha256="01" * 32,
    ),
    mechanism="PLAIN",
    reply=ServerReply(code=250, enhanced="2.0.0", text="Ok: queued as 4FzX"),
    message_id="<1@opsmail.test>",
)
EVERY_KIND = frozenset(Kind)


def sent(**context: Any) -> Statement:
    """A passed test send of `rh`, with some of its context changed."""
    return Statement.test_send("rh", DIGEST, replace(CONTEXT, **context), FACTS)


def trusted(key: SigningKey, **changes: Any) -> TrustedKey:
    """`key`, trusted for everything in production but for the changes."""
    trust = TrustedKey(key.public, EVERY_KIND, frozenset({"production"}), name="keys/ci.pub.pem")
    return replace(trust, **changes)


def signed_payload(payload: bytes, key: SigningKey, payload_type: str = "application/vnd.in-toto+json") -> bytes:
    """An envelope of any payload; the encoding (DSSE protocol, PAE) written out, apart from the library under test."""
    encoded = b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type.encode(), len(payload), payload)
    signature = key._key.sign(encoded)
    return json.dumps(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": key.public.key_id, "sig": base64.b64encode(signature).decode()}],
        }
    ).encode()


def opened(envelope: bytes) -> Any:
    """The envelope as plain data, to be changed and closed again."""
    return json.loads(envelope)


def closed(envelope: Any) -> bytes:
    return json.dumps(envelope).encode()


def payload_of(statement: Statement) -> Any:
    """The statement as plain data, which is what its published schema says."""
    document = json.loads(statement.payload())
    validate_statement(document)
    return document


def name_of(envelope: bytes) -> str:
    return hashlib.sha256(envelope).hexdigest()


def envelope(key: SigningKey, **context: Any) -> bytes:
    content = sign(sent(**context), key)
    read_json(content)
    return content
