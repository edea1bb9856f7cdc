"""The errors of opsmail: each says what happened, where and why, and hints at what to do.

The face turns each class into an exit code: `UsageError` and its children 2, `RefusedError` 3, `UnavailableError` 4.
"""

from __future__ import annotations

from opsmail.messages import Message, msg


class OpsmailError(Exception):
    """A foreseeable failure.

    Args:
        message: what happened, where and why. Never contains a secret.
        hint: what to do about it.
    """

    def __init__(self, message: Message, *, hint: Message | None = None) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint
        #: What is wrong besides, so that one run tells everything.
        self.further: tuple[OpsmailError, ...] = ()

    def __str__(self) -> str:
        return str(self.message)


class UsageError(OpsmailError):
    """The command was called in a way that cannot work, or its settings are wrong."""


class RefusedError(OpsmailError):
    """opsmail could do it and will not: a pin, the gate, a safety limit, a stale plan, a lost race."""


class UnavailableError(OpsmailError):
    """Something outside failed: a store, an identity provider, the network, a secret that does not resolve."""


def install_hint(extra: str) -> Message:
    """Return what to do where a library is missing that not everybody needs.

    Args:
        extra: of opsmail's package. The whole stands in quotes: some shells take brackets for a pattern.
    """
    return msg("run `pip install 'opsmail[{extra}]'`", extra=extra)
