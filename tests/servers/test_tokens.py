"""The whole way of modern authentication: MSAL asks a real authorization server, Postfix and Dovecot take the token."""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from opsmail.evidence.facts import Depth
from opsmail.live.engine import LiveTest
from opsmail.live.login import Login
from opsmail.live.result import Outcome, TestResult
from opsmail.mail.failure import Stage
from opsmail.mail.oauth.signin import DevicePrompt
from opsmail.operator.model import ModernAuthentication, Operator
from opsmail.runtime.operator import Means, PublishedOperator
from opsmail.secrets import open_secrets
from opsmail.settings.load import Settings
from tests.builders import settings_of
from tests.servers.identity import (
    CERTIFICATE_APP,
    GRAPH_APP,
    MAILBOX,
    PERSON_APP,
    POWERLESS_APP,
    SECRET_APP,
    TENANT,
    TENANT_ID,
    Identity,
)
from tests.servers.mailserver import MailServer
from tests.unit.fleets import operator
from tests.unit.live.running import composed

RECIPIENT = "teste@empresa.test"
SECRET = {"kind": "client-secret", "secret": "env://OPSMAIL_APP_SECRET"}


def settings(
    server: MailServer, identity: Identity, personality: str = "tokens", place: str = "env://OPSMAIL_APP_SECRET"
) -> Settings:
    text = f"""
[[servers]]
host = "{server.host_name}"
connections = ["587/starttls"]
authentication = ["modern"]
microsoft_tokens = true
secrets = ["env://OPSMAIL_APP_*", "{place}"]
tenants = ["{TENANT}", "{TENANT_ID}"]
client_ids = ["{SECRET_APP}", "{CERTIFICATE_APP}", "{GRAPH_APP}", "{POWERLESS_APP}", "{PERSON_APP}"]
address = "{server.address}:{server.ports[personality]}"
ca = "ca/mail.pem"
authority = "{identity.authority}"
authority_ca = "ca/identity.pem"
"""
    return settings_of(text, {"ca/mail.pem": server.ca_pem.read_text(), "ca/identity.pem": identity.ca_pem})


def modern(
    server: MailServer,
    credential: Mapping[str, Any],
    client_id: str = SECRET_APP,
    tenant: str = TENANT,
    name: str = "rh",
) -> Operator:
    return operator(
        name,
        server={"host": server.host_name},
        sender={"address": MAILBOX},
        authentication={
            "type": "modern",
            "username": MAILBOX,
            "tenant": tenant,
            "client_id": client_id,
            "credential": dict(credential),
        },
    )


def run(approved: Settings, *operators: Operator) -> dict[str, TestResult]:
    test = LiveTest(settings=approved, secrets=open_secrets(), compose=composed, recipient=RECIPIENT, depth=Depth.SEND)
    return {result.operator: result for result in test.run(operators)}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch, identity_provider: Identity) -> None:
    monkeypatch.setenv("OPSMAIL_APP_SECRET", identity_provider.client_secret)
    monkeypatch.setenv("OPSMAIL_APP_PFX", identity_provider.pfx)
    monkeypatch.setenv("OPSMAIL_APP_PASSPHRASE", identity_provider.passphrase)


def passed(result: TestResult, server: MailServer, mechanism: str = "XOAUTH2") -> None:
    assert result.failure is None, result.failure
    assert result.outcome is Outcome.PASSED
    stages = {stage.stage: stage for stage in result.stages}
    assert stages[Stage.AUTHENTICATE].mechanism == mechanism
    assert result.message_id is not None
    received = server.wait_for_message(RECIPIENT, result.message_id)["Received"]
    assert "ESMTPSA" in received
    assert f"Authenticated sender: {MAILBOX}" in received


def test_a_client_secret(mail_server: MailServer, identity_provider: Identity) -> None:
    result = run(settings(mail_server, identity_provider), modern(mail_server, SECRET))["rh"]
    passed(result, mail_server)
    claims = next(stage.claims for stage in result.stages if stage.stage is Stage.TOKEN)
    assert claims is not None
    assert (claims.tenant, claims.application, claims.permissions) == (TENANT_ID, SECRET_APP, ("SMTP.SendAsApp",))


def test_a_certificate(mail_server: MailServer, identity_provider: Identity) -> None:
    credential = {"kind": "certificate", "pfx": "env://OPSMAIL_APP_PFX", "passphrase": "env://OPSMAIL_APP_PASSPHRASE"}
    subject = modern(mail_server, credential, CERTIFICATE_APP, TENANT)
    passed(run(settings(mail_server, identity_provider), subject)["rh"], mail_server)


