"""The message of a test send: it says whose test it is, and nothing about the machine that sent it."""

from __future__ import annotations

import html
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address as MailboxAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from gettext import NullTranslations

from opsmail.addresses import AddressError, parse_address
from opsmail.mail.failure import Failure, Kind, Stage
from opsmail.messages import Message, msg


@dataclass(frozen=True, slots=True)
class Particulars:
    """What a test message is about.

    Args:
        operator: the operator's id.
        sender: its bare address.
        recipient: the bare address that the settings name.
        server: host, port and encryption as they are written in the operator's file.
        when: the time of the test, with its zone.
        digest: of the effective operator, `sha256:…`.
        display_name: shown beside the sender's address.
        reply_to: a bare address.
        run: a link to the pipeline's run.
        subject_prefix: begins the subject.
    """

    operator: str
    sender: str
    recipient: str
    server: str
    when: datetime
    digest: str
    display_name: str | None = None
    reply_to: str | None = None
    run: str | None = None
    subject_prefix: str = "[opsmail]"


def compose(about: Particulars, language: NullTranslations | None = None) -> EmailMessage:
    """Return the test message, with a Message-ID of our own under the sender's domain.

    Args:
        about: what it says.
        language: of its text; English without one.

    Raises:
        StageError: an address or a name cannot stand in a header.
    """
    # The policy refuses line ends in headers.
    message = EmailMessage(policy=SMTP)
    try:
        sender = parse_address(about.sender)
        message["From"] = _mailbox(about.sender, about.display_name or "")
        message["To"] = _mailbox(about.recipient)
        if about.reply_to is not None:
            message["Reply-To"] = _mailbox(about.reply_to)
        subject = msg("Test message of operator {operator}", operator=about.operator).render(language)
        message["Subject"] = f"{about.subject_prefix} {subject}".strip()
        message["X-Opsmail-Digest"] = about.digest
    except AddressError as error:
        raise Failure(Kind.INVALID_MESSAGE, error.message).at(Stage.SEND) from None
    except ValueError:
        raise Failure(Kind.INVALID_MESSAGE, msg("a name or the subject has a line end in it")).at(Stage.SEND) from None
    message["Date"] = format_datetime(about.when.astimezone(UTC))
    message["Message-ID"] = f"<opsmail.{secrets.token_hex(16)}@{sender.domain}>"
    # RFC 3834 section 5, and Exchange's own way of saying it: nobody's absence notice answers a test.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    intro = msg("This is a test message. It shows that operator {operator} can send mail.", operator=about.operator)
    outro = msg("Nobody needs to answer it or do anything.")
    rows = [(label.render(language), value) for label, value in _rows(about)]
    # Quoted-printable: no server needs 8BITMIME for it, and the text stays readable in its raw form.
    message.set_content(_plain(intro.render(language), rows, outro.render(language)), cte="quoted-printable")
    message.add_alternative(
        _html(intro.render(language), rows, outro.render(language)), subtype="html", cte="quoted-printable"
    )
    return message


def _mailbox(address: str, display_name: str = "") -> MailboxAddress:
    parsed = parse_address(address)
    return MailboxAddress(display_name, parsed.local, parsed.domain)


def _rows(about: Particulars) -> list[tuple[Message, str]]:
    rows = [
        (msg("Operator"), about.operator),
        (msg("Sender"), about.sender),
        (msg("Server"), about.server),
        (msg("Time"), f"{about.when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"),
        (msg("Digest"), about.digest),
    ]
    if about.run is not None:
        rows.append((msg("Run"), about.run))
    return rows


def _plain(intro: str, rows: Sequence[tuple[str, str]], outro: str) -> str:
    return "\n".join((intro, "", *(f"{label}: {value}" for label, value in rows), "", outro, ""))


def _html(intro: str, rows: Sequence[tuple[str, str]], outro: str) -> str:
    cells = "".join(
        f"<tr><td>{html.escape(label)}</td><td><code>{html.escape(value)}</code></td></tr>\n" for label, value in rows
    )
    return (
        f"<!DOCTYPE html>\n<html><body>\n<p>{html.escape(intro)}</p>\n<table>\n{cells}</table>\n"
        f"<p>{html.escape(outro)}</p>\n</body></html>\n"
    )
