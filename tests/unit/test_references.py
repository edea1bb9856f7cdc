import time

import pytest

from opsmail.references import LITERAL, SecretReference


@pytest.mark.parametrize(
    ("text", "scheme", "locator", "field"),
    [
        ("env://OPSMAIL_SECRET_RH", "env", "OPSMAIL_SECRET_RH", None),
        ("file:///run/secrets/rh", "file", "/run/secrets/rh", None),
        ("file:///run/a b".replace(" ", "_"), "file", "/run/a_b", None),
        ("vault://mount/path#field", "vault", "mount/path", "field"),
        ("azure-keyvault://vault/name", "azure-keyvault", "vault/name", None),
        ("a.b+c-d://x", "a.b+c-d", "x", None),
        ("cofre://a:b@c/d?e=f#g/h", "cofre", "a:b@c/d?e=f", "g/h"),
        ("keyring://opsmail/rh@empresa.com.br", "keyring", "opsmail/rh@empresa.com.br", None),
        ("aws-secretsmanager://opsmail/rh#password", "aws-secretsmanager", "opsmail/rh", "password"),
        ("gcp-secretmanager://projeto/rh", "gcp-secretmanager", "projeto/rh", None),
    ],
)
def test_references(text: str, scheme: str, locator: str, field: str | None) -> None:
    reference = SecretReference.parse(text)
    assert reference == SecretReference(scheme, locator, field)
    assert not reference.is_literal
    assert str(reference) == text


@pytest.mark.parametrize(
    "text",
    ["", "hunter2", "://x", "env://", "Env://A", "1env://A", "e://A", "env:/A", "env://A B", "env://A#", "env://A#b#c"]
    + [
        "env://A\n",
        "\nenv://A",
        "env://ação",
        "env://S3nh!a",
        "env://1A",
        "file://run",
        "file://~/x",
        "keyring://S3nh4",
        "vault://S3nh4",
        "vault://a/S3nh4!",
        "azure-keyvault://S3nh4_!",
        "aws-secretsmanager://S3nh4!",
        "gcp-secretmanager://S3nh4",
        "x" * 40 + "://y",
    ]
    + ["env://" + "A" * 256, "vault://" + "x" * 513, "vault://a#" + "x" * 129],
)
def test_whatever_is_none_is_forgotten(text: str) -> None:
    reference = SecretReference.parse(text)
    assert reference is LITERAL
    assert reference.is_literal
    assert str(reference) == "(not a reference)"
    if text:
        assert text not in repr(reference)


def test_a_long_text_takes_no_time() -> None:
    started = time.process_time()
    for text in ("a" * 1_000_000, "a.b" * 300_000 + "://", "env://" + "x" * 1_000_000, "a://" + "#" * 1_000_000):
        assert SecretReference.parse(text).is_literal
    assert time.process_time() - started < 1
