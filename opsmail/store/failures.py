"""What a server that holds a store did instead of what it was asked, in our words."""

from __future__ import annotations

from enum import Enum, auto

from opsmail.messages import Message, msg
from opsmail.store.interface import StoreBusy, StoreDamaged, StoreMissing, StoreUnavailable


class Cause(Enum):
    """Why a server did not do what it was asked."""

    BUSY = auto()
    DAMAGED = auto()
    FULL = auto()
    DENIED = auto()
    READ_ONLY = auto()
    NOT_DURABLE = auto()
    AWAY = auto()


def failure(cause: Cause, location: str, reason: Message) -> StoreUnavailable:
    """Return the error for what a server did.

    Args:
        cause: why.
        location: where the store is.
        reason: in the server's words.
    """
    match cause:
        case Cause.BUSY:
            return StoreBusy(
                msg("the store {location} is in use by others: {reason}", location=location, reason=reason),
                hint=msg("try again; if it stays so, look for what keeps the server busy"),
            )
        case Cause.DAMAGED:
            return StoreDamaged(
                msg("{location} is not an opsmail store, or it is damaged: {reason}", location=location, reason=reason),
                hint=msg("correct `store.url`, or restore the store from a backup; it is never made anew"),
            )
        case Cause.FULL:
            what = msg("the store {location} is full: {reason}", location=location, reason=reason)
            hint = msg("make room; what was published stays as it was")
        case Cause.DENIED:
            what = msg("the store {location} refuses this user: {reason}", location=location, reason=reason)
            hint = msg(
                "correct the user in `store.url` and `store.password` (for commands that only read, `store.reader` and "
                "`store.reader_password` if they are set), or grant the rights that docs/stores.md lists"
            )
        case Cause.READ_ONLY:
            what = msg("the store {location} takes no changes: {reason}", location=location, reason=reason)
            hint = msg("name the server that is written to in `store.url`")
        case Cause.NOT_DURABLE:
            what = msg(
                "the store {location} may lose in a power cut what was published: {reason}",
                location=location,
                reason=reason,
            )
            hint = msg("the server's administrator changes that; nothing is published there before")
        case _:
            what = msg("the store {location} cannot be used: {reason}", location=location, reason=reason)
            hint = msg(
                "see whether the server runs and can be reached from here, and whether `store.url`, `store.password` "
                "and `store.ca` are right (for commands that only read, `store.reader` and `store.reader_password` too)"
            )
    return StoreUnavailable(what, hint=hint)


def missing(location: str) -> StoreMissing:
    """Return the error for a server that holds no store at this place."""
    return StoreMissing(
        msg("there is no store in {location}", location=location),
        hint=msg(
            "a first publish makes it; if there should be one, correct `store.url`, or grant this user the rights that "
            "docs/stores.md lists"
        ),
    )
