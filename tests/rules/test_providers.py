"""What is known of mail providers: the data has its shape and its sources, and hosts are found."""

from __future__ import annotations

import re
import runpy
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

import opsmail.providers
from opsmail.addresses import parse_domain
from opsmail.operator.model import Encryption
from opsmail.operator.ports import PORT_ENCRYPTIONS
from opsmail.providers import Provider, Providers, compiled, load_providers, parse_providers
from tests.rules.checking import made_up_provider

ALL = load_providers().all


def test_ids_and_hosts_stand_once() -> None:
    assert max(Counter(provider.id for provider in ALL).values()) == 1
    assert max(Counter(host for provider in ALL for host in provider.hosts).values()) == 1


@pytest.mark.parametrize("provider", ALL, ids=lambda provider: provider.id)
def test_an_entry_is_plausible_and_says_where_it_comes_from(provider: Provider) -> None:
    for host in provider.hosts:
        assert host.count("*") <= 1
        assert parse_domain(host.replace("*", "sa-east-1")) == host.replace("*", "sa-east-1")
    for connection in provider.connections:
        port, _, encryption = connection.partition("/")
        assert Encryption(encryption) in PORT_ENCRYPTIONS[int(port)]
        assert encryption != "none"
    assert not provider.connections[0].startswith("25/")
    assert date(2026, 1, 1) < provider.verified_on
    if provider.confidence == "community":
        assert provider.basic_ends is None
    else:
        assert re.match(r"https://", provider.source)
    assert (provider.basic_ends is None) == (provider.basic_ends_source is None)
    assert provider.app_password == (provider.app_password_source is not None)
    assert (provider.cloud is not None) == (provider.family == "microsoft")
    assert provider.cloud is not None or not provider.tenant_domains
    for name in (*provider.mail_domains, *provider.tenant_domains, *(other.host for other in provider.other_hosts)):
        assert parse_domain(name) == name
    assert provider.accounts != "personal" or provider.mail_domains


def test_a_host_and_a_mail_domain_belong_to_one_provider() -> None:
    known = load_providers()
    assert not set(known.by_other_host) & {host for provider in ALL for host in provider.hosts}
    assert max(Counter(domain for provider in ALL for domain in provider.mail_domains).values()) == 1
    assert known.by_mail_domain["hotmail.com"].id == "outlook-com"
    provider, other = known.by_other_host["smtp-legacy.office365.com"]
    assert (provider.id, other.purpose) == ("microsoft-365", "old-tls")
    assert known.clouds_of_tenants == {
        "onmicrosoft.com": ("global",),
        "onmicrosoft.us": ("us-gov", "us-dod"),
        "partner.onmschina.cn": ("china",),
    }


def test_the_providers_of_the_design_are_there() -> None:
    hosts = {
        "smtp.office365.com": "microsoft-365",
        "smtp.office365.us": "microsoft-365-gcc-high",
        "outlook-dod.office365.us": "microsoft-365-dod",
        "smtp.partner.outlook.cn": "microsoft-365-china",
        "smtp-mail.outlook.com": "outlook-com",
        "smtp.gmail.com": "gmail",
        "smtp-relay.gmail.com": "google-workspace-relay",
        "smtp.mail.yahoo.com": "yahoo",
        "smtp.mail.me.com": "icloud",
        "smtp.zoho.com.au": "zoho-personal",
        "smtppro.zoho.com": "zoho-organisation",
        "email-smtp.sa-east-1.amazonaws.com": "amazon-ses",
        "smtp.sendgrid.net": "sendgrid",
        "smtp.eu.mailgun.org": "mailgun",
        "smtp-relay.brevo.com": "brevo",
        "smtp.postmarkapp.com": "postmark",
        "in-v3.mailjet.com": "mailjet",
        "smtps.uol.com.br": "uol",
        "smtps.bol.com.br": "bol",
        "smtps.uhserver.com": "uol-host",
        "email-ssl.com.br": "locaweb",
        "smtp.kinghost.net": "kinghost",
        "smtp.titan.email": "titan",
        "smtp.umbler.com": "umbler",
        "smtp.terra.com.br": "terra",
    }
    known = load_providers()
    assert {host: found.id for host in hosts if (found := known.of_host(host))} == hosts
    assert len(known.all) == len(hosts)


@pytest.mark.parametrize(
    "host",
    ["SMTP.Gmail.com", "smtp.gmail.com.", "Email-Smtp.us-east-1.amazonaws.com"],
)
def test_hosts_are_found_as_dns_compares_them(host: str) -> None:
    assert load_providers().of_host(host) is not None


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "smtp.gmail.com.br",
        "gmail.com",
        "evil-smtp.gmail.com",
        "email-smtp.a.b.amazonaws.com",
        "email-smtp.amazonaws.com",
    ],
)
def test_other_hosts_are_nobodys(host: str) -> None:
    assert load_providers().of_host(host) is None


def test_one_star_stands_for_one_label_at_any_place() -> None:
    known = made_up_provider(hosts=["*.provedor.com.br", "smtp.*"])
    assert isinstance(known, Providers)
    assert known.of_host("mail.provedor.com.br") is not None
    assert known.of_host("smtp.local") is not None
    assert known.of_host("a.b.provedor.com.br") is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"id: gmail\n", "are a list"),
        (b"- id: gmail\n", "the field `name` is missing"),
        (b"- {id: gmail, colour: red}\n", "unknown field `colour`"),
    ],
)
def test_a_damaged_data_file_is_an_error_that_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_providers(content)


def test_what_is_loaded_is_made_of_what_is_written() -> None:
    """`python -m opsmail.providers` writes it anew."""
    data = Path(opsmail.providers.__file__).parent / "data"
    source = (data / "providers.yaml").read_bytes()
    assert (data / "providers.json").read_bytes() == compiled(source)
    assert load_providers() == parse_providers(source)


def test_the_module_as_a_command_writes_what_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    written: dict[str, bytes] = {}
    monkeypatch.setattr(Path, "write_bytes", lambda path, content: written.update({path.name: content}))
    runpy.run_path(opsmail.providers.__file__, run_name="__main__")
    assert written == {"providers.json": (Path(opsmail.providers.__file__).parent / "data/providers.json").read_bytes()}
