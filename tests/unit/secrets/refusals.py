"""A secret that must not be seen, and errors in which it is looked for."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest

from opsmail.references import SecretReference
from opsmail.secrets import SecretError, SecretStore
from opsmail.secrets.remote import RemoteSecrets

CANARY = "canário-4711"


def ref(text: str) -> SecretReference:
    """Return the reference that `text` writes."""
    reference = SecretReference.parse(text)
    assert not reference.is_literal
    return reference


def refused(open_store: Callable[[], SecretStore], reference: str) -> SecretError:
    """Return why a secret manager does not give what `reference` names, as whoever asks is told."""
    return refusal(lambda: RemoteSecrets(open_store, "extra").resolve(ref(reference)))


def refusal(ask: Callable[[], object]) -> SecretError:
    """Return the error that `ask` raises; nothing of it, its causes and its frames' variables may show the secret."""
    with pytest.raises(SecretError) as caught:
        ask()
    error: BaseException | None = caught.value
    shown = ""
    while error is not None:
        # The tests' own frames hold the secret; those of the code under test begin behind them.
        frames = error.__traceback__
        while frames is not None and "/tests/" in frames.tb_frame.f_code.co_filename:
            frames = frames.tb_next
        shown += "".join(traceback.TracebackException(type(error), error, frames, capture_locals=True).format())
        error = error.__cause__ or error.__context__
    assert CANARY not in shown
    assert repr(CANARY.encode())[2:-1] not in shown
    assert CANARY.encode("latin-1").decode("utf-8", "surrogateescape") not in shown
    return caught.value
