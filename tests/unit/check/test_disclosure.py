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


def test_waivers_hold_no_secrets() -> None:
    disclosure = Disclosure.of(WaiverEntry)
    assert disclosure.secret == frozenset()
    assert disclosure.public == {"operator", "rule", "path", "reason", "approved_by", "expires"}
