"""OM2xx beyond the examples of their pages."""

from __future__ import annotations

import pytest

from opsmail.check.rules import server as rules
from opsmail.findings import FixSafety, Replacement, Severity
from tests.rules.checking import NONE, context, made_up_provider, only, operator, problems


def catalogue(*connections: str, host: str = "smtp.empresa.com.br", authentication: str = "basic") -> str:
    pairs = ", ".join(f'"{pair}"' for pair in connections)
    return f"""
    [[servers]]
    host = "{host}"
    connections = [{pairs}]
    authentication = ["{authentication}"]
    secrets = ["env://OPSMAIL_SECRET_{{OPERATOR}}"]
    """


FITTING = [
    (25, "starttls"),
    (25, "none"),
    (465, "implicit-tls"),
    (587, "starttls"),
    (2465, "implicit-tls"),
    (2525, "starttls"),
    (2587, "starttls"),
    (2599, "implicit-tls"),  # an unknown port speaks what it likes
]


@pytest.mark.parametrize(("port", "encryption"), FITTING)
def test_om201_is_silent_about_pairs_that_fit(port: int, encryption: str) -> None:
    assert not problems(
        rules.port_encryption_mismatch, operator(server={"port": port, "encryption": encryption}, authentication=NONE)
    )


@pytest.mark.parametrize(
    ("port", "encryption", "label", "mark", "remedy"),
    [
        (
            465,
            "starttls",
            "465 is the implicit-TLS port",
            "`starttls` belongs to 587",
            "use port 587, or encryption `implicit-tls`",
        ),
        (
            2465,
            "starttls",
            "2465 is the implicit-TLS port",
            "`starttls` belongs to 587",
            "use port 587, or encryption `implicit-tls`",
        ),
        (
            587,
            "implicit-tls",
            "587 is a STARTTLS port",
            "`implicit-tls` belongs to 465",
            "use port 465, or encryption `starttls`",
        ),
        (
            25,
            "implicit-tls",
            "25 is a STARTTLS port",
            "`implicit-tls` belongs to 465",
            "use port 465, or encryption `starttls`",
        ),
        (465, "none", "465 is the implicit-TLS port", "here it is off", "use encryption `implicit-tls`"),
        (587, "none", "587 is a STARTTLS port", "here it is off", "use encryption `starttls`"),
    ],
)
def test_om201_marks_both_values_and_says_which_belong_together(
    port: int, encryption: str, label: str, mark: str, remedy: str
) -> None:
    problem = only(rules.port_encryption_mismatch, operator(server={"port": port, "encryption": encryption}))
    assert problem.path == "server.port"
    assert str(problem.label) == label
    assert [(item.path, str(item.message)) for item in problem.marks] == [("server.encryption", mark)]
    assert str(problem.help) == remedy
    assert problem.fix is None
    assert problem.severity is None


def test_om201_is_a_warning_where_it_approved_exactly_this_pair() -> None:
    subject = operator(server={"port": 465, "encryption": "starttls"})
    problem = only(rules.port_encryption_mismatch, subject, context(catalogue("465/starttls")))
    assert problem.severity is Severity.WARNING
    assert problem.fix is None


def test_om201_writes_the_only_approved_pair() -> None:
    subject = operator(server={"port": 465, "encryption": "starttls"})
    problem = only(rules.port_encryption_mismatch, subject, context(catalogue("587/starttls")))
    assert str(problem.help) == "approved for `smtp.empresa.com.br`: port 587 with `starttls`"
    assert problem.fix is not None
    assert problem.fix.safety is FixSafety.SAFE
    assert problem.fix.changes == (Replacement("server.port", 587),)


def test_om201_changes_both_values_where_both_are_wrong() -> None:
    subject = operator(server={"port": 587, "encryption": "implicit-tls"})
    problem = only(rules.port_encryption_mismatch, subject, context(catalogue("2525/starttls")))
    assert problem.fix is not None
    assert problem.fix.changes == (
        Replacement("server.port", 2525),
        Replacement("server.encryption", "starttls"),
    )


