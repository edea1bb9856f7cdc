"""What is trusted is written down with a generation, and read back as it was."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from opsmail.settings.model import SettingsFile
from opsmail.settings.trust import SECTIONS, record, recorded, trust_part
from tests.builders import settings_of

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nQUFB\n-----END CERTIFICATE-----\n"
FILES = {
    "ca/a.pem": f"-----BEGIN PRIVATE KEY-----\nc2VncmVkbw==\n-----END PRIVATE KEY-----\n{CERTIFICATE}",
    "ca/b.pem": CERTIFICATE,
    "keys/a.pem": "key a",
    "schemas/a.json": '{"type": "object"}',
}
TEXT = """\
[policy]
severity = { OM502 = "error" }
[runtime]
platform = "java"
version = "17"
[[servers]]
host = "smtp.empresa.com.br"
connections = ["587/starttls"]
authentication = ["basic"]
ca = "ca/a.pem"
authority = "https://login.empresa.com.br"
authority_ca = "ca/b.pem"
review_by = 2027-06-30
[schema]
extra = ["schemas/a.json"]
[[rules]]
id = "ORG001"
message = "m"
severity = "error"
when = "true"
require = "true"
[live]
recipient = "teste@empresa.com.br"
[store]
url = "sqlite:///elsewhere.db"
[gate]
max_age = "3d"
[[gate.keys]]
file = "keys/a.pem"
kinds = ["generation"]
"""


def test_what_is_read_back_is_what_was_recorded() -> None:
    settings = settings_of(TEXT, FILES)
    assert recorded(record(settings), "default") == trust_part(settings)


def test_what_trusts_nobody_is_left_out() -> None:
    told = record(settings_of(TEXT, FILES))
    assert b"elsewhere" not in told
    assert b"teste@" not in told
    assert record(settings_of(TEXT.replace("elsewhere", "other"), FILES)) == told


def test_files_that_others_name_are_not_kept() -> None:
    """The store's certificate, for example, which people keep beside its key."""
    settings = settings_of(TEXT, FILES)
    more = replace(settings, texts={**settings.texts, "store.pem": "-----BEGIN PRIVATE KEY-----"})
    assert record(more) == record(settings)


def test_a_private_key_that_stands_beside_a_certificate_is_not_kept() -> None:
    told = json.loads(record(settings_of(TEXT, FILES)))
    assert told["files"]["ca/a.pem"] == CERTIFICATE


def test_it_covers_what_the_digest_of_the_settings_covers() -> None:
    """A section that is new has to be decided on: it says whom to trust, or it is one of these."""
    assert set(SettingsFile.__dataclass_fields__) - set(SECTIONS) == {"operators", "live", "store"}


def test_no_settings_at_all_are_a_record_too() -> None:
    settings = settings_of()
    assert recorded(record(settings), "default") == trust_part(settings)


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"{",
        b'{"format": "opsmail/trust/v2", "settings": {}, "files": {}}',
        b'{"format": "opsmail/trust/v1", "settings": 1, "files": {}}',
        b'{"format": "opsmail/trust/v1", "settings": {"gate": {"newer": 1}}, "files": {}}',
        b'{"format": "opsmail/trust/v1", "settings": {}, "files": {"a": 1}}',
        b'{"format": "opsmail/trust/v1", "settings": {}}',
        b'{"format": "opsmail/trust/v1", "settings": {"gate": {"keys": [{"file": "k", "kinds": []}]}}, "files": {}}',
    ],
)
def test_what_is_no_record(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        recorded(content, "default")
