"""DSSE envelopes with one Ed25519 signature: their form, and what exactly is signed.

Protocol and form: https://github.com/secure-systems-lab/dsse, `protocol.md` and `envelope.md`. Written out here because
the library for it loads the clients of every cloud's key store that is installed: an application server would pay for
that at each start. The tests have it judge what is written here, and the other way round.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from opsmail.canonical import canonical_json
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with its signature.

    Args:
        payload: what is signed.
        payload_type: says how to read it; signed along with it.
        key_id: who signed.
        signature: 64 bytes (RFC 8032 section 5.1.6); anything until it is verified.
    """

    payload: bytes
    payload_type: str
    key_id: str
    signature: bytes

    @classmethod
    def parse(cls, data: Mapping[str, object]) -> Envelope | None:
        """Return the envelope of parsed JSON, of which only the form is judged; None for what is none of this form."""
        match data:
            case {
                "payload": str(payload),
                "payloadType": str(payload_type),
                "signatures": [{"keyid": str(key_id), "sig": str(signature)}],
            }:
                content, signed = _base64(payload), _base64(signature)
                if content is not None and signed is not None:
                    return cls(content, payload_type, key_id, signed)
        return None

    def canonical(self) -> bytes:
        """Return the envelope as RFC 8785 canonical JSON."""
        return canonical_json(
            {
                "payload": base64.b64encode(self.payload).decode("ascii"),
                "payloadType": self.payload_type,
                "signatures": [{"keyid": self.key_id, "sig": base64.b64encode(self.signature).decode("ascii")}],
            }
        )


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return what a signature is made over: both parts, so that neither can be exchanged.

    Args:
        payload_type: how the payload is to be read.
        payload: the bytes.
    """
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _base64(text: str) -> bytes | None:
    """Return what `text` holds, None where it is not base64 as it is written here: one spelling for one content."""
    try:
        content = base64.b64decode(text, validate=True)
        return content if base64.b64encode(content) == text.encode("ascii") else None
    except ValueError:
        return None
