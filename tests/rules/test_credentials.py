"""OM407, OM408, OM409, OM410 and OM411 beyond the examples of their pages."""

from __future__ import annotations

from datetime import date

import pytest

from opsmail.check.rules import authentication, credentials
from opsmail.findings import FixSafety, Replacement, Severity
from opsmail.operator.model import Operator
from tests.rules.checking import BASIC, MODERN, NONE, context, made_up_provider, only, operator, problems


def at(host: str, username: str) -> Operator:
    return operator(server={"host": host}, authentication={**BASIC, "username": username})


@pytest.mark.parametrize(
    ("host", "username", "message", "remedy"),
    [
        ("smtp.gmail.com", "rh", "Gmail wants the whole address as user name", "write `rh@empresa.com.br`"),
        ("smtp.gmail.com", "sistemas", "Gmail wants the whole address as user name", "write `sistemas@…`"),
        (
            "smtps.bol.com.br",
            "rh@bol.com.br",
            "BOL wants only what stands before the `@` as user name",
            "write `rh`",
        ),
        (
            "smtp.sendgrid.net",
            "rh@empresa.com.br",
            "at SendGrid the user name is the word `apikey`",
            "write `apikey`; what SendGrid calls the key is the password",
        ),
    ],
)
def test_om407_names_the_form_that_the_provider_wants(host: str, username: str, message: str, remedy: str) -> None:
    problem = only(credentials.username_form, at(host, username))
    assert (str(problem.message), str(problem.help)) == (message, remedy)
    if problem.fix is None:
        assert "@…" in remedy
    else:
        (change,) = problem.fix.changes
        assert isinstance(change, Replacement)
        assert remedy.startswith(f"write `{change.value}`")
        assert problem.fix.safety is FixSafety.UNSAFE


@pytest.mark.parametrize(
    ("host", "username"),
    [
        ("smtp.gmail.com", "rh@empresa.com.br"),
        ("smtps.uol.com.br", "rh"),
        ("smtp.sendgrid.net", "apikey"),
        ("email-smtp.sa-east-1.amazonaws.com", "AKIAIOSFODNN7EXAMPLE"),
        ("smtp.empresa.com.br", "rh"),
    ],
)
def test_om407_accepts_what_is_right_or_not_known(host: str, username: str) -> None:
    assert not problems(credentials.username_form, at(host, username))


def test_om407_concerns_logins_alone() -> None:
    subject = operator(server={"host": "smtp.gmail.com"}, authentication=NONE)
    assert not problems(credentials.username_form, subject)


def test_om408_says_how_to_make_one() -> None:
    problem = only(credentials.app_password, at("smtp.mail.yahoo.com", "rh@yahoo.com.br"))
    assert str(problem.help) == "how to make one: https://help.yahoo.com/kb/SLN15241.html"
    known = context(providers=made_up_provider(app_password=True))
    assert str(only(credentials.app_password, at("mail.provedor.com.br", "rh"), known).help).endswith("made up")


def test_om408_concerns_passwords_at_such_providers_alone() -> None:
    assert not problems(credentials.app_password, operator())
    assert not problems(credentials.app_password, at("smtp.zoho.com", "rh@empresa.com.br"))
    modern = operator(server={"host": "smtp.gmail.com"}, authentication=MODERN)
    assert not problems(credentials.app_password, modern)


CATALOGUE = """
[[servers]]
host = "smtp.empresa.com.br"
connections = ["587/starttls"]
authentication = ["basic", "modern"]
secrets = ["env://OPSMAIL_SECRET_{OPERATOR}"]
"""


def test_om409_is_told_only_where_it_has_opened_the_other_way() -> None:
    subject = operator(authentication=MODERN)
    opened = CATALOGUE.replace('{OPERATOR}"', '{OPERATOR}", "federated"')
    assert only(credentials.long_lived_secret, subject, context(opened)).path == "authentication.credential.kind"
    assert not problems(credentials.long_lived_secret, subject, context(CATALOGUE))
    assert not problems(credentials.long_lived_secret, subject)
    for other in (BASIC, {**MODERN, "credential": {"kind": "federated"}}):
        assert not problems(credentials.long_lived_secret, operator(authentication=other), context(opened))


def test_om410_names_what_is_approved() -> None:
    problem = only(authentication.none_not_approved, operator(authentication=NONE), context(CATALOGUE))
    assert str(problem.help) == "log in, approved: `basic`, `modern`"


def test_om410_is_silent_without_an_entry_where_it_is_approved_and_with_a_login() -> None:
    subject = operator(authentication=NONE)
    assert not problems(authentication.none_not_approved, subject)
    assert not problems(authentication.none_not_approved, subject, context("servers = []"))
    approved = CATALOGUE.replace('"basic", ', '"none", ')
    assert not problems(authentication.none_not_approved, subject, context(approved))
    assert not problems(authentication.none_not_approved, operator(), context(CATALOGUE))


EXPIRING = operator(authentication={**BASIC, "secret_expires": "2027-05-01"})


@pytest.mark.parametrize(
    ("day", "severity", "label"),
    [
        (date(2027, 3, 2), None, "ends soon"),
        (date(2027, 5, 1), None, "ends soon"),
        (date(2027, 5, 2), Severity.ERROR, "ended"),
    ],
)
def test_om411_warns_until_the_day_and_is_an_error_after_it(day: date, severity: Severity | None, label: str) -> None:
    problem = only(credentials.expiring_credential, EXPIRING, context(day=day))
    assert (problem.severity, str(problem.label), problem.path) == (severity, label, "authentication.secret_expires")


def test_om411_gives_notice_as_early_as_the_settings_say() -> None:
    day = date(2027, 3, 1)
    assert not problems(credentials.expiring_credential, EXPIRING, context(day=day))
    earlier = context("[policy]\ndeprecation_notice_days = 61", day=day)
    assert problems(credentials.expiring_credential, EXPIRING, earlier)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_om411_takes_any_day_that_there_is(day: str) -> None:
    subject = operator(authentication={**MODERN, "secret_expires": day})
    assert len(problems(credentials.expiring_credential, subject)) == (day < "2026")


@pytest.mark.parametrize("method", [BASIC, MODERN, NONE])
def test_om411_concerns_credentials_with_a_day_alone(method: dict[str, object]) -> None:
    assert not problems(credentials.expiring_credential, operator(authentication=method))
