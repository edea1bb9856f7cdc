"""Evidence made anew: statements changed and signed by whom a test wants, without the product's own signing."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tests.acceptance.repository import KeyPair
from tests.published import read_json

Statement = dict[str, Any]
Change = Callable[[Statement], None]


def statement_of(path: Path) -> Statement:
    """Return the statement that an evidence file carries."""
    statement = json.loads(base64.b64decode(read_json(path.read_text("utf-8"))["payload"]))
    assert isinstance(statement, dict)
    return statement


def signed_anew(path: Path, private: str, change: Change) -> bytes:
    """Return the envelope in `path` with its statement changed, signed with the key `private` (PEM).

    The signature is the one of the DSSE protocol; the key's id is left as it is, for it is only a hint.
    """
    envelope = read_json(path.read_text("utf-8"))
    statement = statement_of(path)
    change(statement)
    payload = json.dumps(statement, separators=(",", ":"), sort_keys=True).encode()
    kind = envelope["payloadType"].encode()
    key = load_pem_private_key(private.encode(), None)
    assert isinstance(key, Ed25519PrivateKey)
    signature = key.sign(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    envelope["payload"] = base64.b64encode(payload).decode()
    (only,) = envelope["signatures"]
    only["sig"] = base64.b64encode(signature).decode()
    return json.dumps(envelope).encode()


def unchanged(statement: Statement) -> None:
    """Leave the statement as it is."""


def aged(age: timedelta) -> Change:
    """Return what makes a statement claim to be `age` old."""

    def change(statement: Statement) -> None:
        time = datetime.now(UTC) - age
        statement["predicate"]["context"]["time"] = time.strftime("%Y-%m-%dT%H:%M:%SZ")

    return change


def new_pair() -> KeyPair:
    """Return a pair of keys that no settings know."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(private.decode(), public.decode())
