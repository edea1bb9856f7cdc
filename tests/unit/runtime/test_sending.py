"""Sending as a published operator: from its address, with its password, over verified TLS."""

from __future__ import annotations

import base64
import threading
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from opsmail.errors import RefusedError
from opsmail.mail.failure import Stage, StageError
from opsmail.mail.submission import Deadlines
from opsmail.operator.digest import Connection, EffectiveOperator
from opsmail.references import SecretReference
from opsmail.runtime import OperatorDisabledError, PublishedOperator
from opsmail.runtime.message import prepared
from opsmail.runtime.operator import Means, SecretCache
from opsmail.secrets import Secret, SecretError, Secrets
from tests.hostile.peer import GOOD
from tests.hostile.peer import Connection as Spoken
from tests.unit.fleets import operator
from tests.unit.mail.oauth.identity import TENANT, Provider, identity
from tests.unit.servers import Server, server

MODERN = {
    "type": "modern",
    "username": "rh@empresa.test",
    "tenant": "empresa.test",
    "client_id": "x",
    "credential": {"kind": "client-secret", "secret": "env://X"},
}


class Vault:
    """Gives one password after the other, and counts."""

    def __init__(self, *passwords: str) -> None:
        self.passwords = list(passwords)
        self.asked: list[SecretReference] = []
        self._lock = threading.Lock()

    def resolve(self, reference: SecretReference) -> Secret:
        with self._lock:
            self.asked.append(reference)
            return Secret(self.passwords.pop(0) if len(self.passwords) > 1 else self.passwords[0])


def published(running: Server | None = None, vault: Vault | None = None, **sections: Any) -> PublishedOperator:
    connection = Connection() if running is None else running.connection
    effective = EffectiveOperator(operator("rh", **sections), connection)
    means = Means.of(Secrets({"env": vault or Vault("s3nh4")}))
    return PublishedOperator(effective, 7, means)


def message(**headers: str) -> EmailMessage:
    made = EmailMessage()
    for name, value in ({"To": "ana@empresa.test", "Subject": "Fechamento"} | headers).items():
        made[name.replace("_", "-")] = value
    made.set_content("Fechou.\n")
    return made


