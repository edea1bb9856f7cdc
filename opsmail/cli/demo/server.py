"""The demonstration's mail server: a real one that wants STARTTLS and a login, with a throw-away CA."""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
import secrets
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST_NAME = "smtp.empresa.example"


class Mailbox:
    """What the server has received."""

    def __init__(self) -> None:
        self._messages: list[tuple[str, EmailMessage]] = []
        self._lock = threading.Lock()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """Take a message."""
        message = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
        with self._lock:
            self._messages.append((envelope.mail_from or "", message))
        return f"250 2.0.0 Ok: queued as DEMO{len(self._messages)}"

    def messages(self) -> list[tuple[str, EmailMessage]]:
        """Return sender and message, in the order they came."""
        with self._lock:
            return list(self._messages)


class _Accounts:
    def __init__(self, accounts: Mapping[str, str]) -> None:
        self._accounts = accounts

    def __call__(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        # LOGIN and PLAIN are all that aiosmtpd offers, and both give this.
        user, password = (part.decode("utf-8", "replace") for part in cast("LoginPassword", data))
        known = user in self._accounts and secrets.compare_digest(self._accounts[user].encode(), password.encode())
        return AuthResult(success=known, handled=known, auth_data=user if known else None)


@contextmanager
def mail_server(accounts: Mapping[str, str], ca_file: Path) -> Iterator[tuple[str, Mailbox]]:
    """Run the server on a free port of the loopback address.

    Args:
        accounts: user to password.
        ca_file: where to write the certificate authority's certificate.

    Yields:
        `IP:port`, and what it receives.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST_NAME).configure_cert(context)
    mailbox = Mailbox()
    # At each login aiosmtpd warns of an attribute that it sets itself.
    logging.getLogger("mail.log").setLevel(logging.ERROR)

    def protocol() -> SMTP:
        return SMTP(
            mailbox,
            hostname=HOST_NAME,
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=_Accounts(accounts),
            loop=loop,
        )

    # aiosmtpd's own controller connects to the port that it was given, so it cannot be given 0, "any free one".
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, name="demo-mail-server", daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", mailbox
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=5)
        loop.close()
