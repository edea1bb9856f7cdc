"""OM205 beyond the example of its page."""

from __future__ import annotations

from typing import Any

import pytest

from opsmail.check.rules.endpoints import provider_endpoint
from opsmail.findings import FixSafety, Replacement, Severity
from opsmail.operator.model import Operator
from tests.rules.checking import BASIC, NONE, context, made_up_provider, only, operator, problems


def at(host: str, port: int = 587, encryption: str = "starttls", **others: Any) -> Operator:
    return operator(server={"host": host, "port": port, "encryption": encryption}, **others)


def account(username: str) -> dict[str, str]:
    return {**BASIC, "username": username}


def catalogue(host: str, *connections: str) -> str:
    pairs = ", ".join(f'"{pair}"' for pair in connections)
    return f'[[servers]]\nhost = "{host}"\nconnections = [{pairs}]\nauthentication = ["basic"]\n'


@pytest.mark.parametrize(
    ("host", "port", "encryption"),
    [
        ("smtp.office365.com", 587, "starttls"),
        ("SMTP.Office365.com.", 587, "starttls"),
        ("smtp.gmail.com", 465, "implicit-tls"),
        ("email-smtp.sa-east-1.amazonaws.com", 2465, "implicit-tls"),
        ("smtp.empresa.com.br", 2599, "starttls"),
        ("smtp.office365.com", 587, "none"),  # that it is off is told by others
    ],
)
def test_what_is_served_or_not_known_is_nothing_to_tell(host: str, port: int, encryption: str) -> None:
    assert not problems(provider_endpoint, at(host, port, encryption))


def test_a_connection_that_the_provider_documents_otherwise_is_an_error_with_its_recommendation() -> None:
    problem = only(provider_endpoint, at("smtp.postmarkapp.com", 465, "implicit-tls"))
    assert problem.severity is None
    assert problem.path == "server.port"
    assert str(problem.message) == "Postmark is not reached on port 465 with `implicit-tls`"
    assert str(problem.help) == "Postmark is reached on `587/starttls`, `2525/starttls`"
    assert problem.fix is not None
    assert problem.fix.safety is FixSafety.UNSAFE
    assert problem.fix.changes == (
        Replacement("server.port", 587),
        Replacement("server.encryption", "starttls"),
    )


def test_only_what_is_wrong_is_changed() -> None:
    fix = only(provider_endpoint, at("smtp.office365.com", 2525)).fix
    assert fix is not None
    assert fix.changes == (Replacement("server.port", 587),)
    known = made_up_provider(connections=["465/implicit-tls"])
    fix = only(provider_endpoint, at("mail.provedor.com.br", 465), context(providers=known)).fix
    assert fix is not None
    assert fix.changes == (Replacement("server.encryption", "implicit-tls"),)


@pytest.mark.parametrize("confidence", ["ispdb", "community"])
def test_what_rests_on_others_words_is_a_warning(confidence: str) -> None:
    known = made_up_provider(
        confidence=confidence, other_hosts=[{"host": "imap.provedor.com.br", "purpose": "reading"}]
    )
    circumstances = context(providers=known)
    port = only(provider_endpoint, at("mail.provedor.com.br", 465, "implicit-tls"), circumstances)
    host = only(provider_endpoint, at("imap.provedor.com.br"), circumstances)
    assert port.severity is host.severity is Severity.WARNING


def test_the_catalogue_chooses_among_what_is_served() -> None:
    subject = at("smtp.gmail.com", 2525)
    problem = only(provider_endpoint, subject, context(catalogue("smtp.gmail.com", "587/starttls", "2587/starttls")))
    assert str(problem.help) == "approved for `smtp.gmail.com`: `587/starttls`, `2587/starttls`"
    assert problem.fix is not None
    assert problem.fix.changes == (Replacement("server.port", 587),)
    assert only(provider_endpoint, subject, context(catalogue("smtp.gmail.com", "2587/starttls"))).fix is None


def test_what_it_approved_exactly_is_a_warning_without_a_fix() -> None:
    approved = context(catalogue("smtp.office365.com", "465/implicit-tls"))
    problem = only(provider_endpoint, at("smtp.office365.com", 465, "implicit-tls"), approved)
    assert problem.severity is Severity.WARNING
    assert problem.fix is None
    assert "let IT look at https://learn.microsoft.com/" in str(problem.help)


@pytest.mark.parametrize(
    ("host", "message", "right"),
    [
        (
            "smtp-legacy.office365.com",
            "`smtp-legacy.office365.com` is for clients that cannot do TLS 1.2",
            "smtp.office365.com",
        ),
        ("IMAP.gmail.com", "`imap.gmail.com` is where Gmail's mail is read", "smtp.gmail.com"),
    ],
)
def test_a_host_that_is_for_something_else(host: str, message: str, right: str) -> None:
    problem = only(provider_endpoint, at(host))
    assert (problem.path, problem.severity) == ("server.host", None)
    assert str(problem.message) == message
    assert right in str(problem.help)
    assert problem.fix is not None
    assert problem.fix.safety is FixSafety.UNSAFE
    assert problem.fix.changes == (Replacement("server.host", right),)
    approved = only(provider_endpoint, at(host), context(catalogue(host.lower(), "587/starttls")))
    assert approved.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("host", "username", "message", "right"),
    [
        ("smtp.office365.com", "rh@hotmail.com", "Microsoft 365 is not for personal accounts", "smtp-mail.outlook.com"),
        ("smtp-mail.outlook.com", "rh@empresa.com.br", "Outlook.com is for personal accounts", "smtp.office365.com"),
        (
            "smtppro.zoho.com",
            "rh@ZohoMail.com",
            "Zoho Mail (organisation) is not for personal accounts",
            "smtp.zoho.com",
        ),
        (
            "smtp-relay.gmail.com",
            "rh@gmail.com",
            "Google Workspace relay is not for personal accounts",
            "smtp.gmail.com",
        ),
    ],
)
def test_people_and_organisations_have_servers_of_their_own(host: str, username: str, message: str, right: str) -> None:
    problem = only(provider_endpoint, at(host, authentication=account(username)))
    assert (problem.path, problem.severity) == ("server.host", Severity.WARNING)
    assert str(problem.message) == message
    assert f"`{right}`" in str(problem.help)
    assert [mark.path for mark in problem.marks] == ["authentication.username"]
    assert problem.fix is not None
    assert problem.fix.changes == (Replacement("server.host", right),)


@pytest.mark.parametrize(
    ("host", "username"),
    [
        ("smtp.office365.com", "rh@empresa.com.br"),
        ("smtp.office365.com", "rh"),
        ("smtp-mail.outlook.com", "rh@outlook.com"),
        ("smtp.zoho.com", "rh@empresa.com.br"),  # the free plan for organisations
        ("smtp.gmail.com", "rh@empresa.com.br"),
        ("smtp.mail.yahoo.com", "rh@empresa.com.br"),  # there is no other server to name
    ],
)
def test_accounts_that_may_be_right(host: str, username: str) -> None:
    assert not problems(provider_endpoint, at(host, authentication=account(username)))


def test_without_a_login_there_is_no_account_to_judge() -> None:
    assert not problems(provider_endpoint, at("smtp-mail.outlook.com", authentication=NONE))
