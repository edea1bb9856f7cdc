"""An application's message as an operator sends it."""

from __future__ import annotations

import copy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from opsmail.addresses import AddressError, parse_address
from opsmail.errors import RefusedError
from opsmail.messages import msg
from opsmail.operator.model import Sender


def prepared(message: EmailMessage, sender: Sender) -> EmailMessage:
    """Return a copy with the headers that every message needs, and without `Bcc`; the caller's own stays as it is.

    Args:
        message: what the application wants to send.
        sender: the operator's.

    Raises:
        RefusedError: the message is from somebody else, or the operator's own addresses are none.
    """
    outgoing = copy.copy(message)  # shares the body, which is not changed
    del outgoing["Bcc"]  # and gives the copy a list of headers of its own, also where there is none
    if "From" not in outgoing:
        outgoing["From"] = _mailbox(sender.address, sender.display_name or "")
    elif [address.lower() for address in _senders(outgoing)] != [sender.address.lower()]:
        raise RefusedError(
            msg("the message is not from `{address}`, the operator's sender", address=sender.address),
            hint=msg("leave `From` out: the operator sets it"),
        )
    if "Reply-To" not in outgoing and sender.reply_to is not None:
        outgoing["Reply-To"] = _mailbox(sender.reply_to)
    if "Date" not in outgoing:
        outgoing["Date"] = formatdate()
    if "Message-ID" not in outgoing:
        outgoing["Message-ID"] = make_msgid(domain=sender_domain(sender))
    return outgoing


def sender_domain(sender: Sender) -> str:
    """Return the domain of the operator's address; raises `RefusedError` where there is none."""
    return _mailbox(sender.address).domain


def _senders(message: EmailMessage) -> list[str]:
    return [address.addr_spec for header in message.get_all("From", []) for address in getattr(header, "addresses", ())]


def _mailbox(text: str, display_name: str = "") -> Address:
    try:
        address = parse_address(text)
    except AddressError as error:
        raise RefusedError(
            msg("`{address}`, as it is published, is not an address: {reason}", address=text, reason=error.message),
            hint=msg("correct the operator's file and publish it"),
        ) from error
    return Address(display_name, address.local, address.domain)
