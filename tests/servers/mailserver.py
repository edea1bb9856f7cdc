"""The mail server that tests see: ports by personality, accounts, mailboxes and the log."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import TypeVar

from tests.servers.dovecot import login_service, mailboxes
from tests.servers.identity import SigningKey
from tests.servers.postfix import delivery_owner, submission_server
from tests.servers.processes import LOOPBACK, Log

DOMAIN = "empresa.test"
HOST_NAME = f"smtp.{DOMAIN}"
IMAP_HOST_NAME = f"imap.{DOMAIN}"
LOCAL_PARTS = ("rh", "faturamento", "agendador", "teste")
ACCENTED = f"acentos@{DOMAIN}"

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class MailServer:
    """A running Postfix with Dovecot behind it.

    `ports` are by personality, at `address`; the certificates are for `host_name` and `ca_pem` issued the good ones.
    `accounts` are passwords by mail address, which is the user name too. Each account also has a mailbox, which IMAP
    reads at `imap_ports`, by what they let in: `passwords` or `tokens`. Tokens that `token_key` signed are taken for
    the account that their claim `email` names.
    """

    ports: Mapping[str, int]
    host_name: str
    address: str
    ca_pem: Path
    accounts: Mapping[str, str] = field(repr=False)
    maildirs: Path
    token_key: SigningKey = field(repr=False)
    imap_ports: Mapping[str, int]
    logs: tuple[Log, ...] = field(repr=False)

    def mailbox(self, address: str) -> list[EmailMessage]:
        """Return the messages delivered to `address` so far, in no particular order."""
        delivered = (self.maildirs / address / "new").glob("*")
        return [message_from_bytes(path.read_bytes(), policy=default) for path in delivered]

    def wait_for_message(self, address: str, message_id: str, timeout: float = 10) -> EmailMessage:
        """Return the message with this Message-ID once it is in the mailbox of `address`.

        Raises `TimeoutError`, with the end of the log, after `timeout` seconds: Postfix accepts first, delivers after.
        """

        def find() -> EmailMessage | None:
            return next((found for found in self.mailbox(address) if found["Message-ID"] == message_id), None)

        return self._wait_for(find, f"{message_id} in the mailbox of {address}", timeout)

    def log_text(self) -> str:
        """Return what Postfix, then what Dovecot logged so far; lines may come shortly after what they tell of."""
        return "".join(log.text() for log in self.logs)

    def wait_for_log(self, text: str, timeout: float = 10) -> str:
        """Return the log's first line that contains `text`; raises `TimeoutError` after `timeout` seconds.

        Its line "disconnect from", the last of a connection, counts the commands: `ehlo=2 starttls=1 auth=0/1 quit=1`.
        """

        def find() -> str | None:
            return next((line for line in self.log_text().splitlines() if text in line), None)

        return self._wait_for(find, f"{text!r} in the log", timeout)

    def _wait_for(self, find: Callable[[], Found | None], what: str, timeout: float) -> Found:
        deadline = time.monotonic() + timeout
        while (found := find()) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {what} within {timeout} s:\n{self.logs[0].tail()}")
            time.sleep(0.01)  # neither a maildir nor a log says when it grows
        return found


@contextmanager
def run_mail_server() -> Iterator[MailServer]:
    """Run the servers while the context lasts, with accounts, passwords and certificates of their own.

    Raises `UnavailableError` where this machine cannot, `StartError` where it should have.
    """
    accounts = {f"{local}@{DOMAIN}": secrets.token_urlsafe(18) for local in LOCAL_PARTS}
    # RFC 4616: user and password are UTF-8.
    accounts[ACCENTED] = f"{secrets.token_urlsafe(12)}-ção-€"
    key = SigningKey.generate()
    with (
        login_service(accounts, key) as login,
        submission_server(HOST_NAME, list(accounts), login) as submission,
        mailboxes(accounts, key, submission.maildirs, submission.certificates.good, delivery_owner()) as imap,
    ):
        yield MailServer(
            ports=submission.ports,
            host_name=HOST_NAME,
            address=LOOPBACK,
            ca_pem=submission.certificates.ca,
            accounts=accounts,
            maildirs=submission.maildirs,
            token_key=key,
            imap_ports=imap.ports,
            logs=(submission.log, login.log, *imap.logs),
        )
