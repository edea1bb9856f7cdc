"""The whole way of a message: sent as the operator through Postfix, delivered, and found in the mailbox by IMAP."""

from __future__ import annotations

import pytest

from opsmail.evidence.facts import Depth
from opsmail.live.engine import LiveTest
from opsmail.live.result import Outcome, TestResult
from opsmail.mail.failure import Stage
from opsmail.secrets import open_secrets
from opsmail.settings.load import Settings
from tests.builders import settings_of
from tests.servers.identity import PROBE_APP, SECRET_APP, TENANT, Identity
from tests.servers.mailserver import IMAP_HOST_NAME, MailServer
from tests.unit.fleets import operator
from tests.unit.live.running import composed

SENDER, MAILBOX, OTHER = "rh@empresa.test", "teste@empresa.test", "faturamento@empresa.test"
BASIC = 'secret = "env://OPSMAIL_PROBE_SECRET"'
MODERN = f'{BASIC}\ntenant = "{TENANT}"\nclient_id = "{PROBE_APP}"'


def settings(server: MailServer, probe: str, identity: Identity | None = None) -> Settings:
    kind, door, authority = "basic", "passwords", ""
    if identity is not None:
        kind, door = "modern", "tokens"
        authority = f'authority = "{identity.authority}"\nauthority_ca = "ca/identity.pem"'
    text = f"""
[[servers]]
host = "{server.host_name}"
connections = ["587/starttls"]
authentication = ["basic"]
secrets = ["env://OPSMAIL_SECRET_{{OPERATOR}}"]
address = "{server.address}:{server.ports["starttls"]}"
ca = "ca/mail.pem"

[[servers]]
host = "{IMAP_HOST_NAME}"
connections = ["993/implicit-tls"]
authentication = ["{kind}"]
secrets = ["env://OPSMAIL_PROBE_SECRET"]
tenants = ["{TENANT}"]
client_ids = ["{PROBE_APP}", "{SECRET_APP}"]
microsoft_tokens = true
address = "{server.address}:{server.imap_ports[door]}"
ca = "ca/mail.pem"
{authority}

[live]
timeout_seconds = 20
retries = 0

[live.probe]
host = "{IMAP_HOST_NAME}"
username = "{MAILBOX}"
{probe}
"""
    files = {"ca/mail.pem": server.ca_pem.read_text()}
    return settings_of(text, files if identity is None else files | {"ca/identity.pem": identity.ca_pem})


def run(server: MailServer, approved: Settings, recipient: str = MAILBOX) -> TestResult:
    test = LiveTest(
        settings=approved, secrets=open_secrets(), compose=composed, recipient=recipient, depth=Depth.RECEIPT
    )
    (result,) = test.run([operator("rh", server={"host": server.host_name}, sender={"address": SENDER})])
    return result


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch, mail_server: MailServer) -> None:
    monkeypatch.setenv("OPSMAIL_SECRET_RH", mail_server.accounts[SENDER])
    monkeypatch.setenv("OPSMAIL_PROBE_SECRET", mail_server.accounts[MAILBOX])


def arrived(result: TestResult) -> None:
    assert result.failure is None, (result.failure, result.transcript)
    assert (result.outcome, result.depth, result.stages[-1].stage) == (Outcome.PASSED, Depth.RECEIPT, Stage.RECEIPT)
    receipt = result.stages[-1].receipt
    assert receipt is not None
    assert (receipt.sender, receipt.protocol, receipt.tls, receipt.authenticated) == (SENDER, "ESMTPSA", True, True)
    # Postfix by itself verifies nobody.
    assert (receipt.verifier, receipt.spf, receipt.dkim, receipt.dmarc) == ("", None, None, None)


def test_a_message_is_found_with_a_password(mail_server: MailServer) -> None:
    result = run(mail_server, settings(mail_server, BASIC))
    arrived(result)
    said = "\n".join(result.transcript)
    assert "AUTHENTICATE PLAIN" in said
    assert mail_server.accounts[MAILBOX] not in said


def test_a_message_is_found_with_a_token(
    mail_server: MailServer, identity_provider: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSMAIL_PROBE_SECRET", identity_provider.client_secret)
    result = run(mail_server, settings(mail_server, MODERN, identity_provider))
    arrived(result)
    assert "AUTHENTICATE XOAUTH2" in "\n".join(result.transcript)


def test_a_token_that_permits_no_reading_is_not_sent(
    mail_server: MailServer, identity_provider: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSMAIL_PROBE_SECRET", identity_provider.client_secret)
    result = run(mail_server, settings(mail_server, MODERN.replace(PROBE_APP, SECRET_APP), identity_provider))
    assert result.failure is not None
    assert "the token lacks IMAP.AccessAsApp" in str(result.failure.detail)
    assert "AUTHENTICATE" not in "\n".join(result.transcript)


def test_a_message_that_goes_elsewhere_does_not_arrive(mail_server: MailServer) -> None:
    result = run(mail_server, settings(mail_server, f"{BASIC}\nwait_seconds = 1"), OTHER)
    assert result.failure is not None
    assert (result.outcome, result.failure.stage, result.failure.diagnosis.rule_id) == (
        Outcome.FAILED,
        Stage.RECEIPT,
        "OM938",
    )
    assert result.message_id is not None
    assert mail_server.wait_for_message(OTHER, result.message_id)


def test_a_wrong_password_leaves_it_unknown(mail_server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMAIL_PROBE_SECRET", "c4n4ry-wrong")
    result = run(mail_server, settings(mail_server, BASIC))
    assert result.failure is not None
    assert (result.outcome, result.failure.diagnosis.rule_id) == (Outcome.INCONCLUSIVE, "OM937")
    assert "AUTHENTICATIONFAILED" in str(result.failure.detail)
    assert "c4n4ry-wrong" not in "\n".join([*result.transcript, str(result.failure)])
