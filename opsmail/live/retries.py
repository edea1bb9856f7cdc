"""When a test is tried again: what may pass, and never what could lock an account or send a message twice."""

from __future__ import annotations

from random import SystemRandom

from opsmail.mail.failure import Kind, Stage, StageError

#: Seconds before the second, third and fourth attempt, before jitter.
WAITS = (1.0, 2.0, 4.0)
#: What a wait is multiplied by, so that operators that were turned away together do not come back together.
_JITTER = (0.5, 1.5)
#: Servers count failed logins and lock accounts; a connection that broke does not tell whether this one counts.
_ONCE = frozenset({Stage.TOKEN, Stage.AUTHENTICATE, Stage.RECEIPT})
_NOT_NOW = 4


def may_pass_again(error: StageError) -> bool:
    """Whether another attempt is allowed and may pass: the server said "not now", or the connection broke.

    RFC 5321 section 4.2.1 (4yz), RFC 3463 section 3.4 (432, mailing limits), section 3.8 of RFC 5321 (421).
    """
    if error.stage in _ONCE or error.outcome_unknown:
        return False
    return error.kind is Kind.DISCONNECTED or (error.reply is not None and error.reply.severity == _NOT_NOW)


def pause_before(attempt: int, waits: tuple[float, ...] = WAITS) -> float:
    """Return how many seconds to wait before an attempt, from 2; past the end of `waits`, its last one counts."""
    return waits[min(attempt - 2, len(waits) - 1)] * SystemRandom().uniform(*_JITTER)
