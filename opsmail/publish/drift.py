"""What is published and what git says, side by side: what is still to come, and what somebody else has changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from opsmail.messages import Message, msg
from opsmail.publish.plan import Action, Change, Plan


class ItemKind(StrEnum):
    """What one difference is."""

    PENDING = "pending"  # git is ahead
    HELD = "held"  # git is ahead, and a hold keeps it back
    REVOKED = "revoked"  # the settings are ahead: they do not allow what is published
    DRIFT = "drift"  # the store was changed by something else than a publish


class State(StrEnum):
    """What the differences come to."""

    CLEAN = "clean"
    PENDING = "pending"
    DRIFT = "drift"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Item:
    """One difference.

    Args:
        kind: what it is.
        message: in words.
        operator: whose; None where it concerns all.
    """

    kind: ItemKind
    message: Message
    operator: str | None = None


def state_of(items: Collection[Item]) -> State:
    """Return what differences come to; `CLEAN` only where there are none."""
    foreign = any(item.kind is ItemKind.DRIFT for item in items)
    ahead = any(item.kind is not ItemKind.DRIFT for item in items)
    if foreign:
        return State.BOTH if ahead else State.DRIFT
    return State.PENDING if ahead else State.CLEAN


def ahead(plan: Plan) -> Iterator[Item]:
    """Yield in what git and its settings are ahead of what is published."""
    for change in plan.changes:
        yield Item(ItemKind.PENDING, _pending(change), change.operator)
    for operator in plan.held:
        yield Item(ItemKind.HELD, msg("git changes it, and it is held as it is published"), operator)
    for revoked in plan.revoked:
        told = msg("the settings do not allow it any more: {reason}", reason=revoked.reason)
        yield Item(ItemKind.REVOKED, told, revoked.operator)


def foreign(messages: Iterable[Message], operator: str | None = None) -> Iterator[Item]:
    """Yield an item for each thing that was not changed by a publish."""
    return (Item(ItemKind.DRIFT, message, operator) for message in messages)


def _pending(change: Change) -> Message:
    if change.action is Action.CREATE:
        return msg("a publish would create it")
    if change.action is Action.DELETE:
        return msg("a publish would delete it")
    return msg("a publish would change {fields}", fields=", ".join(field.path for field in change.fields))
