"""Why a piece of evidence does not count."""

from __future__ import annotations

from enum import StrEnum

from opsmail.errors import RefusedError
from opsmail.messages import Message


class Reason(StrEnum):
    """The stable code of what is wrong, in the order in which it is looked for."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    NOT_JSON = "not-json"
    NOT_AN_ENVELOPE = "not-an-envelope"
    PAYLOAD_TYPE = "payload-type"
    UNKNOWN_KEY = "unknown-key"
    BAD_SIGNATURE = "bad-signature"
    NOT_A_STATEMENT = "not-a-statement"
    REVOKED_KEY = "revoked-key"
    KIND_NOT_ALLOWED = "kind-not-allowed"
    ENVIRONMENT_NOT_ALLOWED = "environment-not-allowed"
    UNEXPECTED = "unexpected"


class InvalidEvidence(RefusedError):  # noqa: N818 - the thing that is refused
    """Evidence that does not count.

    Args:
        reason: the stable code.
        message: the same for people.
        hint: what to do.
    """

    def __init__(self, reason: Reason, message: Message, *, hint: Message | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        #: The file it came from; empty where it came from elsewhere.
        self.source = ""