def test_om201_changes_the_encryption_alone_where_the_port_is_approved() -> None:
    subject = operator(server={"port": 465, "encryption": "starttls"})
    problem = only(rules.port_encryption_mismatch, subject, context(catalogue("465/implicit-tls")))
    assert problem.fix is not None
    assert problem.fix.changes == (Replacement("server.encryption", "implicit-tls"),)


@pytest.mark.parametrize("pairs", [("587/starttls", "465/implicit-tls"), ("25/none",)])
def test_om201_offers_no_fix_that_is_a_guess_or_switches_encryption_off(pairs: tuple[str, ...]) -> None:
    subject = operator(server={"port": 465, "encryption": "starttls"})
    assert only(rules.port_encryption_mismatch, subject, context(catalogue(*pairs))).fix is None


@pytest.mark.parametrize(
    ("pairs", "remedy"),
    [
        (("587/starttls", "465/implicit-tls"), "use port 587, or encryption `implicit-tls`"),
        (("587/starttls", "2599/starttls"), "approved for `smtp.empresa.com.br`: `587/starttls`, `2599/starttls`"),
        (("25/none",), "ask IT to approve an encrypted connection to `smtp.empresa.com.br`"),
    ],
)
def test_om201_offers_only_what_the_catalogue_allows(pairs: tuple[str, ...], remedy: str) -> None:
    subject = operator(server={"port": 465, "encryption": "starttls"})
    assert str(only(rules.port_encryption_mismatch, subject, context(catalogue(*pairs))).help) == remedy


def test_om201_offers_only_what_the_provider_serves() -> None:
    subject = operator(server={"host": "smtp.office365.com", "port": 465, "encryption": "implicit-tls"})
    assert not problems(rules.port_encryption_mismatch, subject)
    subject = operator(server={"host": "smtp.office365.com", "port": 465, "encryption": "starttls"})
    assert (
        str(only(rules.port_encryption_mismatch, subject).help)
        == "Microsoft 365 is reached on port 587 with `starttls`"
    )


def test_a_provider_without_an_encrypted_connection_is_no_remedy() -> None:
    subject = operator(server={"host": "mail.provedor.com.br", "port": 465, "encryption": "starttls"})
    circumstances = context(providers=made_up_provider(connections=["25/none"]))
    remedy = only(rules.port_encryption_mismatch, subject, circumstances).help
    assert str(remedy) == "use port 587 with `starttls`, or port 465 with `implicit-tls`"


def test_om201_leaves_it_to_om301_where_it_approved_the_pair_without_encryption() -> None:
    subject = operator(server={"port": 2525, "encryption": "none"}, authentication=NONE)
    assert not problems(rules.port_encryption_mismatch, subject, context(catalogue("2525/none", authentication="none")))


@pytest.mark.parametrize("port", [25, 465, 587, 2465, 2525, 2587])
def test_om202_knows_the_usual_ports(port: int) -> None:
    assert not problems(rules.nonstandard_port, operator(server={"port": port}))


def test_om202_accepts_what_it_approved() -> None:
    subject = operator(server={"port": 2599})
    assert problems(rules.nonstandard_port, subject)
    assert not problems(rules.nonstandard_port, subject, context(catalogue("2599/starttls")))
    assert problems(rules.nonstandard_port, subject, context(catalogue("2598/starttls")))


def test_om203_names_what_to_change_to() -> None:
    subject = operator(server={"port": 25})
    assert (
        str(only(rules.cleartext_port, subject).help) == "use port 587 with `starttls`, or port 465 with `implicit-tls`"
    )
    remedy = only(rules.cleartext_port, subject, context(catalogue("25/starttls", "587/starttls"))).help
    assert str(remedy) == "approved for `smtp.empresa.com.br`: port 587 with `starttls`"


