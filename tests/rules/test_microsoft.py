"""OM404, OM405 and OM406 beyond the examples of their pages."""

from __future__ import annotations

from typing import Any

import pytest

from opsmail.check.rules import microsoft as rules
from opsmail.operator.model import Operator
from tests.rules.checking import BASIC, MODERN, context, only, operator, problems


def modern(host: str = "smtp.office365.com", **fields: Any) -> Operator:
    return operator(server={"host": host}, authentication={**MODERN, **fields})


@pytest.mark.parametrize(
    "host", ["smtp.office365.com", "SMTP.office365.us.", "smtp-mail.outlook.com", "smtp-legacy.office365.com"]
)
def test_om404_knows_microsofts_hosts(host: str) -> None:
    assert not problems(rules.modern_needs_microsoft, modern(host))


@pytest.mark.parametrize("host", ["smtp.gmail.com", "imap.gmail.com", "smtp.empresa.com.br"])
def test_om404_concerns_modern_authentication_elsewhere(host: str) -> None:
    problem = only(rules.modern_needs_microsoft, modern(host))
    assert (problem.path, [mark.path for mark in problem.marks]) == ("authentication.type", ["server.host"])
    assert not problems(rules.modern_needs_microsoft, operator(server={"host": host}, authentication=BASIC))


def test_om404_takes_the_catalogues_word_only_where_it_is_said() -> None:
    entry = (
        '[[servers]]\nhost = "gateway.empresa.com.br"\nconnections = ["587/starttls"]\nauthentication = ["modern"]\n'
    )
    subject = modern("gateway.empresa.com.br")
    assert problems(rules.modern_needs_microsoft, subject, context(entry))
    assert not problems(rules.modern_needs_microsoft, subject, context(entry + "microsoft_tokens = true\n"))


GUID = "22222222-2222-2222-2222-222222222222"


@pytest.mark.parametrize(
    ("host", "tenant", "cloud"),
    [
        ("smtp.office365.com", "empresa.onmicrosoft.com", "global"),
        ("smtp.office365.com", GUID, "global"),
        ("smtp.office365.com", "empresa.com.br", "global"),
        ("smtp.office365.us", "empresa.onmicrosoft.us", "us-gov"),
        ("outlook-dod.office365.us", "EMPRESA.onmicrosoft.us", "us-dod"),
        ("smtp.partner.outlook.cn", "empresa.partner.onmschina.cn", "china"),
        ("gateway.empresa.com.br", GUID, "china"),
    ],
)
def test_om405_accepts_what_belongs_together(host: str, tenant: str, cloud: str) -> None:
    assert not problems(rules.cloud_mismatch, modern(host, tenant=tenant, cloud=cloud))


@pytest.mark.parametrize(
    ("host", "tenant", "cloud", "path", "label", "marks", "remedy"),
    [
        (
            "smtp.office365.com",
            "empresa.onmicrosoft.us",
            "global",
            "authentication.tenant",
            "`us-gov` / `us-dod`",
            ["server.host", "authentication.cloud"],
            "write the tenant that this organisation has in the cloud `global`",
        ),
        (
            "smtp.office365.com",
            "empresa.partner.onmschina.cn",
            "china",
            "server.host",
            "`global`",
            ["authentication.tenant", "authentication.cloud"],
            "write the server of the cloud `china`",
        ),
        (
            "smtp.office365.us",
            GUID,
            "global",
            "authentication.cloud",
            "`global`",
            ["server.host"],
            "write `cloud: us-gov` under `authentication`, if that is where the organisation is",
        ),
        (
            "gateway.empresa.com.br",
            "empresa.partner.onmschina.cn",
            "global",
            "authentication.cloud",
            "`global`",
            ["authentication.tenant"],
            "write `cloud: china` under `authentication`, if that is where the organisation is",
        ),
        (
            "smtp.office365.com",
            "empresa.onmicrosoft.com",
            "us-gov",
            "authentication.cloud",
            "`us-gov`",
            ["server.host", "authentication.tenant"],
            "write `cloud: global` under `authentication`, if that is where the organisation is",
        ),
    ],
)
def test_om405_stands_at_the_odd_one_out(
    host: str, tenant: str, cloud: str, path: str, label: str, marks: list[str], remedy: str
) -> None:
    problem = only(rules.cloud_mismatch, modern(host, tenant=tenant, cloud=cloud))
    assert (problem.path, str(problem.label), str(problem.help)) == (path, label, remedy)
    assert [mark.path for mark in problem.marks] == marks


def test_om405_concerns_modern_authentication_alone() -> None:
    assert not problems(rules.cloud_mismatch, operator(server={"host": "smtp.office365.us"}))


@pytest.mark.parametrize("tenant", ["common", "Organizations", "consumers"])
def test_om406_wants_one_organisation(tenant: str) -> None:
    problem = only(rules.shared_tenant, modern(tenant=tenant))
    assert (problem.path, [mark.path for mark in problem.marks]) == (
        "authentication.tenant",
        ["authentication.credential.kind"],
    )


def test_om406_leaves_people_and_named_tenants_alone() -> None:
    delegated = {"kind": "delegated", "token_cache": "keyring://opsmail/rh"}
    assert not problems(rules.shared_tenant, modern(tenant="common", credential=delegated))
    assert not problems(rules.shared_tenant, modern())
    assert not problems(rules.shared_tenant, operator())
