"""The fleets that several tests start from."""

from dataclasses import replace
from pathlib import Path

from tests.acceptance.repository import KeyPair, Operator, Repository, Server
from tests.hostile.peer import HOST as RELAY_HOST
from tests.servers.mailserver import MailServer

MASTER, BILLING, HR = "agendador", "faturamento", "rh-notificacoes"
NAMES = (MASTER, BILLING, HR)
RECIPIENT = "teste@empresa.test"

__all__ = ["BILLING", "HR", "MASTER", "NAMES", "RECIPIENT", "RELAY_HOST", "at_relay", "personality", "published_fleet"]


def at_relay(name: str, role: str = "standard") -> Operator:
    """Return an operator whose server is the `relay` fixture."""
    address = f"{name}@empresa.test"
    return Operator(name=name, host=RELAY_HOST, sender=address, username=address, role=role)


def published_fleet(folder: Path, keys: KeyPair, relay: Server) -> Repository:
    """Make a repository with a master and two more operators, test them, and publish them as generation 1."""
    repository = Repository.make(folder, keys)
    assert relay.ca is not None
    repository.write("ca/test.pem", Path(relay.ca).read_text("ascii"))
    repository.settings(replace(relay, ca="ca/test.pem"), recipient=RECIPIENT)
    for name in NAMES:
        # Characters that every encoding writes differently: a form that slips through shows up.
        repository.operator(at_relay(name, "master" if name == MASTER else "standard"), f'S3nh&-de-{name}+/"ção"')
    repository.commit("Operadores")
    repository.run("test")
    repository.run("publish", "--yes")
    return repository


def personality(server: MailServer, name: str, **more: object) -> Server:
    """Return the catalogue entry of one of Postfix's personalities; its host has the personality's name."""
    host = f"{name.replace('_', '-')}.empresa.test"
    entry = Server(host=host, address=f"{server.address}:{server.ports[name]}")
    return replace(entry, **more)  # type: ignore[arg-type]  # the fields of `Server`
