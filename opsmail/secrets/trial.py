"""Whether secrets can be had here: each is read once and forgotten, several at the same time."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from opsmail.errors import OpsmailError
from opsmail.messages import msg
from opsmail.secrets.interface import NeededSecret, SecretError, SecretStoreUnreachable
from opsmail.secrets.passwords import password
from opsmail.secrets.schemes import Secrets

#: As many are asked for at the same time; a vault answers in some ten milliseconds.
_AT_ONCE = 8
#: A vault that is down says the same of every secret.
_MOST_TOLD = 5


class SecretTrial:
    """Tries to have secrets, each of them once.

    Args:
        secrets: what resolves them.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._outcomes: dict[NeededSecret, SecretError | None] = {}

    def __call__(self, needed: Collection[NeededSecret]) -> Mapping[NeededSecret, SecretError]:
        """Return why those that cannot be had cannot; of those that nobody could be asked for, nothing is said here."""
        return {
            item: error
            for item, error in self.outcomes(needed).items()
            if error is not None and not isinstance(error, SecretStoreUnreachable)
        }

    def outcomes(self, needed: Collection[NeededSecret]) -> Mapping[NeededSecret, SecretError | None]:
        """Return what came of trying each: why it cannot be had, or None where it can."""
        from concurrent.futures import ThreadPoolExecutor

        untried = [item for item in needed if item not in self._outcomes]
        pool = ThreadPoolExecutor(_AT_ONCE, "secrets")
        try:
            self._outcomes.update(zip(untried, pool.map(self._fault, untried), strict=True))
        finally:
            pool.shutdown(cancel_futures=True)
        return {item: self._outcomes[item] for item in needed}

    @property
    def unreachable(self) -> OpsmailError | None:
        """What kept secrets from being tried, one error with the others behind it; None when nothing did."""
        unreachable = [error for error in self._outcomes.values() if isinstance(error, SecretStoreUnreachable)]
        different = {str(error): error for error in unreachable}
        if not different:
            return None
        first, *others = list(different.values())[:_MOST_TOLD]
        told = SecretStoreUnreachable(
            msg("not every secret could be tried: {reason}", reason=first.message), hint=first.hint
        )
        told.further = tuple(others)
        return told

    def _fault(self, needed: NeededSecret) -> SecretError | None:
        try:
            secret = self._secrets.resolve(needed.reference)
            if needed.is_password:
                password(secret, needed.reference)
        except SecretError as error:
            # Its traceback holds the frames that read secrets.
            return error.with_traceback(None)
        if secret.reveal():
            return None
        return SecretError(
            msg("`{reference}` is empty", reference=needed.reference),
            hint=msg("store the secret there; CI systems give an empty text for one that is not set"),
        )
