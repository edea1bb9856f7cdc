"""What people wrote into cells, and what it means."""

from __future__ import annotations

import pytest

from opsmail.transfer.values import UnknownValueError, value_of
from tests.unit.transfer.tables import COLUMNS


def value(path: str, cell: str, port: object = None) -> object:
    return value_of(COLUMNS, COLUMNS.by_path[path], cell, "Coluna", port)


@pytest.mark.parametrize(
    ("path", "cell", "wanted"),
    [
        ("authentication.type", "Básica", "basic"),
        ("authentication.type", "BASIC", "basic"),
        ("authentication.type", "Moderna (OAuth 2.0)", "modern"),
        ("authentication.type", "Nenhuma", "none"),
        ("server.encryption", "STARTTLS", "starttls"),
        ("server.encryption", "Implicit TLS", "implicit-tls"),
        ("server.encryption", "Nenhuma", "none"),
        ("server.encryption", "Não", "none"),
        ("server.minimum_tls", "TLS 1.3", "1.3"),
        ("role", "Sim", "master"),
        ("role", "standard", "standard"),
        ("enabled", "Sim", True),
        ("enabled", "N", False),
        ("enabled", "0", False),
        ("server.port", "587", 587),
        ("server.port", "587.0", 587),
        ("server.port", "0465", 465),
        ("authentication.secret_expires", "2027-05-01", "2027-05-01"),
        ("authentication.secret_expires", "2027-05-01 00:00:00", "2027-05-01"),
        ("authentication.secret_expires", "2027-05-01T00:00", "2027-05-01"),
        ("name", "Não", "Não"),
        ("authentication.username", "123", "123"),
    ],
)
def test_what_it_means(path: str, cell: str, wanted: object) -> None:
    found = value(path, cell)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize("cell", ["SSL", "TLS", "SSL/TLS", "Sim", "true", "1", "TLS 1.2"])
@pytest.mark.parametrize(
    ("port", "wanted"), [(587, "starttls"), (465, "implicit-tls"), (25, "starttls"), (2465, "implicit-tls")]
)
def test_the_port_decides_what_ssl_and_tls_are(cell: str, port: int, wanted: str) -> None:
    assert value("server.encryption", cell, port) == wanted


@pytest.mark.parametrize("port", [None, "587", 2599])
def test_without_a_usual_port_they_are_not_guessed(port: object) -> None:
    with pytest.raises(UnknownValueError, match="the port does not tell which"):
        value("server.encryption", "SSL", port)


@pytest.mark.parametrize(
    ("path", "cell"),
    [
        ("authentication.type", "hunter2"),
        ("server.encryption", "hunter2"),
        ("enabled", "hunter2"),
        ("server.port", "hunter2"),
        ("server.port", "123456"),
        ("server.port", "65536"),
        ("server.port", "0"),
        ("server.port", "587.5"),
        ("server.port", "-587"),
        ("server.port", "٥٨٧"),
        ("server.port", "9" * 5000),
        ("authentication.secret_expires", "hunter2"),
        ("authentication.secret_expires", "01/05/2027"),
        ("authentication.secret_expires", "2027-05-01 12:00"),
    ],
)
def test_what_means_nothing_is_not_repeated(path: str, cell: str) -> None:
    with pytest.raises(UnknownValueError) as caught:
        value(path, cell)
    assert cell not in str(caught.value.message).replace("65535", "")
    assert "`Coluna`" in str(caught.value.message)


def test_only_what_was_meant_to_be_one_of_the_choices_is_shown() -> None:
    with pytest.raises(UnknownValueError) as caught:
        value("authentication.type", "Moderrna")
    assert str(caught.value.message) == ("`Moderrna` in `Coluna` is not known; it can be `basic`, `modern`, `none`")
