"""The effective operator and its digest: what is tested, approved and published is exactly this."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import rfc8785

from opsmail.operator.model import Operator
from opsmail.shape import encode

FORMAT = "opsmail/operator/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What the catalogue adds to an operator's server.

    Args:
        address: `IP:port` to connect to instead; the name stays what the certificate must show.
        ca: PEM certificates trusted for this host instead of the system's.
        private: the name may resolve to a private address.
    """

    address: str | None = None
    ca: str | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class EffectiveOperator:
    """An operator with the connection that the catalogue adds to it."""

    operator: Operator
    connection: Connection = Connection()

    def canonical(self) -> bytes:
        """Return the RFC 8785 canonical JSON: the same bytes on any machine and in any language."""
        return rfc8785.dumps(self.document())

    def document(self) -> dict[str, Any]:
        """Return the published document: defaults filled in, nulls left out, the host in canonical form, secrets as references."""
        operator = encode(self.operator)
        operator["server"]["host"] = canonical_host(self.operator.server.host)
        return {"connection": encode(self.connection), "format": FORMAT, "operator": operator}

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical JSON, as `sha256:` and 64 hex digits."""
        return f"sha256:{hashlib.sha256(self.canonical()).hexdigest()}"


def canonical_host(host: str) -> str:
    """Return a host name as it is compared everywhere: lower case, without the trailing dot."""
    return host.lower().removesuffix(".")
