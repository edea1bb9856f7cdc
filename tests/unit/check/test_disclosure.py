import pytest

from opsmail.check.disclosure import Disclosure
from opsmail.check.waivers import WaiverEntry
from opsmail.operator.model import Operator

OPERATOR = Disclosure.of(Operator, frozenset({"env", "file"}))


def test_every_field_of_an_operator_is_a_section_or_public_or_secret() -> None:
    assert OPERATOR.secret == {
        "authentication.password",
        "authentication.credential.secret",
        "authentication.credential.pfx",
        "authentication.credential.passphrase",
        "authentication.credential.token_cache",
    }
    assert set(OPERATOR.names) == {
        "",
        "sender",
        "server",
        "authentication",
        "authentication.credential",
        "limits",
        "labels",
    }
    assert OPERATOR.names["server"] == ("host", "port", "encryption", "minimum_tls")
    assert {"operator", "server.port", "authentication.credential.kind", "labels.*"} <= OPERATOR.public
    assert not OPERATOR.public & OPERATOR.secret


@pytest.mark.parametrize(
    "path", ["server", "server.port", "authentication.password", "labels.team", "labels.x9", "prot"]
)
def test_names_that_may_be_shown(path: str) -> None:
    assert OPERATOR.shows_key(path)


@pytest.mark.parametrize(
    "path", ["hunter2", "server.S3cr3t", "authentication.password.x", "unknown.port", "labels.a.b", "labels.0"]
)
def test_names_that_may_be_secrets(path: str) -> None:
    assert not OPERATOR.shows_key(path)


@pytest.mark.parametrize(
    ("path", "value", "written", "shown"),
    [
        ("server.port", 587, "587", 3),
        ("server.port", "five", "five", 4),
        ("labels.team", "rh", '"rh"', 4),
        ("authentication.password", "env://NAME", "env://NAME", 10),
        ("authentication.password", "env://NAME", "'env://NAME'", 12),
        ("authentication.password", "file:///run/x", "file:///run/x", 13),
        ("authentication.password", "hunter2", "hunter2", 0),
        ("authentication.password", 12345678, "12345678", 0),
        ("authentication.password", "env://S3nh!a", "env://S3nh!a", 0),
        ("authentication.password", "postgres://u:pw@h/d", "postgres://u:pw@h/d", 11),
        ("authentication.password", "evn://NAME", "'evn://NAME'", 7),
        ("authentication.pasword", "hunter2", "hunter2", 0),
        ("server", "hunter2", "hunter2", 0),
        ("labels", "hunter2", "hunter2", 0),
        ("labels.0", "hunter2", "hunter2", 0),
        ("labels.a.b", "hunter2", "hunter2", 0),
        ("server.port.0", "hunter2", "hunter2", 0),
    ],
)
def test_how_much_of_a_value_may_be_shown(path: str, value: object, written: str, shown: int) -> None:
    assert OPERATOR.shown_part(path, value, written) == shown


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("authentication.type", "basic", True),
        ("authentication.type", "Bsic", True),
        ("authentication.type", "hunter2", False),
        ("authentication.type", "modern42", False),
        ("authentication.type", 12345678, False),
        ("authentication.type", "xyz", True),
        ("authentication.credential.kind", "client secret", True),
        ("authentication.credential.kind", "hunter2", False),
        ("server.encryption", "SSL/TLS", True),
        ("server.encryption", "TLSv1.2", True),
        ("server.encryption", "password", False),
        ("server.minimum_tls", "1.1", True),
        ("version", 2, True),
        ("version", 20261124, False),
        ("role", True, False),
    ],
)
def test_a_field_with_few_values_shows_those_and_what_is_like_them(path: str, value: object, shown: bool) -> None:
    written = str(value)
    assert OPERATOR.shown_part(path, value, written) == (len(written) if shown else 0)


def test_which_fields_have_few_values() -> None:
    assert OPERATOR.choices == {
        "version": ("1",),
        "role": ("standard", "master"),
        "server.encryption": ("starttls", "implicit-tls", "none"),
        "server.minimum_tls": ("1.2", "1.3"),
        "authentication.type": ("basic", "modern", "none"),
        "authentication.cloud": ("global", "us-gov", "us-dod", "china"),
        "authentication.credential.kind": (
            "client-secret",
            "certificate",
            "federated",
            "managed-identity",
            "delegated",
        ),
    }


def test_waivers_hold_no_secrets() -> None:
    disclosure = Disclosure.of(WaiverEntry)
    assert disclosure.choices == {}
    assert disclosure.secret == frozenset()
    assert disclosure.public == {"operator", "rule", "path", "reason", "approved_by", "expires"}
