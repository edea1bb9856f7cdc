"""`keyring://`: with a keyring in memory, and without any."""

from __future__ import annotations

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked

from opsmail.secrets import Secret
from opsmail.secrets.keyring import open_store
from opsmail.secrets.remote import WritableRemoteSecrets
from tests.unit.secrets.refusals import CANARY, ref, refusal, refused


class InMemory(KeyringBackend):
    """A keyring that is gone with the test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # of the library
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._require_open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._require_open()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]

    def _require_open(self) -> None:
        if self.locked:
            raise KeyringLocked(CANARY)


@pytest.fixture
def backend() -> Iterator[InMemory]:
    """A keyring that takes the place of the machine's."""
    before = keyring.get_keyring()
    backend = InMemory()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_what_is_kept_resolves(backend: InMemory) -> None:
    store = open_store()
    store.keep(ref("keyring://opsmail/rh@empresa.com.br"), Secret(CANARY))
    assert backend.kept == {("opsmail", "rh@empresa.com.br"): CANARY}
    assert store.resolve(ref("keyring://opsmail/rh@empresa.com.br")).reveal() == CANARY


def test_nothing_there(backend: InMemory) -> None:
    error = refused(open_store, "keyring://opsmail/rh")
    assert "has nothing for this service and user" in str(error)
    assert str(error.hint) == "`keyring set opsmail rh` stores it"


def test_a_field_is_not_passed_over(backend: InMemory) -> None:
    assert "does not name" in str(refused(open_store, "keyring://opsmail/rh#x"))


def test_a_locked_keyring(backend: InMemory) -> None:
    backend.locked = True
    assert "KeyringLocked" in str(refused(open_store, "keyring://opsmail/rh"))
    remote = WritableRemoteSecrets(open_store, "keyring")
    assert "KeyringLocked" in str(refusal(lambda: remote.keep(ref("keyring://opsmail/rh"), Secret("new"))))


def test_a_machine_without_one(backend: InMemory) -> None:
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]  # of the library
    assert "this machine has no keyring" in str(refused(open_store, "keyring://opsmail/rh"))
