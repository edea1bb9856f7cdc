"""Safety limits: how much one publish may change. Each has one option that allows it, and none allows everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from opsmail.messages import Message, msg
from opsmail.publish.plan import Action, Plan
from opsmail.settings.model import StoreSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """What the person who publishes has allowed by name.

    Args:
        many_updates: more updates than `max_update_percent`.
        many_deletes: more deletes than `max_delete_percent`.
        many_changes: more changes than `max_changes`.
        empty: an empty fleet.
        master_change: removing, switching off or demoting the master.
        prune: operators that may be deleted.
    """

    many_updates: bool = False
    many_deletes: bool = False
    many_changes: bool = False
    empty: bool = False
    master_change: bool = False
    prune: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit that a plan goes over.

    Args:
        message: which, and by how much.
        option: what allows it.
    """

    message: Message
    option: str


def violations(plan: Plan, limits: StoreSettings, allowed: Allowances) -> Iterator[Violation]:
    """Yield every limit that `plan` goes over and nobody has allowed."""
    updates, deletes = plan.with_action(Action.UPDATE), plan.with_action(Action.DELETE)
    wanted = plan.unchanged + len(updates) + len(plan.with_action(Action.CREATE))
    if wanted == 0 and not allowed.empty:
        yield Violation(msg("no operator would be left"), "--allow-empty")
    first = plan.base == 0
    if not first and len(plan.changes) > limits.max_changes and not allowed.many_changes:
        yield Violation(
            msg("{count} changes at once, at most {limit} are allowed", count=len(plan.changes), limit=limits.max_changes),
            "--allow-many-changes",
        )
    if plan.published >= limits.min_fleet_for_percent:
        if _over(len(updates), plan.published, limits.max_update_percent) and not allowed.many_updates:
            yield Violation(
                _share(msg("updated"), len(updates), plan.published, limits.max_update_percent), "--allow-many-updates"
            )
        if _over(len(deletes), plan.published, limits.max_delete_percent) and not allowed.many_deletes:
            yield Violation(
                _share(msg("deleted"), len(deletes), plan.published, limits.max_delete_percent), "--allow-many-deletes"
            )
    for change in deletes:
        if change.operator not in allowed.prune:
            yield Violation(
                msg("`{operator}` would be deleted", operator=change.operator), f"--prune {change.operator}"
            )
    for change in plan.changes:
        if change.master_lost and not allowed.master_change:
            yield Violation(
                msg("`{operator}` would no longer be the master", operator=change.operator), "--allow-master-change"
            )


def _over(count: int, total: int, percent: int) -> bool:
    return count * 100 > total * percent


def _share(what: Message, count: int, total: int, percent: int) -> Message:
    return msg(
        "{count} of {total} operators would be {what}, more than {percent} %", count=count, total=total, what=what, percent=percent
    )
