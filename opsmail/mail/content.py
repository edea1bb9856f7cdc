"""A message as bytes for the wire, and the envelope that its headers ask for."""

from __future__ import annotations

import copy
import re
from dataclasses import field
from email.errors import MessageError
from email.generator import BytesGenerator
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from io import BytesIO

from opsmail.mail.failure import Failure, Kind
from opsmail.messages import msg
from opsmail.values import dataclass

# RFC 5322 section 2.2; a header's value goes on only where the next line begins with white space.
_NAME = re.compile(r"[!-9;-~]+")
_ENDS_EARLY = re.compile(r"\r(?!\n[ \t])|(?<!\r)\n(?![ \t])|\0")

_ASCII = SMTP.clone(cte_type="7bit")

_ADDRESSES = ("from", "sender", "reply-to", "to", "cc", "bcc")
_RECIPIENTS = ("to", "cc", "bcc")


@dataclass(frozen=True, slots=True)
class Content:
    """A message written out.

    Args:
        data: its bytes, without Bcc.
        smtputf8: whether its headers are in UTF-8, which only a server with SMTPUTF8 takes (RFC 6531).
        eight_bit: whether it has bytes beyond ASCII, which only a server with 8BITMIME takes (RFC 6152).
    """

    data: bytes = field(repr=False)
    smtputf8: bool
    eight_bit: bool


def write_out(message: EmailMessage, *, smtputf8: bool, eight_bit: bool) -> Content:
    """Return `message` as it goes over the wire.

    Args:
        message: an `EmailMessage`. The older `Message` is not taken: it lets line ends into header values.
        smtputf8: whether UTF-8 in headers may be used. It is where an address has no other form.
        eight_bit: whether bytes beyond ASCII may be sent; without, they become base64 or quoted-printable.

    Raises:
        Failure: it is of another class, a header would end early and become another one, or its addresses cannot be
        written.
    """
    if not isinstance(message, EmailMessage):
        raise Failure(Kind.INVALID_MESSAGE, msg("a message is an email.message.EmailMessage"))
    _check_headers(message)
    utf8 = not all(address.isascii() for address in _addresses(message, _ADDRESSES))
    if utf8 and not smtputf8:
        raise Failure(
            Kind.SMTPUTF8_MISSING, msg("the message has an address beyond ASCII, which the server does not take")
        )
    sent = copy.copy(message)
    del sent["Bcc"]
    buffer = BytesIO()
    try:
        BytesGenerator(buffer, policy=SMTPUTF8 if utf8 else SMTP if eight_bit else _ASCII).flatten(sent)
    except (MessageError, UnicodeError, ValueError, LookupError, AttributeError, TypeError) as error:
        # The generator trusts what it is given. Its reason may quote a header: the class is enough.
        raise Failure(
            Kind.INVALID_MESSAGE, msg("the message cannot be written out ({reason})", reason=type(error).__name__)
        ) from None
    data = buffer.getvalue()
    return Content(data, utf8, not data.isascii())


def recipients(message: EmailMessage) -> tuple[str, ...]:
    """Return the bare addresses in To, Cc and Bcc, each once."""
    return tuple(dict.fromkeys(_addresses(message, _RECIPIENTS)))


def _check_headers(message: EmailMessage) -> None:
    for part in message.walk():
        for name, value in part.raw_items():
            # Its own policy refuses these, unless it was made with another policy, or parsed.
            if not _NAME.fullmatch(name) or _ENDS_EARLY.search(str(value)):
                raise Failure(Kind.INVALID_MESSAGE, msg("a header of the message has a line end or NUL in it"))


def _addresses(message: EmailMessage, names: tuple[str, ...]) -> list[str]:
    found: list[Address] = []
    for name in names:
        for header in message.get_all(name, []):
            found += getattr(header, "addresses", ())
    return [address.addr_spec for address in found if address.username or address.domain]