def test_oauthbearer(mail_server: MailServer, identity_provider: Identity) -> None:
    result = run(settings(mail_server, identity_provider, "oauthbearer"), modern(mail_server, SECRET))["rh"]
    passed(result, mail_server, "OAUTHBEARER")


def test_with_the_tenant_s_id_too(mail_server: MailServer, identity_provider: Identity) -> None:
    """The authorization server knows the tenant by one name; by the other it answers as Microsoft's would."""
    result = run(settings(mail_server, identity_provider), modern(mail_server, SECRET, tenant=TENANT_ID))["rh"]
    assert result.failure is not None
    assert result.failure.diagnosis.rule_id == "OM924"
    assert result.failure.oauth is not None
    assert result.failure.oauth.codes == (90002,)


@pytest.mark.parametrize(("client_id", "rule"), [(GRAPH_APP, "OM920"), (POWERLESS_APP, "OM921")])
def test_a_token_that_is_none_for_smtp_is_not_sent(
    mail_server: MailServer, identity_provider: Identity, client_id: str, rule: str
) -> None:
    result = run(settings(mail_server, identity_provider), modern(mail_server, SECRET, client_id))["rh"]
    assert result.failure is not None
    assert (result.failure.stage, result.failure.diagnosis.rule_id) == (Stage.TOKEN, rule)
    assert not any(line.startswith("C: AUTH") for line in result.transcript)


def test_a_wrong_secret(mail_server: MailServer, identity_provider: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMAIL_APP_SECRET", "c4n4ry-of-another-app")
    result = run(settings(mail_server, identity_provider), modern(mail_server, SECRET))["rh"]
    assert result.failure is not None
    assert (result.outcome, result.failure.diagnosis.rule_id) == (Outcome.FAILED, "OM913")
    assert result.failure.oauth is not None
    assert result.failure.oauth.error == "invalid_client"
    assert len(result.failure.oauth.correlation_id) == 36


def test_a_token_for_another_mailbox_is_refused_by_the_server(
    mail_server: MailServer, identity_provider: Identity
) -> None:
    subject = modern(mail_server, SECRET)
    assert isinstance(subject.authentication, ModernAuthentication)
    authentication = replace(subject.authentication, username="faturamento@empresa.test")
    result = run(settings(mail_server, identity_provider), replace(subject, authentication=authentication))["rh"]
    assert result.failure is not None
    assert result.failure.stage is Stage.AUTHENTICATE
    assert result.failure.challenge is not None
    assert json.loads(result.failure.challenge)["status"] in ("400", "401")
    assert any(f"the server's reason: {result.failure.challenge}" in line for line in result.transcript)


def test_a_person_who_signs_in(mail_server: MailServer, identity_provider: Identity, tmp_path: Path) -> None:
    """The whole way of `delegated`: device code, refresh token in a file of its owner's, a message sent by it."""
    place = tmp_path / "token"
    credential = {"kind": "delegated", "token_cache": f"file://{place}"}
    subject = modern(mail_server, credential, PERSON_APP)
    approved = settings(mail_server, identity_provider, place=f"file://{place}")
    login = Login.begin(approved.effective(subject), open_secrets())
    approve(identity_provider, login.prompt)
    assert login.finish() == MAILBOX
    assert place.stat().st_mode & 0o777 == 0o600
    before = place.read_text()
    passed(run(approved, subject)["rh"], mail_server)
    assert place.read_text() == before
    # Its token has ended: the refresh token brings a new one, and a new refresh token is kept.
    held = json.loads(before)
    del held["AccessToken"]
    place.write_text(json.dumps(held))
    passed(run(approved, subject)["rh"], mail_server)
    assert json.loads(place.read_text())["RefreshToken"] != held["RefreshToken"]


def approve(provider: Identity, prompt: DevicePrompt) -> None:
    """Do what the person does in a browser."""
    context = ssl.create_default_context(cadata=provider.ca_pem)
    url = f"{provider.authority}/approve?code={prompt.code.reveal()}&mailbox={MAILBOX}"
    assert prompt.uri.startswith(provider.authority)
    assert url.startswith("https://localhost:")
    with urllib.request.urlopen(url, context=context, timeout=5) as answer:  # noqa: S310 (https, as was asserted)
        assert answer.status == 204


def test_a_published_operator_sends_with_it(mail_server: MailServer, identity_provider: Identity) -> None:
    effective = settings(mail_server, identity_provider).effective(modern(mail_server, SECRET))
    message = EmailMessage()
    message["Message-ID"] = "<published@empresa.test>"
    message.set_content("x")
    sender = PublishedOperator(effective, 1, Means.of(open_secrets()))
    for _ in range(2):
        assert sender.send(message, [RECIPIENT]).code == 250
    assert mail_server.wait_for_message(RECIPIENT, "<published@empresa.test>")
