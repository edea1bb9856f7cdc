"""Whatever a change writes, no password goes where the trusted catalogue does not let it, and nobody is even asked.

A sink stands where the catalogue's server is, counting what comes; the resolver and the secrets count too.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from opsmail.cli import trials
from opsmail.references import SecretReference
from opsmail.secrets import Secret, Secrets, open_secrets
from tests.acceptance.sink import Sink, listening
from tests.hostile.catalogue import case
from tests.unit.cli.checkout import RECIPIENT, Checkout
from tests.unit.servers import Server, server

FILE = "operators/chefe.yaml"
HOST = "host: mail.empresa.test"
PASSWORD = "password: env://OPSMAIL_SECRET_CHEFE"
MODERN = """\
  type: modern
  username: chefe@empresa.test
  tenant: TENANT
  client_id: x
  credential:
    kind: client-secret
    secret: env://OPSMAIL_SECRET_CHEFE
"""


class Counted:
    """The environment's secrets, and who was asked for what: names, secrets."""

    def __init__(self) -> None:
        self.secrets: list[str] = []
        self.names: list[str] = []

    def resolve(self, reference: SecretReference) -> Secret:
        self.secrets.append(str(reference))
        return open_secrets().resolve(reference)

    def look_up(self, host: Any, *others: Any, **more: Any) -> Any:
        self.names.append(str(host))
        raise socket.gaierror(socket.EAI_NONAME, "no")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted()
    monkeypatch.setattr(trials, "open_secrets", lambda: Secrets({"env": counted}))
    monkeypatch.setattr(socket, "getaddrinfo", counted.look_up)
    return counted


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening() as sink:
        yield sink


def trusted(checkout: Checkout, sink: Sink) -> str:
    """Commit a fleet that may use the sink, and return the commit that is trusted."""
    checkout.settings()
    checkout.edit("opsmail.toml", "[live]", f'address = "{sink.address}"\nca = "ca.pem"\n\n[live]')
    checkout.edit("opsmail.toml", "timeout_seconds = 10", "timeout_seconds = 1")
    checkout.operator("chefe", role="master")
    checkout.operator("a")
    return checkout.commit()


def test_where_it_may_go_it_goes(checkout: Checkout, sink: Sink, counted: Counted) -> None:
    """The others could not fail if nothing were ever counted."""
    trusted(checkout, sink)
    checkout.run("test", "chefe", code=4)
    assert sink.connections == 1
    assert counted.secrets == ["env://OPSMAIL_SIGNING_KEY"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        case("C-01 another host", HOST, "host: mail.atacante.test"),
        case("C-04 no TLS", "encryption: starttls", "encryption: none"),
        case("C-04 TLS if it happens to be there", "encryption: starttls", "encryption: opportunistic"),
        case("C-05 another one's secret", PASSWORD, "password: env://OPSMAIL_SECRET_A"),
        *(
            case(f"{number} {host}", HOST, f"host: '{host}'")
            for number, hosts in {
                "C-06": ("localhost", "127.0.0.1", "::1", "0.0.0.0", "10.0.0.1", "169.254.169.254", "fd00::1"),
                "C-07": ("2130706433", "0x7f.1", "1.1", "017700000001"),
                "C-08": ("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "168.63.129.16"),
                "C-11": (
                    *("mail.empresa.test@atacante.test", "mail.empresa.test:25@atacante.test"),
                    *("mail.empresa.test#atacante.test", "mail.empresa.test atacante.test", "smtp://mail.empresa.test"),
                ),
                "C-12": ("atacante-mail.empresa.test", "mail.empresa.test.atacante.test", "mail.empresa.test."),
            }.items()
            for host in hosts
        ),
        case("C-19 a proxy", HOST, f"{HOST}\n  proxy: socks5://atacante.test"),
        case("T-18 no verification", HOST, f"{HOST}\n  verify: false"),
        case("T-18 no security", HOST, f"{HOST}\n  insecure: true"),
        *(
            case(f"C-20 {reference}", PASSWORD, f"password: {reference}")
            for reference in (
                *("env:PATH", "env://PATH", "env://OPSMAIL_SIGNING_KEY", "file:///proc/self/environ"),
                *("file://../../x", "cmd://id", "env://OPSMAIL_SECRET_CHEFE#x", "env://OPSMAIL_SECRET_CHEFE/../PATH"),
            )
        ),
    ],
)
def test_a_change_that_is_refused(checkout: Checkout, sink: Sink, counted: Counted, old: str, new: str) -> None:
    base = trusted(checkout, sink)
    checkout.edit(FILE, old, new)
    checkout.commit()
    said = checkout.run("test", "chefe", "--trust", base, code=1)
    assert f"{FILE}:" in said.err
    assert "1 operator with errors is not tested" in said.err
    assert (counted.secrets, counted.names) == ([], [])
    assert sink.untouched


