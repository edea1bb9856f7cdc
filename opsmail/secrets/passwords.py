"""What may be sent as a password."""

from __future__ import annotations

from opsmail.expressions import expression
from opsmail.messages import Message, msg
from opsmail.references import SecretReference
from opsmail.secrets.interface import Secret, SecretError

#: Shorter ones cannot be kept out of a log: they would match ordinary words.
MIN_PASSWORD = 4
MAX_PASSWORD = 1024
_CONTROL = expression(r"[\x00-\x1f\x7f-\x9f]")


def password(secret: Secret, reference: SecretReference) -> Secret:
    """Return `secret` when it can be a password.

    Args:
        secret: what `reference` resolved to.
        reference: named in the error.

    Raises:
        SecretError: too short, too long, or with control characters; the message does not show it.
    """
    # Looked at in a function of its own: no variable of a frame that an error passes through holds it.
    fault = _fault(secret.reveal())
    if fault is None:
        return secret
    what, hint = fault
    raise SecretError(msg("the password from `{reference}` {what}", reference=reference, what=what), hint=hint)


def _fault(value: str) -> tuple[Message, Message] | None:
    if not MIN_PASSWORD <= len(value) <= MAX_PASSWORD:
        what = msg("does not have {minimum} to {maximum} characters", minimum=MIN_PASSWORD, maximum=MAX_PASSWORD)
        return what, msg("check that the right value was stored")
    if _CONTROL.search(value):
        return msg("contains a line end or another control character"), msg("store it again without the line end")
    return None