def received(running: Server) -> EmailMessage:
    """The one message that the server got."""
    content = running.peer.said(secure=True).partition(b"DATA\r\n")[2].partition(b"\r\n.\r\n")[0]
    found = message_from_bytes(content + b"\r\n", policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


class TestSending:
    def test_a_message_goes_as_the_operator(self) -> None:
        vault = Vault("s3nh4")
        with server() as running:
            reply = published(running, vault).send(
                message(Cc="bia@empresa.test, ana@empresa.test", Bcc="c@empresa.test")
            )
        assert str(reply) == "250 2.0.0 Ok: queued as 4F1B2"
        said = running.peer.said(secure=True)
        assert b"MAIL FROM:<rh@empresa.test>" in said
        assert said.count(b"RCPT TO:") == 3
        assert base64.b64encode(b"\0rh@empresa.test\0s3nh4") in said
        assert b"AUTH" not in running.peer.said(secure=False)
        assert b"EHLO empresa.test" in running.peer.said(secure=False)
        got = received(running)
        assert (got["From"], got["Subject"], got["Bcc"]) == ("rh@empresa.test", "Fechamento", None)
        assert got.get_content().splitlines() == ["Fechou."]
        assert b"c@empresa.test" not in got.as_bytes()

    def test_recipients_may_be_named(self) -> None:
        with server() as running:
            published(running).send(message(), ["x@empresa.test"])
        assert running.peer.said().count(b"RCPT TO:") == 1
        assert b"RCPT TO:<x@empresa.test>" in running.peer.said()

    def test_without_a_login_no_password_is_asked_for(self) -> None:
        vault = Vault("s3nh4")
        with server() as running:
            published(running, vault, authentication={"type": "none"}).send(message())
        assert vault.asked == []
        assert "AUTH" not in running.commands()

    def test_a_stage_that_fails_is_told(self) -> None:
        with server({"RCPT": b"550 5.1.1 no such user\r\n"}) as running, pytest.raises(StageError) as caught:
            published(running).send(message())
        assert (caught.value.stage, caught.value.outcome_unknown) == (Stage.ENVELOPE, False)

    def test_deadlines_may_be_given(self) -> None:
        with server({"banner": lambda connection: connection.hold()}) as running, pytest.raises(TimeoutError):
            published(running).send(message(), deadlines=Deadlines(connect=0.1))

    def test_a_server_that_is_not_who_it_should_be_gets_no_password(self) -> None:
        vault = Vault("s3nh4")
        with server() as running, pytest.raises(StageError) as caught:
            published(running, vault, server={"host": "other.empresa.test"}).send(message())
        assert caught.value.stage is Stage.TLS
        assert vault.asked == []


class TestRefusals:
    def test_switched_off(self) -> None:
        with pytest.raises(OperatorDisabledError, match="`rh` is switched off"):
            published(enabled=False).send(message())

    def test_nobody_to_send_to(self) -> None:
        nobody = EmailMessage()
        nobody.set_content("x")
        with pytest.raises(RefusedError, match="no recipient"):
            published().send(nobody)
        with pytest.raises(RefusedError, match="no recipient"):
            published().send(message(), [])

    @pytest.mark.parametrize(
        "sender",
        [
            "chefe@empresa.test",
            "rh@empresa.test, chefe@empresa.test",
            '"rh@empresa.test" <chefe@empresa.test>',
            "rh@empresa.test.evil.test",
            "rh",
            "everybody: rh@empresa.test, x@empresa.test;",
            "undisclosed:;",
        ],
    )
    def test_from_somebody_else(self, sender: str) -> None:
        with pytest.raises(RefusedError, match=r"not from `rh@empresa\.test`"):
            published().send(message(From=sender))

    def test_a_from_that_cannot_be_looked_into(self) -> None:
        old = EmailMessage(policy=policy.compat32)
        old["From"] = "rh@empresa.test"
        with pytest.raises(RefusedError, match="not from"):
            published().send(old, ["x@empresa.test"])

    @pytest.mark.parametrize(
        "sender", [{"address": "rh"}, {"address": "rh@"}, {"address": "rh@empresa.test", "reply_to": "nobody"}]
    )
    def test_published_with_addresses_that_are_none(self, sender: dict[str, str]) -> None:
        """A gate that demands nothing lets them through; they end here in one sentence."""
        with pytest.raises(RefusedError, match="is not an address"):
            published(sender=sender).send(message())

    def test_a_secret_that_does_not_resolve(self) -> None:
        with server() as running, pytest.raises(SecretError, match="does not have 4 to"):
            published(running, Vault("x")).send(message())
        assert "AUTH" not in running.commands()


class TestTokens:
    def sent(self, auth: bytes, times: int = 1) -> tuple[Server, Provider, list[object]]:
        def answer(connection: Spoken) -> None:
            connection.say(b"334 \r\n")
            connection.hear()
            connection.say(auth)

        offered = GOOD["EHLO-TLS"].replace(b"PLAIN LOGIN", b"XOAUTH2")
        outcomes: list[object] = []
        with identity() as provider, server({"EHLO-TLS": offered, "AUTH": answer}) as running:
            connection = replace(
                running.connection, authority=provider.authority, authority_ca=provider.connection.authority_ca
            )
            effective = EffectiveOperator(operator("rh", authentication=MODERN | {"tenant": TENANT}), connection)
            sender = PublishedOperator(effective, 7, Means.of(Secrets({"env": Vault("s3nh4")})))
            for _ in range(times):
                try:
                    outcomes.append(sender.send(message()).code)
                except StageError as error:
                    outcomes.append(error.reply and error.reply.code)
        return running, provider, outcomes

    def test_one_token_for_many_messages(self) -> None:
        running, provider, outcomes = self.sent(b"235 2.7.0 ok\r\n", 2)
        assert outcomes == [250, 250]
        assert running.commands().count("AUTH") == 2
        assert len(provider.forms()) == 1

    def test_after_a_535_a_new_one(self) -> None:
        _, provider, outcomes = self.sent(b"535 5.7.3 no\r\n", 2)
        assert outcomes == [535, 535]
        assert len(provider.forms()) == 2


class TestSecrets:
    def test_a_password_is_asked_for_once(self) -> None:
        vault = Vault("s3nh4")
        with server() as running:
            sender = published(running, vault)
            sender.send(message())
            sender.send(message())
        assert len(vault.asked) == 1

    def test_after_a_535_it_is_asked_for_again(self) -> None:
        """It was rotated: the file is as before, the vault has another one."""
        vault = Vault("old-one", "new-one")
        good = base64.b64encode(b"\0rh@empresa.test\0new-one")
        with server({"AUTH": lambda connection: connection.say(answer(running, good))}) as running:
            sender = published(running, vault)
            with pytest.raises(StageError) as caught:
                sender.send(message())
            assert caught.value.reply is not None
            assert caught.value.reply.code == 535
            sender.send(message())
        assert len(vault.asked) == 2

    def test_after_another_refusal_it_is_kept(self) -> None:
        vault = Vault("s3nh4")
        with server({"AUTH": b"454 4.7.0 later\r\n"}) as running:
            sender = published(running, vault)
            for _ in range(2):
                with pytest.raises(StageError):
                    sender.send(message())
        assert len(vault.asked) == 1

    def test_a_connection_lost_in_the_login_is_no_refusal(self) -> None:
        vault = Vault("s3nh4")
        with server({"AUTH": lambda connection: connection.close()}) as running:
            sender = published(running, vault)
            for _ in range(2):
                with pytest.raises(ConnectionError):
                    sender.send(message())
        assert len(vault.asked) == 1

    def test_forgetting_what_is_not_known(self) -> None:
        SecretCache(Secrets({})).forget(SecretReference("env", "X"))


def answer(running: Server, good: bytes) -> bytes:
    return b"235 2.7.0 ok\r\n" if good in running.peer.said() else b"535 5.7.8 bad credentials\r\n"


class TestHeaders:
    def test_what_every_message_needs_is_added(self) -> None:
        sender = operator("rh", sender={"display_name": "Recursos Humanos, ção", "reply_to": "r@empresa.test"}).sender
        got = prepared(message(), sender)
        assert got["From"].addresses[0].display_name == "Recursos Humanos, ção"
        assert got["From"].addresses[0].addr_spec == "rh@empresa.test"
        assert got["Reply-To"] == "r@empresa.test"
        assert got["Message-ID"].endswith("@empresa.test>")
        assert got["Date"].datetime is not None

    def test_what_is_there_stays(self) -> None:
        own = message(
            From="RH <RH@Empresa.test>",
            Reply_To="other@empresa.test",
            Message_ID="<1@empresa.test>",
            Date="Tue, 10 Mar 2026 12:00:00 +0000",
        )
        got = prepared(own, operator("rh", sender={"reply_to": "r@empresa.test"}).sender)
        assert [got[name] for name in ("From", "Reply-To", "Message-ID", "Date")] == [
            "RH <RH@Empresa.test>",
            "other@empresa.test",
            "<1@empresa.test>",
            "Tue, 10 Mar 2026 12:00:00 +0000",
        ]
        assert len(got.items()) == len(own.items())

    @pytest.mark.parametrize("headers", [{}, {"Bcc": "c@empresa.test"}])
    def test_the_caller_s_message_is_not_changed(self, headers: dict[str, str]) -> None:
        own = message(**headers)
        before = own.as_bytes()
        got = prepared(own, operator("rh").sender)
        assert own.as_bytes() == before
        assert got["Bcc"] is None
        assert own["From"] is None

    def test_attachments_are_kept(self) -> None:
        own = message()
        own.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="x.pdf")
        (attachment,) = prepared(own, operator("rh").sender).iter_attachments()
        assert attachment.get_content() == b"%PDF"
