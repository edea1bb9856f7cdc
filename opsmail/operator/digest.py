"""The effective operator and its digest: what is tested, approved and published is exactly this."""

from __future__ import annotations

import hashlib
import json
from functools import cache, cached_property
from typing import Annotated, Any, TypeVar

from opsmail.canonical import canonical_json
from opsmail.constraints import Length
from opsmail.operator.model import Operator
from opsmail.shape import Decoder, encode
from opsmail.values import dataclass

FORMAT = "opsmail/operator/v1"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What the catalogue adds to an operator's server and to its identity provider.

    Args:
        address: `IP:port` to connect to instead; the name stays what the certificate must show.
        ca: PEM certificates trusted for this host instead of the system's.
        private: the name may resolve to a private address.
        authority: `https://host[:port]` of another identity provider than the cloud's.
        authority_ca: PEM certificates trusted for it instead of the system's.
        federated_audience: whom an outside identity token must be for, instead of the cloud's usual audience.
        federated_token: reference to where that token is, instead of the CI system.
    """

    address: str | None = None
    ca: Annotated[str, Length(1, 1_000_000)] | None = None
    private: bool = False
    authority: Annotated[str, Length(1, 300)] | None = None
    authority_ca: Annotated[str, Length(1, 1_000_000)] | None = None
    federated_audience: Annotated[str, Length(1, 300)] | None = None
    federated_token: Annotated[str, Length(1, 700)] | None = None


@dataclass(frozen=True)  # without slots, so that the digest that everybody asks for is kept
class EffectiveOperator:
    """An operator with the connection that the catalogue adds to it."""

    operator: Operator
    connection: Connection = Connection()

    def canonical(self) -> bytes:
        """Return the RFC 8785 canonical JSON: the same bytes on any machine and in any language."""
        return canonical_json(self.document())

    def document(self) -> dict[str, Any]:
        """Return the published document.

        Defaults are filled in, nulls left out, the host is in its canonical form, secrets are references.
        """
        operator = encode(self.operator)
        operator["server"]["host"] = canonical_host(self.operator.server.host)
        return {"connection": encode(self.connection), "format": FORMAT, "operator": operator}

    @classmethod
    def parse(cls, content: bytes) -> EffectiveOperator:
        """Return the operator of a canonical document.

        Raises:
            ValueError: the bytes are no such document; the message tells what is wrong with it.
        """
        data = json.loads(content)
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError(f"not a document of the format {FORMAT}")
        operator, problems = _decoder(Operator).decode(data.get("operator"))
        connection, more = _decoder(Connection).decode(data.get("connection"))
        if operator is None or connection is None or problems or more:
            raise ValueError("; ".join(str(problem.message) for problem in [*problems, *more]))
        return cls(operator, connection)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the canonical JSON, as `sha256:` and 64 hex digits."""
        return f"sha256:{hashlib.sha256(self.canonical()).hexdigest()}"


def canonical_host(host: str) -> str:
    """Return a host name as it is compared everywhere: lower case, without the trailing dot."""
    return host.lower().removesuffix(".")


@cache
def _decoder(target: type[_T]) -> Decoder[_T]:
    # Made from the annotations, which takes milliseconds: only for whoever reads documents, and once.
    return Decoder(target)
