"""The probe mailbox of the settings: what it may say, and the account that it is."""

from __future__ import annotations

import pytest

from opsmail.operator.model import BasicAuthentication, ClientSecret, Encryption, Federated, ModernAuthentication
from opsmail.settings.faults import SettingsError
from opsmail.settings.load import Settings
from opsmail.settings.probe import Probe
from tests.builders import SETTINGS, settings_of

HOST = 'host = "imap.empresa.com.br"\nusername = "teste@empresa.com.br"\n'
SECRET = 'secret = "env://OPSMAIL_PROBE"\n'
APPLICATION = 'tenant = "empresa.onmicrosoft.com"\nclient_id = "x"\n'


def with_probe(text: str) -> Settings:
    return settings_of(f"{SETTINGS}\n[live.probe]\n{text}")


def test_none_is_needed() -> None:
    assert settings_of(SETTINGS).probe is None


def test_a_mailbox_with_a_password() -> None:
    settings = with_probe(HOST + SECRET)
    assert settings.file.live.probe is not None
    assert settings.file.live.probe.wait_seconds == 60
    assert settings.probe is not None
    account = settings.probe.operator
    assert (account.server.host, account.server.port, account.server.encryption) == (
        "imap.empresa.com.br",
        993,
        Encryption.IMPLICIT_TLS,
    )
    assert isinstance(account.authentication, BasicAuthentication)
    assert [str(reference) for _, reference in account.references()] == ["env://OPSMAIL_PROBE"]
    assert "env://OPSMAIL_PROBE" in settings.catalogue.reserved


def test_one_of_an_application_with_its_secret() -> None:
    settings = with_probe(HOST + SECRET + APPLICATION + 'cloud = "china"\n')
    assert settings.probe is not None
    authentication = settings.probe.operator.authentication
    assert isinstance(authentication, ModernAuthentication)
    assert isinstance(authentication.credential, ClientSecret)
    assert (authentication.tenant, authentication.client_id, authentication.cloud) == (
        "empresa.onmicrosoft.com",
        "x",
        "china",
    )


def test_one_of_an_application_without_a_secret() -> None:
    settings = with_probe(HOST + APPLICATION)
    assert settings.probe is not None
    assert isinstance(settings.probe.operator.authentication, ModernAuthentication)
    assert isinstance(settings.probe.operator.authentication.credential, Federated)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HOST, "`live.probe.secret` is missing"),
        (HOST + 'secret = "hunter2-of-the-probe"\n', "`live.probe.secret` is not a secret reference"),
        (HOST + SECRET + 'tenant = "x"\n', "`live.probe.client_id` is missing"),
        (HOST + SECRET + 'client_id = "x"\n', "`live.probe.tenant` is missing"),
        (HOST + SECRET + "port = 0\n", "`live.probe.port` is 0, out of range"),
        (HOST + SECRET + "wait_seconds = 601\n", "out of range"),
        (HOST + SECRET + 'hots = "x"\n', "hots"),
        (HOST.replace("imap.", "IMAP.") + SECRET, "a host name in lower case"),
    ],
)
def test_what_is_wrong_is_told_without_the_secret(text: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        with_probe(text)
    said = "; ".join(str(error) for error in (caught.value, *caught.value.further))
    assert told in said
    assert "hunter2" not in said


def test_what_was_not_judged_is_no_account() -> None:
    with pytest.raises(ValueError, match="without a password"):
        Probe(host="imap.empresa.com.br", username="x").account()
