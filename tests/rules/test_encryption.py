"""OM3xx and OM4xx beyond the examples of their pages."""

from __future__ import annotations

from datetime import date

import pytest

from opsmail.check.rules import authentication, encryption
from opsmail.findings import FixSafety, Replacement, Severity
from tests.rules.checking import BASIC, MODERN, NONE, context, made_up_provider, only, operator, problems

CLEAR = {"port": 587, "encryption": "none"}


@pytest.mark.parametrize("method", [BASIC, MODERN])
def test_om301_is_not_told_beside_a_login(method: dict[str, object]) -> None:
    assert not problems(encryption.encryption_off, operator(server=CLEAR, authentication=method))


def test_om301_concerns_only_encryption_that_is_off() -> None:
    assert not problems(encryption.encryption_off, operator(authentication=NONE))
    assert only(encryption.encryption_off, operator(server=CLEAR, authentication=NONE)).path == "server.encryption"


def test_om303_concerns_microsoft_alone() -> None:
    assert not problems(encryption.microsoft_needs_tls12, operator(server=CLEAR))
    assert not problems(encryption.microsoft_needs_tls12, operator(server={"host": "smtp.gmail.com", **CLEAR}))
    assert not problems(encryption.microsoft_needs_tls12, operator(server={"host": "smtp.office365.com"}))


@pytest.mark.parametrize(
    "host", ["smtp.office365.com", "SMTP.OFFICE365.COM", "smtp-mail.outlook.com", "smtp.office365.us"]
)
def test_om303_knows_microsofts_hosts(host: str) -> None:
    problem = only(encryption.microsoft_needs_tls12, operator(server={"host": host, **CLEAR}))
    assert problem.path == "server.encryption"
    assert "port 587 with `starttls`" in str(problem.help)


def test_om401_and_om402_share_out_what_is_sent_in_clear() -> None:
    assert problems(authentication.modern_needs_tls, operator(server=CLEAR, authentication=MODERN))
    assert not problems(authentication.modern_needs_tls, operator(server=CLEAR, authentication=BASIC))
    assert not problems(authentication.modern_needs_tls, operator(authentication=MODERN))
    assert problems(authentication.credentials_in_clear, operator(server=CLEAR, authentication=BASIC))
    assert not problems(authentication.credentials_in_clear, operator(server=CLEAR, authentication=MODERN))
    assert not problems(authentication.credentials_in_clear, operator(server=CLEAR, authentication=NONE))
    assert not problems(authentication.credentials_in_clear, operator(authentication=BASIC))


MICROSOFT = operator(server={"host": "smtp.office365.com"})
PERSONAL = operator(server={"host": "smtp-mail.outlook.com"})


@pytest.mark.parametrize(
    ("day", "severity", "start"),
    [
        (date(2026, 11, 1), None, "Microsoft 365 switches user-and-password logins off on 2026-12-31; "),
        (date(2026, 12, 30), None, "Microsoft 365 switches user-and-password logins off on 2026-12-31; "),
        (
            date(2026, 12, 31),
            Severity.ERROR,
            "since 2026-12-31, Microsoft 365 has user-and-password logins switched off",
        ),
        (date(2030, 1, 1), Severity.ERROR, "since 2026-12-31, Microsoft 365 has user-and-password logins switched off"),
    ],
)
def test_om403_warns_before_the_day_and_is_an_error_from_it_on(
    day: date, severity: Severity | None, start: str
) -> None:
    problem = only(authentication.microsoft_basic_retiring, MICROSOFT, context(day=day))
    assert problem.severity is severity
    assert str(problem.message).startswith(start)
    assert "switch such logins on again" in str(problem.help)
    assert problem.path == "authentication.type"


def test_om403_gives_notice_as_early_as_the_settings_say() -> None:
    day = date(2026, 10, 31)
    assert not problems(authentication.microsoft_basic_retiring, MICROSOFT, context(day=day))
    earlier = context("[policy]\ndeprecation_notice_days = 365", day=day)
    assert problems(authentication.microsoft_basic_retiring, MICROSOFT, earlier)


def test_om403_is_an_error_for_personal_accounts_and_promises_no_way_back() -> None:
    problem = only(authentication.microsoft_basic_retiring, PERSONAL)
    assert problem.severity is Severity.ERROR
    assert str(problem.message) == "since 2024-09-16, Outlook.com refuses user-and-password logins"
    assert "again" not in str(problem.help)


def test_om403_concerns_passwords_at_microsoft_alone() -> None:
    day = context(day=date(2027, 1, 1))
    assert not problems(authentication.microsoft_basic_retiring, operator(), day)
    assert not problems(authentication.microsoft_basic_retiring, operator(server={"host": "smtp.gmail.com"}), day)
    modern = operator(server={"host": "smtp.office365.com"}, authentication=MODERN)
    assert not problems(authentication.microsoft_basic_retiring, modern, day)


def test_om403_never_makes_an_error_of_what_is_known_from_public_code_only() -> None:
    known = made_up_provider(basic_ends="2026-01-01", basic_ends_source="made up", confidence="community")
    subject = operator(server={"host": "mail.provedor.com.br"})
    assert only(authentication.microsoft_basic_retiring, subject, context(providers=known)).severity is None


@pytest.mark.parametrize(
    "name", ["ssl", "TLS", "SSL/TLS", "tls/ssl", "ssl-tls", "SSLv3", "tls1.2", "TLSv1_2", "TLS 1.2", "smtps"]
)
def test_om302_knows_the_old_names(name: str) -> None:
    problem = encryption.obsolete_name(name, 465)
    assert problem is not None
    assert problem.fix is not None
    assert problem.fix.safety is FixSafety.SAFE
    assert problem.fix.changes == (Replacement("server.encryption", "implicit-tls"),)


@pytest.mark.parametrize("name", ["starttls", "STARTTLS", "none", "implicit", "auto", "", "tls" * 10, True, None, 3])
def test_om302_leaves_other_values_to_om104(name: object) -> None:
    assert encryption.obsolete_name(name, 465) is None


@pytest.mark.parametrize(
    ("port", "meant"),
    [(465, "implicit-tls"), (2465, "implicit-tls"), (587, "starttls"), (25, "starttls"), (2525, "starttls")],
)
def test_om302_takes_the_meaning_from_the_port(port: int, meant: str) -> None:
    problem = encryption.obsolete_name("tls", port)
    assert problem is not None
    assert str(problem.help) == f"on port {port} it is `{meant}`"


@pytest.mark.parametrize("port", [2599, "465", True, None, []])
def test_om302_offers_no_fix_without_a_known_port(port: object) -> None:
    problem = encryption.obsolete_name("ssl", port)
    assert problem is not None
    assert problem.fix is None
    assert "`implicit-tls`" in str(problem.help)
