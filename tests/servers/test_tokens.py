"""The whole way of modern authentication: MSAL asks a real authorization server, Postfix and Dovecot take the token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from opsmail.evidence.facts import Depth
from opsmail.live.engine import LiveTest
from opsmail.live.result import Outcome, TestResult
from opsmail.mail.failure import Stage
from opsmail.operator.model import Operator
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


def settings(server: MailServer, identity: Identity, personality: str = "tokens") -> Settings:
    text = f"""
[[servers]]
host = "{server.host_name}"
connections = ["587/starttls"]
authentication = ["modern"]
microsoft_tokens = true
secrets = ["env://OPSMAIL_APP_*", "file:///*/*/*/*/*/*"]
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
