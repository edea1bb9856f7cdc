"""A saved plan: applied exactly as it was saved, once, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opsmail.errors import RefusedError, UsageError
from opsmail.messages import Message, msg
from opsmail.publish.plan import Plan, id_of
from opsmail.store.interface import Identity
from opsmail.values import dataclass

SCHEMA = "opsmail/plan/v1"
#: Bytes that are to be read of a file with a plan; a first one for 100,000 operators takes half of it.
MAX_BYTES = 128 * 1024 * 1024
#: Stands in a plan that was made before there was a store; it fits the first generation of a new one and nothing else.
NO_STORE = Identity("0" * 32, 0)


class StalePlanError(RefusedError):
    """A saved plan no longer says what a publish would do now."""

    def __init__(self, what: Message) -> None:
        super().__init__(
            msg("the saved plan is stale: {what}", what=what), hint=msg("make a new plan and have it approved")
        )


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What a file says that a publish would do.

    Args:
        id: over all of it.
        facts: as `Plan.facts` gives them, only known to be JSON.
    """

    id: str
    facts: Mapping[str, Any]


def document(plan: Plan) -> dict[str, Any]:
    """Return a plan as it is saved."""
    return {"schema": SCHEMA, "id": plan.id, **plan.facts()}


def load(content: bytes) -> SavedPlan:
    """Return the plan that a file holds.

    Raises:
        UsageError: the file is no plan, or was edited.
    """
    facts = _facts(content)
    if facts is None:
        raise UsageError(
            msg("this is not a plan that opsmail saved, or it was edited"),
            hint=msg("make a new one with `opsmail plan --out FILE`"),
        )
    return facts


def _facts(content: bytes) -> SavedPlan | None:
    try:
        data = json.loads(content)
        if not isinstance(data, dict) or data.pop("schema", None) != SCHEMA:
            return None
        saved = SavedPlan(data.pop("id", ""), data)
        return saved if saved.id == id_of(saved.facts) else None
    except (ValueError, RecursionError):
        return None


def require_same(saved: SavedPlan, plan: Plan) -> None:
    """Return when a saved plan is exactly what a publish would do now.

    Raises:
        StalePlanError: saying what has changed meanwhile.
    """
    if saved.facts.get("store") == NO_STORE.store and plan.base == 0:
        plan = replace(plan, store=NO_STORE.store, epoch=NO_STORE.epoch)
    if saved.id == plan.id:
        return
    now = plan.facts()
    for name, what in (
        ("environment", msg("it was made for another environment")),
        ("store", msg("it was made for another store")),
        ("epoch", msg("the store came back from a backup")),
        ("repository", msg("it was made in another repository")),
        ("base", msg("something else was published meanwhile")),
        ("base_digest", msg("something else was published meanwhile")),
        ("commit", msg("it was made for another commit")),
        ("settings_digest", msg("the settings have changed")),
    ):
        if saved.facts.get(name) != now[name]:
            raise StalePlanError(what)
    raise StalePlanError(msg("it lists other changes"))
