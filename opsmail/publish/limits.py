"""Safety limits: how much one publish may change. Each has one option that allows it, and none allows everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from opsmail.messages import Message, msg
from opsmail.publish.plan import Action, Plan
from opsmail.settings.model import StoreSettings
from opsmail.values import dataclass


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

    def with_prune(self, operators: frozenset[str]) -> Allowances:
        """Return the same, with more operators that may be deleted."""
        return replace(self, prune=self.prune | operators)


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
    """Yield every limit that `plan` goes over and nobody has allowed.

    Shares are of what is published, from a fleet of `min_fleet_for_percent` on; a first publish may have any size.
    """
    updates, deletes = len(plan.with_action(Action.UPDATE)), len(plan.with_action(Action.DELETE))
    changes = len(plan.changes)
    if plan.published + len(plan.with_action(Action.CREATE)) == deletes and not allowed.empty:
        yield Violation(msg("no operator would be left"), "--allow-empty")
    if plan.base and changes > limits.max_changes and not allowed.many_changes:
        yield Violation(
            msg("{count} changes at once, at most {limit} are allowed", count=changes, limit=limits.max_changes),
            "--allow-many-changes",
        )
    if plan.published >= limits.min_fleet_for_percent:
        if updates * 100 > plan.published * limits.max_update_percent and not allowed.many_updates:
            share = msg(
                "{count} of {total} operators would be updated, more than {percent} %",
                count=updates,
                total=plan.published,
                percent=limits.max_update_percent,
            )
            yield Violation(share, "--allow-many-updates")
        if deletes * 100 > plan.published * limits.max_delete_percent and not allowed.many_deletes:
            share = msg(
                "{count} of {total} operators would be deleted, more than {percent} %",
                count=deletes,
                total=plan.published,
                percent=limits.max_delete_percent,
            )
            yield Violation(share, "--allow-many-deletes")
    yield from _of_operators(plan, allowed)


def _of_operators(plan: Plan, allowed: Allowances) -> Iterator[Violation]:
    for change in plan.changes:
        operator = change.operator
        if change.action is Action.DELETE and operator not in allowed.prune:
            yield Violation(msg("`{operator}` would be deleted", operator=operator), f"--prune {operator}")
        if change.master_lost and not allowed.master_change:
            lost = msg("`{operator}` is the master, and would be deleted, switched off or demoted", operator=operator)
            yield Violation(lost, "--allow-master-change")
