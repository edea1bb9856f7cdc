"""OM5xx beyond the examples of their pages."""

from __future__ import annotations

import pytest

from opsmail.check.rules import sender as rules
from opsmail.findings import Severity
from tests.rules.checking import BASIC, NONE, context, made_up_provider, only, operator, problems

OTHER = {**BASIC, "username": "sistemas@empresa.com.br"}


@pytest.mark.parametrize(
    ("host", "verb"), [("smtp.office365.com", "refuses"), ("smtp.zoho.com", "refuses"), ("smtp.gmail.com", "replaces")]
)
def test_om501_says_what_becomes_of_the_sender(host: str, verb: str) -> None:
    subject = operator(server={"host": host}, authentication=OTHER)
    problem = only(rules.sender_is_not_account, subject)
    assert verb in str(problem.message)
    assert problem.severity is None
    assert [mark.path for mark in problem.marks] == ["authentication.username"]
    assert not problems(rules.sender_differs, subject)


def test_om501_is_a_warning_where_only_public_code_says_so() -> None:
    circumstances = context(providers=made_up_provider(confidence="community"))
    subject = operator(server={"host": "mail.provedor.com.br"}, authentication=OTHER)
    assert only(rules.sender_is_not_account, subject, circumstances).severity is Severity.WARNING


@pytest.mark.parametrize("host", ["smtp.gmail.com", "smtp.empresa.com.br", "smtp.terra.com.br"])
def test_send_as_ends_both(host: str) -> None:
    subject = operator(sender={"send_as": True}, server={"host": host}, authentication=OTHER)
    assert not problems(rules.sender_is_not_account, subject)
    assert not problems(rules.sender_differs, subject)


@pytest.mark.parametrize("host", ["smtp.empresa.com.br", "smtp.terra.com.br"])
def test_om502_concerns_servers_whose_habit_is_not_known(host: str) -> None:
    subject = operator(server={"host": host}, authentication=OTHER)
    assert only(rules.sender_differs, subject).path == "sender.address"
    assert not problems(rules.sender_is_not_account, subject)


@pytest.mark.parametrize("host", ["smtp.sendgrid.net", "email-smtp.sa-east-1.amazonaws.com", "smtp-relay.gmail.com"])
def test_services_with_a_list_of_verified_senders_are_left_out(host: str) -> None:
    subject = operator(server={"host": host}, authentication={**BASIC, "username": "apikey"})
    assert not problems(rules.sender_is_not_account, subject)
    assert not problems(rules.sender_differs, subject)


@pytest.mark.parametrize("username", ["rh@empresa.com.br", "RH@Empresa.com.br", "rh", "RH"])
def test_the_same_account_in_another_spelling_is_the_same(username: str) -> None:
    assert not problems(rules.sender_differs, operator(authentication={**BASIC, "username": username}))


def test_a_user_name_alone_is_compared_with_the_part_before_the_at() -> None:
    assert problems(rules.sender_differs, operator(authentication={**BASIC, "username": "sistemas"}))


def test_without_a_login_there_is_no_account_to_differ_from() -> None:
    assert not problems(rules.sender_differs, operator(authentication=NONE))


@pytest.mark.parametrize(
    "address",
    [
        "rh",
        "rh@",
        "@empresa.com.br",
        "rh@@empresa.com.br",
        "r h@empresa.com.br",
        "<rh@empresa.com.br>",
        f"{'a' * 65}@empresa.com.br",
    ],
)
def test_om503_refuses_what_is_no_address(address: str) -> None:
    assert only(rules.invalid_address, operator(sender={"address": address})).path == "sender.address"


@pytest.mark.parametrize(
    "address",
    [
        "rh@empresa.com.br",
        "rh.folha_sp-2@a.b.empresa.com.br",
        "rh@intranet.local",
        "rh+folha@empresa.com.br",
        "ação@empresa.com.br",
        "rh@servidor",
    ],
)
def test_om503_accepts_what_mail_servers_accept(address: str) -> None:
    assert not problems(rules.invalid_address, operator(sender={"address": address, "reply_to": address}))


def test_om503_looks_at_both_addresses() -> None:
    subject = operator(sender={"address": "rh", "reply_to": "suporte"})
    assert [problem.path for problem in problems(rules.invalid_address, subject)] == [
        "sender.address",
        "sender.reply_to",
    ]


