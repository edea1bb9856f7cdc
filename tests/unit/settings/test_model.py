import pytest

from opsmail.operator.model import Encryption
from opsmail.settings.notation import ApprovedConnection, Duration
from tests.builders import SETTINGS, settings_of


@pytest.mark.parametrize(
    ("text", "port", "encryption"),
    [
        ("587/starttls", 587, Encryption.STARTTLS),
        ("65535/none", 65535, Encryption.NONE),
        ("1/implicit-tls", 1, "implicit-tls"),
    ],
)
def test_connections(text: str, port: int, encryption: Encryption) -> None:
    pair = ApprovedConnection.parse(text)
    assert (pair.port, pair.encryption) == (port, encryption)
    assert str(pair) == text


@pytest.mark.parametrize(
    "text", ["", "587", "587/", "/starttls", "0587/starttls", "65536/none", "587/tls", "587/starttls "]
)
def test_what_is_no_connection(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        ApprovedConnection.parse(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1800), ("12h", 43_200), ("7d", 604_800), ("99999d", 99_999 * 86_400)]
)
def test_durations(text: str, seconds: int) -> None:
    duration = Duration.parse(text)
    assert duration.length.total_seconds() == seconds
    assert str(duration) == text


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "07d", "7 d", "7w", "-7d", "100000d", "7d\n"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Duration.parse(text)


@pytest.mark.parametrize("address", ["127.0.0.1:2587", "[::1]:25", "10.1.2.3:65535"])
def test_addresses(address: str) -> None:
    (entry,) = settings_of(f'{SETTINGS}address = "{address}"').file.servers or ()
    assert entry.address == address
