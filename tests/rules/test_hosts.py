"""OM206, OM207, OM208 and OM210 beyond the examples of their pages, and what names look like."""

from __future__ import annotations

import pytest

from opsmail.check.rules import hosts as rules
from opsmail.check.rules import server
from opsmail.check.rules.lookalike import alike, ascii_form, mixed_scripts, readable, skeleton, undecodable
from opsmail.check.rules.suffixes import is_below_public_suffix, registered_domain
from opsmail.findings import FixSafety, Replacement
from opsmail.operator.model import Operator
from tests.rules.checking import context, only, operator, problems


def at(host: str) -> Operator:
    return operator(server={"host": host})


def catalogue(host: str, *more: str) -> str:
    lines = [f'host = "{host}"', 'connections = ["587/starttls"]', 'authentication = ["basic"]', *more]
    return "[[servers]]\n" + "\n".join(lines)


@pytest.mark.parametrize(
    ("one", "other"),
    [("gmail", "gmial"), ("gmail", "gmal"), ("gmail", "ggmail"), ("gmail", "gmaul"), ("gmail", "gmai"), ("a", "b")],
)
def test_one_edit_is_one_slip_of_the_finger(one: str, other: str) -> None:
    assert rules.is_one_edit(one, other)
    assert rules.is_one_edit(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("gmail", "gmail"), ("gmail", "gmaxy"), ("gmail", "gm"), ("abcd", "badc"), ("ab", "ca"), ("", "ab")],
)
def test_none_or_two_edits_are_not_one(one: str, other: str) -> None:
    assert not rules.is_one_edit(one, other)
    assert not rules.is_one_edit(other, one)


@pytest.mark.parametrize(
    ("host", "right"),
    [
        ("smtp.gmial.com", "smtp.gmail.com"),
        ("SMTP.gmai.com", "smtp.gmail.com"),
        ("smtp.office356.com", "smtp.office365.com"),
        ("smtp.gmail.com.br", "smtp.gmail.com"),
        ("smtp.office365.com.suporte-ti.net", "smtp.office365.com"),
        ("emai-smtp.sa-east-1.amazonaws.com", "email-smtp.sa-east-1.amazonaws.com"),
    ],
)
def test_om206_names_the_server_that_was_meant(host: str, right: str) -> None:
    problem = only(rules.misspelt_provider, at(host))
    assert f"`{right}`" in str(problem.message)
    assert problem.fix is not None
    assert problem.fix.safety is FixSafety.UNSAFE
    assert problem.fix.changes == (Replacement("server.host", right),)


@pytest.mark.parametrize(
    "host",
    ["smtp.gmail.com", "smtp.empresa.com.br", "imap.gmail.com", "smtp.zoho.eu", "email-smtp.a.b.amazonaws.com", "x"],
)
def test_om206_leaves_other_names_alone(host: str) -> None:
    assert not problems(rules.misspelt_provider, at(host))


def test_om206_believes_the_catalogue() -> None:
    subject = at("smtp.terra1.com.br")
    assert problems(rules.misspelt_provider, subject)
    assert not problems(rules.misspelt_provider, subject, context(catalogue("smtp.terra1.com.br")))


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("localhost", "`localhost` is whichever machine sends"),
        ("Mail.LocalHost.", "`mail.localhost` is whichever machine sends"),
        ("localhost.localdomain", "`localhost.localdomain` is whichever machine sends"),
        ("correio.local", "`correio.local` is known in one local network only"),
        ("smtp.home.arpa", "`smtp.home.arpa` is known in one local network only"),
        ("relay", "`relay` is a short name, which each machine completes in its own way"),
    ],
)
def test_om207_says_what_the_name_means(host: str, message: str) -> None:
    assert str(only(rules.local_host, at(host)).message) == message


@pytest.mark.parametrize(
    "host", ["smtp.empresa.com.br", "local.empresa.com.br", "smtp.empresa.example", "mail.localhosts.com"]
)
def test_om207_leaves_full_names_alone(host: str) -> None:
    assert not problems(rules.local_host, at(host))


def test_om207_believes_the_catalogue_where_that_says_private_or_where_to_connect() -> None:
    subject = at("relay.local")
    assert problems(rules.local_host, subject, context(catalogue("relay.local")))
    assert not problems(rules.local_host, subject, context(catalogue("relay.local", "private = true")))
    assert not problems(rules.local_host, subject, context(catalogue("relay.local", 'address = "10.0.0.5:25"')))


@pytest.mark.parametrize(
    ("host", "original"),
    [
        ("smtp.gmai1.com", "smtp.gmail.com"),
        ("smtp.gmaiI.com", "smtp.gmail.com"),  # a capital i
        ("smtp.0ffice365.com", "smtp.office365.com"),
        ("srntp.sendgrid.net", "smtp.sendgrid.net"),
        ("mail.gmai1.com", "smtp.gmail.com"),  # another server of a domain that is not what it looks like
        ("email-smtp.sa-east-1.amaz0naws.com", "email-smtp.sa-east-1.amazonaws.com"),
        ("smtp.xn--gml-hoa2u.com", None),
        ("smtp.gm\u0430il.com", None),
        ("smtp.xn--80ak6aa92e.com", None),
    ],
)
def test_om208_names_the_original(host: str, original: str | None) -> None:
    found = problems(rules.lookalike_host, at(host))
    assert [str(problem.message).partition(" only looks like ")[2] for problem in found if original] == (
        [f"`{original}`"] if original else []
    )