@pytest.mark.parametrize(
    ("host", "message", "meant"),
    [
        (
            "smtp://smtp.empresa.com.br",
            "the server's name contains a scheme, such as `smtp://`",
            "smtp.empresa.com.br",
        ),
        (
            "https://smtp.empresa.com.br/",
            "the server's name contains a scheme, such as `smtp://`",
            "smtp.empresa.com.br",
        ),
        ("smtp.empresa.com.br:587", "the server's name contains a port", "smtp.empresa.com.br"),
        ("smtp.empresa.com.br/mail", "the server's name contains a path", "smtp.empresa.com.br"),
        ("smtp.empresa.com.br.", "the server's name ends in a dot", "smtp.empresa.com.br"),
        (" smtp.empresa.com.br", "the server's name contains spaces", "smtp.empresa.com.br"),
        ("smtp. empresa.com.br", "the server's name contains spaces", None),
        ("10.0.0.25", "the server is an IP address, but TLS certificates are made out to names", None),
        ("10.0.0.25:587", "the server is an IP address, but TLS certificates are made out to names", None),
        ("2001:db8::25", "the server is an IP address, but TLS certificates are made out to names", None),
        ("[2001:db8::25]:587", "the server is an IP address, but TLS certificates are made out to names", None),
        ("167772185", "the server is an IP address, but TLS certificates are made out to names", None),
    ],
)
def test_om204_says_what_it_is_instead_of_a_name(host: str, message: str, meant: str | None) -> None:
    problem = only(rules.host_is_not_a_name, operator(server={"host": host}))
    assert str(problem.message) == message
    if meant is None:
        assert problem.fix is None
        assert "for example" in str(problem.help)
    else:
        assert str(problem.help) == f"write `{meant}`"
        assert problem.fix is not None
        assert problem.fix.safety is FixSafety.SAFE
        assert problem.fix.changes == (Replacement("server.host", meant),)


def test_om204_gives_the_reason_of_whatever_else_is_no_name() -> None:
    problem = only(rules.host_is_not_a_name, operator(server={"host": "smtp_relay.empresa.com.br"}))
    assert str(problem.message).startswith("the server is not a DNS name: ")
    assert problem.fix is None


def test_om204_offers_no_fix_where_host_and_port_name_two_ports() -> None:
    problem = only(rules.host_is_not_a_name, operator(server={"host": "smtp.empresa.com.br:465"}))
    assert problem.fix is None
    assert str(problem.help) == "write `smtp.empresa.com.br` here, and the port that it shall be in `port`"


@pytest.mark.parametrize("host", ["smtp.empresa.com.br", "SMTP.Empresa.com.br", "relay", "xn--caf-dma.com.br"])
def test_om204_accepts_names(host: str) -> None:
    assert not problems(rules.host_is_not_a_name, operator(server={"host": host}))


def test_om209_is_silent_without_a_catalogue_and_denies_everything_with_an_empty_one() -> None:
    assert not problems(rules.server_not_approved, operator())
    problem = only(rules.server_not_approved, operator(), context("servers = []"))
    assert problem.path == "server.host"
    assert "no server is approved" in str(problem.help)


def test_om209_names_the_approved_host_that_was_probably_meant() -> None:
    circumstances = context(catalogue("587/starttls"))
    problem = only(rules.server_not_approved, operator(server={"host": "smtpp.empresa.com.br"}), circumstances)
    assert str(problem.help).startswith("did you mean `smtp.empresa.com.br`? approved: ")
    problem = only(rules.server_not_approved, operator(server={"host": "correio.outra.org"}), circumstances)
    assert str(problem.help).startswith("approved: ")


def test_om209_points_at_each_part_that_is_not_approved() -> None:
    circumstances = context(catalogue("587/starttls", authentication="modern"))
    subject = operator(server={"port": 2525})
    assert [item.path for item in problems(rules.server_not_approved, subject, circumstances)] == [
        "server.port",
        "authentication.type",
    ]


def test_om209_leaves_secrets_to_om604() -> None:
    subject = operator(name="financeiro")
    assert not problems(rules.server_not_approved, subject, context(catalogue("587/starttls")))
