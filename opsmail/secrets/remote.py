"""Secret managers behind a network or a desktop service: loaded when asked for, and never waited for longer than said.

Their libraries limit each read at best, and nothing limits finding a name; so each question is asked in a thread of its
own, which is given up when its time is over. What a library says of a failure may quote what it sent or received: only
the kind of its error is repeated.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from opsmail.errors import install_hint
from opsmail.messages import msg
from opsmail.references import SecretReference
from opsmail.secrets.interface import Secret, SecretError, SecretStore, SecretStoreUnreachable
from opsmail.values import dataclass

#: Seconds for one secret, logging in to its manager included.
SECONDS = 20.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Manager:
    """A secret manager that opsmail has an adapter for, and an extra the library.

    Args:
        module: the adapter, which has an `open_store`.
        extra: what to install.
        writable: it takes secrets, too.
    """

    module: str
    extra: str
    writable: bool = False

    def open_store(self) -> SecretStore:
        """Load the adapter and return its store.

        Raises:
            ImportError: its library is not installed.
            SecretError: nobody is logged in.
        """
        store: SecretStore = importlib.import_module(self.module).open_store()
        return store


MANAGERS: Mapping[str, Manager] = MappingProxyType(
    {
        "keyring": Manager("opsmail.secrets.keyring", "keyring", writable=True),
        "vault": Manager("opsmail.secrets.vault", "vault"),
        "azure-keyvault": Manager("opsmail.secrets.azure", "azure"),
        "aws-secretsmanager": Manager("opsmail.secrets.aws", "aws"),
        "gcp-secretmanager": Manager("opsmail.secrets.gcp", "gcp"),
    }
)


class RemoteSecrets:
    """One manager: opened when its first secret is asked for, and kept open, so that it is logged in to once.

    Args:
        open_store: makes its adapter; raises ImportError without its library.
        extra: what to install then.
        seconds: how long a question may take.
    """

    def __init__(self, open_store: Callable[[], SecretStore], extra: str, seconds: float = SECONDS) -> None:
        self._open_store = open_store
        self._extra = extra
        self._seconds = seconds
        self._lock = threading.Lock()
        self._store: SecretStore | None = None

    def resolve(self, reference: SecretReference) -> Secret:
        """Return the secret that the manager keeps under `reference`."""
        secret: Secret = self._ask(reference, lambda store: store.resolve(reference))
        return secret

    def _ask(self, reference: SecretReference, question: Callable[[Any], _T]) -> _T:
        import queue  # where a manager is asked, and not where the schemes are only named

        answers: queue.SimpleQueue[_T | SecretError] = queue.SimpleQueue()
        asking = threading.Thread(target=lambda: answers.put(self._answer(reference, question)), daemon=True)
        asking.start()
        try:
            answer = answers.get(timeout=self._seconds)
        except queue.Empty:
            answer = SecretStoreUnreachable(
                msg("`{reference}`: no answer within {seconds} seconds", reference=reference, seconds=self._seconds),
                hint=msg("see whether its secret manager can be reached from here"),
            )
        if isinstance(answer, SecretError):
            raise answer
        return answer

    def _answer(self, reference: SecretReference, question: Callable[[Any], _T]) -> _T | SecretError:
        """Return the answer, or an error that holds nothing of the library's frames."""
        try:
            return question(self._opened())
        except SecretError as error:
            kind = SecretStoreUnreachable if isinstance(error, SecretStoreUnreachable) else SecretError
            return kind(error.message, hint=error.hint)
        except ImportError:
            return SecretError(
                msg("`{reference}`: the library that reads it is not installed", reference=reference),
                hint=install_hint(self._extra),
            )
        except Exception as error:  # noqa: BLE001 - a library may raise anything; none of it may end the run, or be shown
            return SecretStoreUnreachable(
                msg("`{reference}`: its library failed with {kind}", reference=reference, kind=type(error).__name__),
                hint=msg("see whether its secret manager can be reached from here, and whether this login may read it"),
            )

    def _opened(self) -> SecretStore:
        with self._lock:
            if self._store is None:
                self._store = self._open_store()
            return self._store


class WritableRemoteSecrets(RemoteSecrets):
    """A manager that keeps secrets, too."""

    def keep(self, reference: SecretReference, secret: Secret) -> None:
        """Have the manager keep `secret` under `reference`."""
        self._ask(reference, lambda store: store.keep(reference, secret))


def remote_stores() -> dict[str, SecretStore]:
    """Return each manager by its scheme; nothing is loaded yet."""
    return {
        scheme: (WritableRemoteSecrets if manager.writable else RemoteSecrets)(manager.open_store, manager.extra)
        for scheme, manager in MANAGERS.items()
    }
