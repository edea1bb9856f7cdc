"""Secret managers in general: loaded late, asked once for a login, never waited for, and nothing of them repeated."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from opsmail.messages import msg
from opsmail.references import SecretReference
from opsmail.secrets import Secret, SecretError, SecretStore, SecretStoreUnreachable, open_secrets
from opsmail.secrets.interface import WritableSecretStore
from opsmail.secrets.keyring import KeyringSecrets
from opsmail.secrets.remote import MANAGERS, RemoteSecrets, WritableRemoteSecrets
from tests.unit.secrets.refusals import CANARY, ref, refusal

REFERENCE = ref("vault://secret/rh#password")


class Store:
    """A manager that does what it is told."""

    def __init__(self, answer: Callable[[], Secret]) -> None:
        self.answer = answer
        self.kept: list[str] = []

    def resolve(self, reference: SecretReference) -> Secret:
        return self.answer()

    def keep(self, reference: SecretReference, secret: Secret) -> None:
        self.kept.append(secret.reveal())


def fail(error: BaseException) -> Callable[[], Any]:
    def raising() -> Any:
        raise error

    return raising


def test_it_is_opened_once_however_many_ask() -> None:
    opened = []

    def open_store() -> Store:
        opened.append(1)
        time.sleep(0.05)
        return Store(lambda: Secret(CANARY))

    remote = RemoteSecrets(open_store, "extra")
    assert opened == []
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(remote.resolve(REFERENCE).reveal())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [CANARY] * 8
    assert opened == [1]


def test_no_answer_is_not_waited_for() -> None:
    done = threading.Event()
    remote = RemoteSecrets(lambda: Store(lambda: Secret(str(done.wait(30)))), "extra", seconds=0.1)
    started = time.monotonic()
    error = refusal(lambda: remote.resolve(REFERENCE))
    assert time.monotonic() - started < 5
    assert str(error) == "`vault://secret/rh#password`: no answer within 0.1 seconds"
    assert isinstance(error, SecretStoreUnreachable)
    done.set()


@pytest.mark.parametrize("error", [ValueError(CANARY), KeyError(CANARY), OSError(5, CANARY), RecursionError()])
def test_of_a_librarys_error_only_the_kind_is_told(error: Exception) -> None:
    remote = RemoteSecrets(lambda: Store(fail(error)), "extra")
    told = refusal(lambda: remote.resolve(REFERENCE))
    assert f"its library failed with {type(error).__name__}" in str(told)
    assert isinstance(told, SecretStoreUnreachable)


@pytest.mark.parametrize("kind", [SecretError, SecretStoreUnreachable])
def test_what_an_adapter_says_is_told(kind: type[SecretError]) -> None:
    remote = RemoteSecrets(lambda: Store(fail(kind(msg("sealed"), hint=msg("have it unsealed")))), "extra")
    error = refusal(lambda: remote.resolve(REFERENCE))
    assert (str(error), str(error.hint)) == ("sealed", "have it unsealed")
    assert type(error) is kind
    assert error.__cause__ is None


def test_a_library_that_is_not_installed() -> None:
    remote = RemoteSecrets(fail(ImportError("hvac")), "extra")
    error = refusal(lambda: remote.resolve(REFERENCE))
    assert "is not installed" in str(error)
    assert str(error.hint) == "run `pip install 'opsmail[extra]'`"


def test_a_failed_opening_is_tried_again() -> None:
    outcomes: list[Callable[[], Any]] = [fail(ValueError()), lambda: Store(lambda: Secret(CANARY))]

    def open_store() -> SecretStore:
        store: SecretStore = outcomes.pop(0)()
        return store

    remote = RemoteSecrets(open_store, "extra")
    refusal(lambda: remote.resolve(REFERENCE))
    assert remote.resolve(REFERENCE).reveal() == CANARY


def test_only_some_managers_keep_secrets() -> None:
    store = Store(lambda: Secret(CANARY))
    remote = WritableRemoteSecrets(lambda: store, "extra")
    remote.keep(ref("keyring://opsmail/rh"), Secret("new"))
    assert store.kept == ["new"]
    stores = open_secrets(list).stores
    writable = {scheme for scheme in MANAGERS if isinstance(stores[scheme], WritableSecretStore)}
    assert writable == {"keyring"}


@pytest.mark.parametrize("scheme", MANAGERS)
def test_every_scheme_has_its_adapter(scheme: str) -> None:
    module = importlib.import_module(MANAGERS[scheme].module)
    assert callable(module.open_store)


def test_no_library_is_loaded_before_it_is_needed() -> None:
    program = (
        "import sys; from opsmail.secrets import open_secrets; open_secrets()\n"
        "print({'hvac', 'keyring', 'boto3', 'azure', 'google', 'requests'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout == "set()\n"


def test_a_manager_opens_its_adapter() -> None:
    assert isinstance(MANAGERS["keyring"].open_store(), KeyringSecrets)
