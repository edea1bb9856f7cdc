"""The same conversations with a mail server that is not ours: aiosmtpd."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from opsmail.mail.endpoint import Credentials, Encryption, Endpoint
from opsmail.mail.failure import Kind, StageError
from opsmail.mail.message import Particulars, compose
from opsmail.mail.submission import Submission
from opsmail.mail.tls import TrustStores
from opsmail.secrets.interface import Secret

HOST = "smtp.empresa.test"
USER, PASSWORD = "rh@empresa.test", "maçã-verde-19"

# aiosmtpd does not see TLS that is there from the first byte.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


class Inbox:
    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.logins: list[tuple[str, bytes, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.messages.append(envelope.content)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return "250 2.0.0 Ok: queued as 1"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        self.logins.append((mechanism, data.login, data.password))
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


@contextmanager
def aiosmtpd_server(
    inbox: Inbox, tls: ssl.SSLContext, *, implicit: bool, exclude: tuple[str, ...] = ()
) -> Iterator[int]:
    def factory() -> SMTP:
        return SMTP(
            inbox,
            hostname=HOST,
            ident="ESMTP",
            tls_context=None if implicit else tls,
            require_starttls=not implicit,
            auth_required=True,
            auth_require_tls=not implicit,
            auth_exclude_mechanism=exclude,
            authenticator=inbox.authenticate,
            enable_SMTPUTF8=True,
            loop=loop,
        )

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(factory, "127.0.0.1", 0, ssl=tls if implicit else None))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:

        async def finish() -> None:
            server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(finish(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    return context


def endpoint(port: int, authority: trustme.CA, *, implicit: bool) -> Endpoint:
    return Endpoint(
        HOST,
        465 if implicit else 587,
        Encryption.IMPLICIT_TLS if implicit else Encryption.STARTTLS,
        address=f"127.0.0.1:{port}",
        ca=authority.cert_pem.bytes().decode(),
    )


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_test_message_arrives_whole(
    authority: trustme.CA, tls: ssl.SSLContext, implicit: bool, mechanism: str
) -> None:
    inbox = Inbox()
    message = compose(
        Particulars(
            "rh", "rh@empresa.test", "teste@empresa.test", f"{HOST}:587", datetime.now(UTC), "sha256:" + "0" * 64
        )
    )
    exclude = ("PLAIN",) if mechanism == "LOGIN" else ()
    with (
        aiosmtpd_server(inbox, tls, implicit=implicit, exclude=exclude) as port,
        Submission(
            endpoint(port, authority, implicit=implicit), TrustStores(), client_name="empresa.test"
        ) as submission,
    ):
        submission.resolve()
        submission.connect()
        facts = submission.secure()
        assert facts is not None
        assert facts.san == (HOST,)
        assert submission.authenticate(Credentials(USER, Secret(PASSWORD))).mechanism == mechanism
        assert submission.deliver(message.content, "rh@empresa.test", ["teste@empresa.test"]).text == "Ok: queued as 1"
        assert submission.quit()
    assert inbox.logins == [(mechanism, USER.encode(), PASSWORD.encode())]
    assert inbox.envelopes == [("rh@empresa.test", ["teste@empresa.test"])]
    received = message_from_bytes(inbox.messages[0], policy=policy.default)
    assert received["Message-ID"] == message.message_id
    assert received["Auto-Submitted"] == "auto-generated"


def test_a_wrong_password(authority: trustme.CA, tls: ssl.SSLContext) -> None:
    inbox = Inbox()
    with (
        aiosmtpd_server(inbox, tls, implicit=False) as port,
        Submission(endpoint(port, authority, implicit=False), TrustStores()) as submission,
    ):
        submission.resolve()
        submission.connect()
        submission.secure()
        with pytest.raises(StageError) as caught:
            submission.authenticate(Credentials(USER, Secret("wrong-password")))
    assert caught.value.kind is Kind.REPLY
    assert caught.value.reply is not None
    assert caught.value.reply.code == 535
    assert len(inbox.logins) == 1


@pytest.mark.case("M-34")
@pytest.mark.parametrize("body", ["a\n.\nb\n", "a\r.\rb", "x\n\n.\n\n.\n", ".\n", "..\n"])
def test_one_message_is_one_message(authority: trustme.CA, tls: ssl.SSLContext, body: str) -> None:
    inbox = Inbox()
    message = EmailMessage()
    message["Subject"] = "Teste"
    message.set_payload(body)
    with (
        aiosmtpd_server(inbox, tls, implicit=False) as port,
        Submission(endpoint(port, authority, implicit=False), TrustStores()) as submission,
    ):
        submission.resolve()
        submission.connect()
        submission.secure()
        submission.authenticate(Credentials(USER, Secret(PASSWORD)))
        submission.deliver(message, "josé@empresa.test", ["teste@empresa.test"])
        assert submission.quit()
    assert inbox.envelopes == [("josé@empresa.test", ["teste@empresa.test"])]
    content = inbox.messages[0].split(b"\r\n\r\n", 1)[1]
    expected = body.replace("\r", "\n").replace("\n", "\r\n").encode()
    assert content.removesuffix(b"\r\n") == expected.removesuffix(b"\r\n")
