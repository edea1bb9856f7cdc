"""How settings write the name of a server."""

from __future__ import annotations

from typing import Annotated

from opsmail.constraints import Length, Pattern
from opsmail.messages import msg

Host = Annotated[
    str,
    Length(1, 254),
    Pattern(
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?",
        msg("a host name in lower case, as DNS knows it"),
        "smtp.empresa.com.br",
    ),
]
