"""The message of a test send: it says whose test it is, and nothing about the machine that sent it."""

from __future__ import annotations

import html
import re
import secrets
from binascii import b2a_qp
from collections.abc import Sequence
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, quote
from gettext import NullTranslations

from opsmail.addresses import Address, AddressError, parse_address
from opsmail.mail.content import Content
from opsmail.mail.failure import Failure, Kind, Stage
from opsmail.messages import Message, msg
from opsmail.values import dataclass

# What could end a header's line early, or is no text at all.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# What stands in a header as it is: everything else, and what looks like an encoded word, becomes one (RFC 2047).
_PLAIN = re.compile(r"(?!.*=\?)[ -~]{0,60}")


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


@dataclass(frozen=True, slots=True)
class TestMessage:
    """A test message, ready to be handed over.

    Args:
        message_id: its Message-ID, in angle brackets.
        content: its bytes.
    """

    __test__ = False  # not a test case, whatever pytest thinks of the name

    message_id: str
    content: Content


def compose(about: Particulars, language: NullTranslations | None = None) -> TestMessage:
    """Return the test message, with a Message-ID of our own under the sender's domain.

    It is written out here and not by `email`: its form is always the same, and a fleet has many of them.

    Args:
        about: what it says.
        language: of its text; English without one.

    Raises:
        StageError: an address or a name cannot stand in a header.
    """
    try:
        return _compose(about, language)
    except AddressError as error:
        raise Failure(Kind.INVALID_MESSAGE, error.message).at(Stage.SEND) from None
    except Failure as failure:
        raise failure.at(Stage.SEND) from None


def _compose(about: Particulars, language: NullTranslations | None) -> TestMessage:
    sender, recipient = parse_address(about.sender), parse_address(about.recipient)
    reply_to = None if about.reply_to is None else parse_address(about.reply_to)
    subject = msg("Test message of operator {operator}", operator=about.operator).render(language)
    token = secrets.token_hex(16)
    message_id = f"<opsmail.{token}@{sender.domain}>"
    # No line of quoted-printable text has `=_` in it (RFC 2045 section 6.7).
    boundary = f"=_{token}"
    headers = {
        "From": _mailbox(sender, about.display_name or ""),
        "To": str(recipient),
        **({} if reply_to is None else {"Reply-To": str(reply_to)}),
        "Subject": _words("Subject", f"{about.subject_prefix} {subject}".strip()),
        "Date": format_datetime(about.when.astimezone(UTC)),
        "Message-ID": message_id,
        "X-Opsmail-Digest": _checked(about.digest),
        # RFC 3834 section 5, and Exchange's own way of saying it: nobody's absence notice answers a test.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative;\r\n boundary="{boundary}"',
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    delimiter = f"\r\n--{boundary}".encode("ascii")
    data = b"".join((head, *(delimiter + b"\r\n" + part for part in _parts(about, language)), delimiter, b"--\r\n"))
    wide = any(address.needs_smtputf8 for address in (sender, recipient, reply_to) if address is not None)
    return TestMessage(message_id, Content(data, smtputf8=wide, eight_bit=wide))


def _mailbox(address: Address, display_name: str) -> str:
    if not display_name:
        return str(address)
    name = _words("From", display_name)
    return f'"{quote(name)}" <{address}>' if name == display_name else f"{name}\r\n <{address}>"


def _words(header: str, text: str) -> str:
    """Return what stands for `text` in a header: itself, or encoded words on as many lines as they need."""
    if _PLAIN.fullmatch(_checked(text)):
        return text
    return Header(text, "utf-8", header_name=header).encode(linesep="\r\n")


def _checked(text: str) -> str:
    """Return `text`, which may stand in a header."""
    if _UNPRINTABLE.search(text):
        raise Failure(Kind.INVALID_MESSAGE, msg("a name or the subject has a line end or another control character"))
    return text


def _parts(about: Particulars, language: NullTranslations | None) -> tuple[bytes, bytes]:
    """Return the message as plain text and as HTML."""
    intro = msg("This is a test message. It shows that operator {operator} can send mail.", operator=about.operator)
    outro = msg("Nobody needs to answer it or do anything.")
    said = intro.render(language), [(label.render(language), value) for label, value in _rows(about)]
    end = outro.render(language)
    return _part("plain", _plain(*said, end)), _part("html", _html(*said, end))


def _part(subtype: str, text: str) -> bytes:
    # Quoted-printable: no server needs 8BITMIME for it, and the text stays readable in its raw form.
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    lines = text.replace("\n", "\r\n").encode(errors="replace")
    return head.encode("ascii") + b2a_qp(lines, istext=True)


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
