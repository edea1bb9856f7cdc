"""Values that settings write as text: connections, durations, addresses, and other texts of a fixed form."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from opsmail.constraints import Length, Parsed, Pattern
from opsmail.expressions import expression
from opsmail.messages import msg
from opsmail.operator.model import Encryption
from opsmail.values import dataclass

Text = Annotated[str, Length(1, 300)]
_DURATION = expression(r"([1-9][0-9]{0,4})(m|h|d)")
_ADDRESS = expression(r"(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]):(\d{1,5})")


@dataclass(frozen=True, slots=True)
class ApprovedConnection:
    """A port and encryption that IT approved, written `587/starttls`."""

    port: int
    encryption: Encryption

    @classmethod
    def parse(cls, text: str) -> ApprovedConnection:
        """Return the pair; raises ValueError."""
        port, _, encryption = text.partition("/")
        if not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > 65535:
            raise ValueError(text)
        return cls(int(port), Encryption(encryption))

    def __str__(self) -> str:
        return f"{self.port}/{self.encryption.value}"


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, written `30m`, `12h` or `7d`."""

    text: str
    length: timedelta

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Return the duration; raises ValueError."""
        match = _DURATION.fullmatch(text)
        if match is None:
            raise ValueError(text)
        unit = {"m": "minutes", "h": "hours", "d": "days"}[match[2]]
        return cls(text, timedelta(**{unit: int(match[1])}))

    def __str__(self) -> str:
        return self.text


def _socket_address(text: str) -> str:
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match[2]) < 65536:
        raise ValueError(text)
    return text


SEVEN_DAYS = Duration.parse("7d")

Connection = Annotated[
    ApprovedConnection,
    Parsed(
        ApprovedConnection.parse,
        msg("a port and an encryption"),
        "587/starttls",
        r"[1-9][0-9]{0,4}/(starttls|implicit-tls|none)",
    ),
]
DurationText = Annotated[
    Duration, Parsed(Duration.parse, msg("a number of minutes, hours or days"), "7d", r"[1-9][0-9]{0,4}[mhd]")
]
SocketAddress = Annotated[
    str,
    Parsed(
        _socket_address, msg("an IP address and a port"), "127.0.0.1:2587", r"(\[[0-9a-fA-F:]+\]|[0-9.]+):[0-9]{1,5}"
    ),
]
Origin = Annotated[
    str,
    Pattern(
        r"https://[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*(:[1-9][0-9]{0,4})?",
        msg("an https address of a host, without a path"),
        "https://login.microsoftonline.com",
    ),
]
ProxyUrl = Annotated[
    str,
    Pattern(
        r"http://[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*:[1-9][0-9]{0,4}",
        msg("`http://`, a host and a port"),
        "http://proxy.empresa.com.br:3128",
    ),
]
Host = Annotated[
    str,
    Length(1, 254),
    Pattern(
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?",
        msg("a host name in lower case, as DNS knows it"),
        "smtp.empresa.com.br",
    ),
]
Domain = Annotated[
    str,
    Length(1, 253),
    Pattern(
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
        msg("a domain in lower case, as DNS knows it"),
        "empresa.com.br",
    ),
]
Ruleset = Annotated[str, Pattern(r"[1-9][0-9]{0,3}", msg("a whole number in quotes"), "1")]
Version = Annotated[str, Pattern(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}", msg("a version in quotes"), "4.8")]