SETTINGS = """
[policy]
sender_domains = ["empresa.com.br", "loja.empresa.com.br"]

[[servers]]
host = "smtp.empresa.com.br"
connections = ["587/starttls"]
authentication = ["basic"]
sender_domains = ["empresa.com.br"]
"""


def test_om504_wants_a_domain_of_the_policy() -> None:
    problem = only(rules.sender_domain, operator(sender={"address": "rh@outra.com.br"}), context(SETTINGS))
    assert str(problem.message) == "senders from `outra.com.br` are not approved"
    assert "`empresa.com.br`, `loja.empresa.com.br`" in str(problem.help)


def test_om504_wants_a_domain_of_the_server() -> None:
    problem = only(rules.sender_domain, operator(sender={"address": "rh@loja.empresa.com.br"}), context(SETTINGS))
    assert str(problem.message) == "senders from `loja.empresa.com.br` are not approved for `smtp.empresa.com.br`"
    assert "`empresa.com.br`;" in str(problem.help)


@pytest.mark.parametrize("settings", [None, SETTINGS, SETTINGS.partition("[[servers]]")[0]])
def test_om504_accepts_approved_domains_in_any_case(settings: str | None) -> None:
    assert not problems(rules.sender_domain, operator(sender={"address": "rh@EMPRESA.com.br"}), context(settings))


def test_om504_compares_whole_domains() -> None:
    assert problems(rules.sender_domain, operator(sender={"address": "rh@x.empresa.com.br"}), context(SETTINGS))
    assert problems(rules.sender_domain, operator(sender={"address": "rh@minhaempresa.com.br"}), context(SETTINGS))


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("rh@gmail.com", "smtp.gmail.com"),
        ("rh@gmail.com", "smtp-relay.gmail.com"),
        ("rh@UOL.com.br", "smtps.bol.com.br"),
        ("rh@hotmail.com", "smtp.office365.com"),
        ("rh@empresa.com.br", "smtp.gmail.com"),
        ("rh@empresa.com.br", "smtp.empresa.com.br"),
        ("rh@empresa.com.br", "smtp.mail.me.com"),
    ],
)
def test_om505_accepts_addresses_where_they_come_from(address: str, host: str) -> None:
    assert not problems(rules.free_mail_sender, operator(sender={"address": address}, server={"host": host}))


@pytest.mark.parametrize(
    ("address", "host", "message", "mark"),
    [
        (
            "rh@gmail.com",
            "smtp.sendgrid.net",
            "`gmail.com` gives its addresses to anyone, and its mail comes from other servers",
            "not a server of Gmail",
        ),
        ("rh@empresa.com.br", "smtps.uol.com.br", "UOL is for its own free addresses", "for `uol.com.br`"),
    ],
)
def test_om505_says_who_the_address_belongs_to(address: str, host: str, message: str, mark: str) -> None:
    problem = only(rules.free_mail_sender, operator(sender={"address": address}, server={"host": host}))
    assert str(problem.message) == message
    assert [(item.path, str(item.message)) for item in problem.marks] == [("server.host", mark)]


@pytest.mark.parametrize(
    "reply_to",
    [
        "suporte@EMPRESA.com.br",
        "suporte@rh.empresa.com.br",
        "suporte@loja.empresa.com.br",
        "suporte@com.br",  # whatever that is, it is around the sender's domain
        None,
    ],
)
def test_om506_knows_its_own_domains(reply_to: str | None) -> None:
    subject = operator(sender={"address": "rh@matriz.empresa.com.br", "reply_to": reply_to})
    circumstances = context(SETTINGS.replace('"empresa.com.br", "loja', '"loja'))
    assert not problems(rules.reply_to_elsewhere, subject, circumstances)


@pytest.mark.parametrize("reply_to", ["suporte@outra.com.br", "suporte@empresa.com", "suporte@local", "suporte"])
def test_om506_tells_of_others(reply_to: str) -> None:
    problem = only(rules.reply_to_elsewhere, operator(sender={"reply_to": reply_to}))
    assert problem.path == "sender.reply_to"
    assert [mark.path for mark in problem.marks] == ["sender.address"]


def test_om506_takes_the_catalogues_domains_too() -> None:
    subject = operator(sender={"reply_to": "rh@parceira.org"})
    circumstances = context(
        SETTINGS.replace('sender_domains = ["empresa.com.br"]\n', 'sender_domains = ["parceira.org"]\n')
    )
    assert not problems(rules.reply_to_elsewhere, subject, circumstances)
