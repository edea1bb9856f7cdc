"""Live tests in a few words: who is approved, what the vault gives, what came of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from opsmail.evidence.facts import Depth
from opsmail.live.engine import LiveTest
from opsmail.live.result import TestResult
from opsmail.mail.message import Particulars, TestMessage, compose
from opsmail.messages import msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import Operator
from opsmail.references import SecretReference
from opsmail.secrets import Secret, SecretError, Secrets
from opsmail.settings.load import Settings
from tests.unit.fleets import HOST, settings
from tests.unit.mail.oauth.identity import root as identity_ca
from tests.unit.servers import SECOND_HOST, Server, ca

RECIPIENT = "teste@empresa.test"
SECOND = {"host": SECOND_HOST}
SECRET = "env://OPSMAIL_SECRET_{OPERATOR}"
MODERN = {
    "type": "modern",
    "username": "rh@empresa.test",
    "tenant": "empresa.test",
    "client_id": "x",
    "credential": {"kind": "client-secret", "secret": "env://OPSMAIL_SECRET_RH"},
}


class Vault:
    """Gives the same password for everything, and notes what it is asked for."""

    def __init__(self, password: str = "s3nh4") -> None:
        self.password = password
        self.asked: list[str] = []

    def resolve(self, reference: SecretReference) -> Secret:
        self.asked.append(str(reference))
        if not self.password:
            raise SecretError(msg("the vault is sealed"))
        return Secret(self.password)


def catalogue(
    *servers: Server, live: str = "", seconds: int = 20, host: str = HOST, more: str = "", secret: str = SECRET
) -> Settings:
    """Settings that approve one server or two, the first as `host`, the other as `SECOND_HOST`.

    Args:
        servers: those.
        live: further lines of `[live]`; without `retries` among them, nothing is tried again.
        seconds: for one operator.
        host: the first server's name.
        more: further lines of each entry.
        secret: the pattern of secrets that may be sent there.
    """
    entries = "".join(
        f"""
[[servers]]
host = "{name}"
connections = ["587/starttls", "465/implicit-tls", "25/none"]
authentication = ["basic", "none", "modern"]
secrets = ["{secret}"]
tenants = ["empresa.test"]
client_ids = ["x"]
ca = "ca.pem"
address = "{running.address}"
{more}
"""
        for name, running in zip((host, SECOND_HOST), servers, strict=False)
    )
    if "retries" not in live:
        live += "\nretries = 0"
    if "retries" not in live:
        live += "\nretries = 0"
    files = {"ca.pem": ca(), "identity.pem": identity_ca().pem}
    return settings(f"{entries}\n[live]\ntimeout_seconds = {seconds}\n{live}", files)


def composed(effective: EffectiveOperator, recipient: str) -> TestMessage:
    subject = effective.operator
    return compose(
        Particulars(
            operator=subject.operator,
            sender=subject.sender.address,
            recipient=recipient,
            server=subject.server.host,
            when=datetime(2026, 3, 10, 12, tzinfo=UTC),
            digest=effective.digest,
        )
    )


def live(approved: Settings, vault: Vault | None = None, **more: Any) -> LiveTest:
    values: dict[str, Any] = {"compose": composed, "recipient": RECIPIENT, "depth": Depth.SEND} | more
    return LiveTest(settings=approved, secrets=Secrets({"env": vault or Vault()}), **values)


def run(approved: Settings, *operators: Operator, vault: Vault | None = None, **more: Any) -> dict[str, TestResult]:
    results = list(live(approved, vault, **more).run(operators))
    assert len({result.operator for result in results}) == len(results)
    return {result.operator: result for result in results}
