from __future__ import annotations

from typing import Any

import pytest
import trustme

from opsmail.errors import UsageError
from opsmail.references import SecretReference
from opsmail.secrets import Secret, SecretError, Secrets
from opsmail.secrets.env import EnvironmentSecrets
from opsmail.store.server import Access, Server

CANARY = "hunter2-secret"
AUTHORITY = trustme.CA().cert_pem.bytes().decode("ascii")
BY_TLS = Access(Secret(CANARY), AUTHORITY)


def server(url: str, access: Access = BY_TLS, **options: Any) -> Server:
    return Server.parse(url, access, port=5432, **options)


@pytest.mark.parametrize(
    ("url", "user", "host", "port", "name", "shown"),
    [
        (
            "postgresql://opsmail@db.empresa.com.br/opsmail",
            "opsmail", "db.empresa.com.br", 5432, "opsmail",
            "postgresql://opsmail@db.empresa.com.br:5432/opsmail",
        ),
        ("mysql+pymysql://DB:3307/", None, "db", 3307, "", "mysql://db:3307/"),
        ("postgresql://a%40b@[2001:db8::1]:1/x%2Fy", "a@b", "2001:db8::1", 1, "x/y", "postgresql://a@b@[2001:db8::1]:1/x/y"),
    ],
)  # fmt: skip
def test_what_a_url_names(url: str, user: str | None, host: str, port: int, name: str, shown: str) -> None:
    found = server(url)
    assert (found.user, found.host, found.port, found.name, found.socket) == (user, host, port, name, None)
    assert str(found) == shown
    assert found.ca == AUTHORITY


def test_a_socket() -> None:
    found = server("postgresql://opsmail@/opsmail?socket=/run/postgresql", Access())
    assert (found.host, found.socket, found.tls()) == (None, "/run/postgresql", None)
    assert str(found) == "postgresql://opsmail@/opsmail?socket=/run/postgresql"
    # There is no TLS on a socket, even where a CA is named for other environments.
    assert server("postgresql:///opsmail?socket=/run/postgresql").tls() is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "localhost"])
def test_what_stays_on_this_machine_may_go_without_tls(host: str) -> None:
    assert server(f"postgresql://opsmail@{host}/opsmail", Access()).tls() is None
    assert server(f"postgresql://opsmail@{host}/opsmail").tls() is not None


@pytest.mark.parametrize(
    "host", ["db", "10.0.0.1", "localhost.empresa.com.br", "0.0.0.0", "[::ffff:10.0.0.1]", "127.1"]
)
def test_what_leaves_this_machine_is_encrypted(host: str) -> None:
    with pytest.raises(UsageError, match="which certificate to trust") as caught:
        server(f"postgresql://opsmail@{host}/opsmail", Access(Secret(CANARY)))
    assert "`ca`" in str(caught.value.hint)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://opsmail:{CANARY}@db/opsmail",
        f"postgresql://opsmail:{CANARY}:x@db/opsmail",
        f"postgresql://:{CANARY}@db/opsmail",
        "postgresql://opsmail:@db/opsmail",
        f"postgresql://opsmail@db/opsmail?password={CANARY}",
        f"postgresql://opsmail@db/opsmail?socket=/x&password={CANARY}",
    ],
)
def test_a_password_in_the_url(url: str) -> None:
    with pytest.raises(UsageError, match="holds a password") as caught:
        server(url)
    assert "env://OPSMAIL_STORE_PASSWORD" in str(caught.value.hint)
    assert CANARY not in f"{caught.value!r} {caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///opsmail",
        "postgresql://opsmail@/opsmail",
        "postgresql://opsmail@db/opsmail?socket=/run",
        "postgresql://opsmail@/opsmail?socket=run",
        "postgresql://opsmail@db/opsmail?sslmode=disable",
        "postgresql://opsmail@/opsmail?socket=/a&socket=/b",
        "postgresql://opsmail@db/opsmail#part",
        "postgresql://opsmail@db:port/opsmail",
        "postgresql://opsmail@db:65536/opsmail",
        "postgresql://opsmail@[db/opsmail",
        "postgresql://opsmail@db/ops%00mail",
        "postgresql://ops%0amail@db/opsmail",
    ],
)
def test_urls_that_name_no_server(url: str) -> None:
    with pytest.raises(UsageError, match="cannot be read") as caught:
        server(url)
    assert caught.value.hint is not None


def test_a_server_without_sockets() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        server("etcd:///opsmail?socket=/run/etcd", sockets=False)


@pytest.mark.parametrize("ca", ["", "no certificate", AUTHORITY[:200]])
def test_a_ca_that_is_none(ca: str) -> None:
    with pytest.raises(UsageError, match="holds no certificate"):
        server("postgresql://opsmail@db/opsmail", Access(ca=ca)).tls()


class TestAccess:
    SECRETS = Secrets({"env": EnvironmentSecrets({"P": CANARY, "SHORT": "abc"})})

    def test_the_password_is_resolved(self) -> None:
        access = Access.resolve(SecretReference("env", "P"), AUTHORITY, self.SECRETS)
        assert access.password is not None
        assert access.password.reveal() == CANARY
        assert CANARY not in repr(access)
        assert not access.is_empty

    def test_there_may_be_none(self) -> None:
        assert Access.resolve(None, None, self.SECRETS).is_empty
        assert Access.resolve(None, AUTHORITY, self.SECRETS) == Access(ca=AUTHORITY)

    @pytest.mark.parametrize("name", ["SHORT", "NOT_SET"])
    def test_what_cannot_be_a_password(self, name: str) -> None:
        with pytest.raises(SecretError, match=name):
            Access.resolve(SecretReference("env", name), None, self.SECRETS)
