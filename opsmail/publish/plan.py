"""The plan: what a publish would change, in fields and words, bound to everything it was made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import rfc8785

from opsmail.errors import RefusedError, UsageError
from opsmail.messages import msg
from opsmail.store.generation import Published
from opsmail.store.interface import Identity

SCHEMA = "opsmail/plan/v1"
_MAX_BYTES = 64 * 1024 * 1024
#: Stands in a plan that was made before there was a store; it fits the first generation of a new one and nothing else.
NO_STORE = Identity("0" * 32, 0)


class Action(StrEnum):
    """What happens to one operator."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs.

    Args:
        path: dotted.
        before: as it is published; None where it is not there.
        after: as it would be; None likewise.
    """

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one operator.

    Args:
        operator: its id.
        action: what happens.
        before: the SHA-256 of the published document, bare hex.
        after: of the new one.
        fields: what differs, for updates.
        master_lost: the change takes away, switches off or demotes the master.
    """

    operator: str
    action: Action
    before: str | None
    after: str | None
    fields: tuple[FieldChange, ...] = ()
    master_lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a publish would do.

    Args:
        store: the store's id.
        epoch: of the store.
        environment: where to.
        base: the number of the generation it was made from; 0 before the first.
        base_digest: of that generation; None before the first.
        repository: where the configuration comes from.
        commit: the git commit.
        settings_digest: of the settings.
        published: how many operators are published now.
        changes: every operator that changes, in the order of names.
        unchanged: how many do not.
    """

    store: str
    epoch: int
    environment: str
    base: int
    base_digest: str | None
    repository: str
    commit: str
    settings_digest: str
    published: int
    changes: tuple[Change, ...]
    unchanged: int

    @property
    def id(self) -> str:
        """The SHA-256 over all of it, `sha256:` and hex."""
        return f"sha256:{hashlib.sha256(rfc8785.dumps(self._facts())).hexdigest()}"

    def with_action(self, action: Action) -> tuple[Change, ...]:
        """Return the changes of one kind."""
        return tuple(change for change in self.changes if change.action is action)

    def document(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return {"schema": SCHEMA, "id": self.id, **self._facts()}

    def _facts(self) -> dict[str, Any]:
        return {
            "store": self.store,
            "epoch": self.epoch,
            "environment": self.environment,
            "base": self.base,
            "base_digest": self.base_digest,
            "repository": self.repository,
            "commit": self.commit,
            "settings_digest": self.settings_digest,
            "published": self.published,
            "unchanged": self.unchanged,
            "changes": [
                {
                    "operator": change.operator,
                    "action": change.action.value,
                    "before": change.before,
                    "after": change.after,
                    "master_lost": change.master_lost,
                    "fields": [
                        {"path": field.path, "before": field.before, "after": field.after} for field in change.fields
                    ],
                }
                for change in self.changes
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the new configuration comes from.

    Args:
        repository: its name, without credentials.
        commit: full id.
        settings_digest: `sha256:` and hex.
    """

    repository: str
    commit: str
    settings_digest: str


def make_plan(
    published: Published, documents: Mapping[str, bytes], wanted: Mapping[str, bytes], origin: Origin
) -> Plan:
    """Compare what is published with what git wants.

    Args:
        published: the present generation.
        documents: the published documents, by digest; only those that differ from what is wanted are needed.
        wanted: operator to canonical document.
        origin: of what is wanted.
    """
    changes = []
    unchanged = 0
    for operator in sorted({*published.manifest, *wanted}):
        before = published.manifest.get(operator)
        content = wanted.get(operator)
        after = None if content is None else hashlib.sha256(content).hexdigest()
        if before == after:
            unchanged += 1
            continue
        old = None if before is None else json.loads(documents[before])
        new = None if content is None else json.loads(content)
        changes.append(_change(operator, before, after, old, new))
    head = published.head
    return Plan(
        store=head.identity.store,
        epoch=head.identity.epoch,
        environment=head.environment,
        base=head.number,
        base_digest=head.digest,
        repository=origin.repository,
        commit=origin.commit,
        settings_digest=origin.settings_digest,
        published=len(published.manifest),
        changes=tuple(changes),
        unchanged=unchanged,
    )


def documents_needed(published: Published, wanted: Mapping[str, bytes]) -> set[str]:
    """Return the digests of the published documents that a plan has to look into."""
    return {
        digest
        for operator, digest in published.manifest.items()
        if operator not in wanted or hashlib.sha256(wanted[operator]).hexdigest() != digest
    }


def _change(operator: str, before: str | None, after: str | None, old: Any, new: Any) -> Change:
    if old is None:
        return Change(operator, Action.CREATE, None, after)
    if new is None:
        return Change(operator, Action.DELETE, before, None, master_lost=_is_working_master(old))
    fields = tuple(_differences(_flat(old), _flat(new)))
    lost = _is_working_master(old) and not _is_working_master(new)
    return Change(operator, Action.UPDATE, before, after, fields, lost)


def _is_working_master(document: Mapping[str, Any]) -> bool:
    operator = document["operator"]
    return operator["role"] == "master" and operator["enabled"] is True


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the leaves of a document by dotted path: the operator's own paths as in its file, the catalogue's under `connection`."""
    leaves: dict[str, Any] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict) and value:
            for name, item in value.items():
                walk(item, f"{path}.{name}" if path else name)
        else:
            leaves[path] = value

    walk(document["operator"], "")
    walk(document["connection"], "connection")
    return leaves


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    for path in sorted({*old, *new}):
        if old.get(path) != new.get(path):
            yield FieldChange(path, old.get(path), new.get(path))


class StalePlanError(RefusedError):
    """A saved plan no longer says what a publish would do now."""


def saved_plan(content: bytes) -> tuple[str, Any]:
    """Return the id and the facts of a saved plan.

    Raises:
        UsageError: the file is no plan, or was edited.
    """
    unusable = UsageError(
        msg("this is not a plan that opsmail saved, or it was edited"), hint=msg("make a new one with `opsmail plan --out FILE`")
    )
    if len(content) > _MAX_BYTES:
        raise unusable
    try:
        data = json.loads(content)
        if data["schema"] != SCHEMA:
            raise unusable
        facts = {name: value for name, value in data.items() if name not in ("schema", "id")}
        computed = f"sha256:{hashlib.sha256(rfc8785.dumps(facts)).hexdigest()}"
    except (ValueError, KeyError, TypeError, RecursionError, rfc8785.CanonicalizationError) as error:
        raise unusable from error
    if data["id"] != computed:
        raise unusable
    return computed, facts


def require_same(saved: tuple[str, Any], plan: Plan) -> None:
    """Return when a saved plan is exactly what a publish would do now.

    Raises:
        StalePlanError: saying what has changed meanwhile.
    """
    plan_id, facts = saved
    if facts.get("store") == NO_STORE.store and plan.base == 0:
        plan = replace(plan, store=NO_STORE.store, epoch=NO_STORE.epoch)
    if plan_id == plan.id:
        return
    current = plan.document()
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
        if facts.get(name) != current[name]:
            raise StalePlanError(msg("the saved plan is stale: {what}", what=what), hint=msg("make a new plan and have it approved"))
    raise StalePlanError(msg("the saved plan is stale: it lists other changes"), hint=msg("make a new plan and have it approved"))
