"""Calls of MSAL, which raises whatever a strange answer leads it to, with the answer in the error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from opsmail.mail.failure import Failure, Kind
from opsmail.messages import msg
from opsmail.secrets import SecretError

T = TypeVar("T")


def understood(call: Callable[[], T]) -> T:
    """Return what a call of MSAL returns.

    Raises:
        Failure: MSAL stumbled; the error says over what kind of thing, and repeats none of it.
        SecretError: a reference did not resolve on the way.
    """
    try:
        return call()
    except (Failure, SecretError):
        raise
    except Exception as error:  # noqa: BLE001 - as the module says
        reason = type(error).__name__
    raise Failure(
        Kind.IDENTITY_PROVIDER_FAILED,
        msg("no token from the identity provider: MSAL made nothing of its answer ({reason})", reason=reason),
    )
