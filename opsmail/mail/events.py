"""What goes out of the protocol object and what comes of it."""

from __future__ import annotations

from dataclasses import field

from opsmail.mail.reply import Reply
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """What to send.

    Args:
        wire: the bytes; not part of `repr`, they may carry a secret.
        shown: the same for a transcript, nothing secret in it.
    """

    wire: bytes = field(repr=False)
    shown: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server did what the command asked for."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Challenged:
    """The server wants the next response of the exchange: `answer()` makes it."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Refused:
    """The server said no (5yz) or not now (4yz) to `command`, which is empty where nothing was asked."""

    reply: Reply
    command: str


Event = Accepted | Challenged | Refused