def test_om208_compares_with_the_catalogue_too() -> None:
    # "аррӏе", all Cyrillic, stands for apple; nothing is mixed there.
    circumstances = context(catalogue("smtp.apple.com"))
    problem = only(rules.lookalike_host, at("smtp.xn--80ak6aa92e.com"), circumstances)
    assert str(problem.message) == "`smtp.xn--80ak6aa92e.com` only looks like `smtp.apple.com`"
    assert problem.fix is None
    assert problems(rules.lookalike_host, at("smtp.appl\u00e9.com"), circumstances)
    assert not problems(rules.lookalike_host, at("smtp.apple.com"), circumstances)
    assert not problems(rules.lookalike_host, at("smtp.xn--80ak6aa92e.com"))


@pytest.mark.parametrize(
    ("host", "shown", "scripts"),
    [
        ("smtp.gm\u0430il.com", "smtp.xn--gmil-63d.com", "Cyrillic, Latin"),
        ("smtp.xn--gmil-63d.com", "smtp.xn--gmil-63d.com", "Cyrillic, Latin"),
        ("smtp.gm\u0430il!.com", "smtp.gm<U+0430>il!.com", "Cyrillic, Latin"),
    ],
)
def test_om208_shows_mixed_names_so_that_nobody_is_taken_in(host: str, shown: str, scripts: str) -> None:
    problem = only(rules.lookalike_host, at(host))
    assert str(problem.message) == f"the name `{shown}` mixes letters of several scripts: {scripts}"


@pytest.mark.parametrize(
    "host", ["smtp.empresa.com.br", "smtp.xn--so-paulo-rza.com.br", "smtp.xn--e1afmkfd.com", "smtp.gmail.com", "relay"]
)
def test_om208_leaves_names_of_one_script_alone(host: str) -> None:
    assert not problems(rules.lookalike_host, at(host))


def test_om208_believes_the_catalogue() -> None:
    host = "smtp.xn--gmil-63d.com"
    assert not problems(rules.lookalike_host, at(host), context(catalogue(host)))


def test_scripts_that_are_written_together_are_not_mixed() -> None:
    assert mixed_scripts("\u6771\u4eac\u30bf\u30ef\u30fc\u306e-tokyo.jp") == ()
    assert mixed_scripts("\u00e9cole-42.fr") == ()
    assert mixed_scripts("\u03b1bc.gr") == ("GREEK", "LATIN")


def test_names_are_shown_in_both_forms() -> None:
    assert readable("smtp.xn--so-paulo-rza.com") == "smtp.s\u00e3o-paulo.com"
    assert readable("smtp.xn--0.com") == "smtp.xn--0.com"
    assert readable("smtp.gmail.com") == "smtp.gmail.com"
    assert ascii_form("smtp.gmail.com") == "smtp.gmail.com"
    assert undecodable("smtp.xn--so-paulo-rza.com") is None
    assert undecodable("smtp.gmail.com") is None
    assert undecodable("smtp.xn--0.com") == "xn--0"


def test_om204_refuses_a_label_that_stands_for_nothing() -> None:
    problem = only(server.host_is_not_a_name, at("smtp.XN--0.com"))
    assert str(problem.message) == "`xn--0` stands for no letters, so nobody can have registered the name"
    assert problem.fix is None


def test_looks_are_compared_as_people_see_them() -> None:
    assert skeleton("srntp") == skeleton("smtp") == skeleton("\u0455\u043ctp".replace("\u043c", "m"))
    assert skeleton("\u00e9") == "e"
    assert skeleton("\u4e2d") == "\u4e2d"
    assert alike("smtp.empresa.com.br", ["smtp.empresa.com.br", "relay"]) is None
    assert alike("correio.empresa.com.br", ["smtp.empresa.com.br"]) is None
    assert alike("relay", ["re1ay"]) == "re1ay"


@pytest.mark.parametrize("host", ["smtp.empresa.con", "smtp.empresa.com.rb", "com.br", "relay", "smtp.empresa.local"])
def test_om210_notes_what_nobody_can_have_registered(host: str) -> None:
    assert only(rules.unknown_host_suffix, at(host)).path == "server.host"


@pytest.mark.parametrize(
    "host",
    [
        "smtp.empresa.com.br",
        "smtp.empresa.dev",
        "smtp.titan.email",
        "smtp.empresa.nom.br",
        "smtp.xn--p1acf.xn--p1ai",
        "10.0.0.1",
    ],
)
def test_om210_knows_endings(host: str) -> None:
    assert not problems(rules.unknown_host_suffix, at(host))


def test_om210_believes_the_catalogue() -> None:
    assert not problems(rules.unknown_host_suffix, at("smtp.empresa.rede"), context(catalogue("smtp.empresa.rede")))


def test_the_commonest_endings_are_what_the_list_says() -> None:
    from opsmail.check.rules import suffixes

    for ending in suffixes._COMMON:
        assert registered_domain(f"smtp.empresa{ending}") == f"empresa{ending}"
    assert is_below_public_suffix("a.b.com.br")
    assert registered_domain("smtp.empresa.rede") is None