@pytest.mark.case("C-11")
def test_a_host_with_line_ends_is_not_even_read(checkout: Checkout, sink: Sink, counted: Counted) -> None:
    base = trusted(checkout, sink)
    checkout.edit(FILE, HOST, 'host: "mail.empresa.test\\r\\natacante.test"')
    checkout.commit()
    assert "there is no operator `chefe`" in checkout.run("test", "chefe", "--trust", base, code=2).err
    assert (counted.secrets, counted.names) == ([], [])
    assert sink.untouched


@pytest.mark.parametrize(
    ("tenant", "more"),
    [
        case("C-16 another tenant", "outro.test", ""),
        case("C-17 another scope", "empresa.test", "  scope: https://graph.microsoft.com/.default\n"),
    ],
)
def test_a_token_is_asked_for_where_and_what_is_pinned(
    checkout: Checkout, sink: Sink, counted: Counted, tenant: str, more: str
) -> None:
    base = trusted(checkout, sink)
    checkout.operator("chefe", role="master", authentication=MODERN.replace("TENANT", tenant) + more)
    checkout.commit()
    checkout.run("test", "chefe", "--trust", base, code=1)
    assert (counted.secrets, counted.names) == ([], [])
    assert sink.untouched


@pytest.mark.case("C-16")
def test_an_identity_provider_of_the_change_is_not_asked(checkout: Checkout, counted: Counted, sink: Sink) -> None:
    with server() as relay:
        checkout.settings(relay)
        checkout.operator("chefe", role="master", authentication=MODERN.replace("TENANT", "empresa.test"))
        base = checkout.commit()
        checkout.edit("opsmail.toml", "[live]", f'authority = "https://{sink.address}"\n\n[live]')
        checkout.commit()
        checkout.run("test", "chefe", "--trust", base, code=1)  # modern where nobody marked it: OM404
    assert sink.untouched
    assert counted.secrets == []


@pytest.mark.parametrize(
    "line", [case("T-18 the server is not verified", "verify = false"), case("T-18 nor secure", "insecure = true")]
)
def test_settings_switch_no_verification_off(checkout: Checkout, sink: Sink, counted: Counted, line: str) -> None:
    trusted(checkout, sink)
    checkout.edit("opsmail.toml", 'ca = "ca.pem"\n', f'ca = "ca.pem"\n{line}\n')
    checkout.commit()
    assert line.split(maxsplit=1)[0] in checkout.run("test", "chefe", code=2).err
    assert (counted.secrets, counted.names) == ([], [])
    assert sink.untouched


@pytest.mark.case("C-15")
def test_the_recipient_is_the_trusted_one(checkout: Checkout, relay: Server) -> None:
    base = checkout.fleet(relay)
    checkout.edit("opsmail.toml", RECIPIENT, "vitima@outra.test")
    checkout.commit()
    checkout.run("test", "--trust", base)
    assert f"RCPT TO:<{RECIPIENT}>".encode() in relay.peer.said()
    assert b"vitima" not in relay.peer.said()


@pytest.mark.case("C-01")
def test_a_pin_is_asked_before_the_signing_key_is_read(checkout: Checkout, sink: Sink, counted: Counted) -> None:
    trusted(checkout, sink)
    text = checkout.read("opsmail.toml")
    checkout.write("opsmail.toml", text[text.index("[live]") :])
    checkout.commit()
    assert "there is no catalogue" in checkout.run("test", code=3).err
    assert (counted.secrets, counted.names) == ([], [])
    assert sink.untouched


@pytest.mark.parametrize("event", ["pull_request_target", "issue_comment", "pull_request"])
def test_a_run_for_anybody_s_code_asks_nobody(checkout: Checkout, sink: Sink, counted: Counted, event: str) -> None:
    trusted(checkout, sink)
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event}
    assert "do not run here" in checkout.run("test", code=3, environment=environment).err
    assert (counted.secrets, counted.names) == ([], [])
    assert sink.untouched
