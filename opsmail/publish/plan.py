"""The plan: what a publish would change, in fields and words, bound to everything it was made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from opsmail.canonical import canonical_json
from opsmail.constraints import AnyLength, Doc, Pattern, Range
from opsmail.messages import msg
from opsmail.publish.pins import Revoked
from opsmail.shape import encode
from opsmail.store.generation import Published
from opsmail.values import dataclass

_Text = Annotated[str, AnyLength()]
_Count = Annotated[int, Range(0, 2**53)]
_Hex = Annotated[str, Pattern(r"[0-9a-f]{64}", msg("a SHA-256"), "ab" * 32)]
#: What tells most of an operator that comes or goes as a whole.
TELLING = (
    "role",
    "enabled",
    "sender.address",
    "server.host",
    "server.port",
    "server.encryption",
    "authentication.type",
)


class Action(StrEnum):
    """What happens to one operator."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs.

    Args:
        path: dotted.
        before: as it is published; None where it is not there.
        after: as it would be; None likewise.
    """

    path: Annotated[
        _Text,
        Doc("Field", "Dotted; what the catalogue adds stands under `connection`.", ("server.port",)),
    ]
    before: Annotated[Any, Doc("Before", "As it is published; null where it is not there.", (25,))]
    after: Annotated[Any, Doc("After", "As it would be; null where it would not be there.", (587,))]


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one operator.

    Args:
        operator: its id.
        action: what happens.
        before: the SHA-256 of the published document, bare hex.
        after: of the new one.
        fields: what differs, for updates; of an operator that comes or goes, what tells most of it (`TELLING`).
        master_lost: the change takes away, switches off or demotes the master.
    """

    operator: Annotated[_Text, Doc("Operator", "Its id.", ("rh-notificacoes",))]
    action: Annotated[Action, Doc("Action", "What happens to it.", ("update",))]
    before: Annotated[_Hex, Doc("Before", "SHA-256 of the published document; null without one.")] | None
    after: Annotated[_Hex, Doc("After", "SHA-256 of the new document; null without one.")] | None
    fields: Annotated[
        tuple[FieldChange, ...],
        Doc("Fields", "What differs; of an operator that comes or goes, what tells most of it."),
    ]
    master_lost: Annotated[
        bool, Doc("Master lost", "true: the change takes away, switches off or demotes the master.", (False,))
    ]


@dataclass(frozen=True, kw_only=True)
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
        unchanged: how many do not change.
        changes: every operator that changes, in the order of names.
        held: operators that git changes and a hold keeps as they are published.
        revoked: published operators that the settings do not allow any more.
    """

    store: Annotated[_Text, Doc("Store", "Its id; zeros for a plan made before there was one.", ("0f" * 16,))]
    epoch: Annotated[_Count, Doc("Epoch", "Grows when the store comes back from a backup.", (1,))]
    environment: Annotated[_Text, Doc("Environment", "Where to.", ("production",))]
    base: Annotated[_Count, Doc("Base", "Number of the generation it was made from; 0 before the first.", (7,))]
    base_digest: Annotated[_Hex, Doc("Base digest", "SHA-256 of that generation; null before the first.")] | None
    repository: Annotated[
        _Text, Doc("Repository", "Where the configuration comes from.", ("github.com/empresa/operators",))
    ]
    commit: Annotated[_Text, Doc("Commit", "The git commit.", ("c0" * 20,))]
    settings_digest: Annotated[_Text, Doc("Settings digest", "Of the settings.", ("sha256:" + "cd" * 32,))]
    published: Annotated[_Count, Doc("Published", "How many operators are published now.", (240,))]
    unchanged: Annotated[_Count, Doc("Unchanged", "How many of them do not change.", (239,))]
    changes: Annotated[tuple[Change, ...], Doc("Changes", "Every operator that changes, in the order of names.")]
    held: Annotated[
        tuple[_Text, ...], Doc("Held", "Operators that git changes and a hold keeps as they are published.")
    ]
    revoked: Annotated[
        tuple[Revoked, ...], Doc("Revoked", "Published operators that the settings do not allow any more.")
    ]

    @cached_property
    def id(self) -> str:
        """The SHA-256 over all of it, `sha256:` and hex."""
        return id_of(self.facts())

    @cached_property
    def changing(self) -> frozenset[str]:
        """The operators that change."""
        return frozenset(change.operator for change in self.changes)

    def with_action(self, action: Action) -> tuple[Change, ...]:
        """Return the changes of one kind."""
        return tuple(change for change in self.changes if change.action is action)

    def facts(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        facts: dict[str, Any] = encode(self)
        return facts


def id_of(facts: Mapping[str, Any]) -> str:
    """Return the id of a plan with these facts.

    Raises:
        ValueError: they are no JSON.
    """
    return f"sha256:{hashlib.sha256(canonical_json(dict(facts))).hexdigest()}"


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
    """Compare what is published with what git wants, without regard to holds.

    Args:
        published: the present generation.
        documents: the published documents, by digest; only those that differ from what is wanted are needed.
        wanted: operator to canonical document.
        origin: of what is wanted.
    """
    changes = changes_between(published.manifest, wanted, documents)
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
        changes=changes,
        unchanged=len({*published.manifest, *wanted}) - len(changes),
        held=(),
        revoked=(),
    )


def changes_between(
    before: Mapping[str, str], after: Mapping[str, bytes], documents: Mapping[str, bytes]
) -> tuple[Change, ...]:
    """Return every operator that changes, in the order of names.

    Args:
        before: operator to the SHA-256 of its document.
        after: operator to canonical document.
        documents: by digest; of those before only the ones that differ are needed.
    """
    changes = []
    for operator in sorted({*before, *after}):
        old, content = before.get(operator), after.get(operator)
        new = None if content is None else hashlib.sha256(content).hexdigest()
        if old == new:
            continue
        former = None if old is None else json.loads(documents[old])
        changes.append(_change(operator, old, new, former, None if content is None else json.loads(content)))
    return tuple(changes)


def documents_needed(published: Published, wanted: Mapping[str, bytes]) -> set[str]:
    """Return the digests of the published documents that a plan has to look into."""
    return {
        digest
        for operator, digest in published.manifest.items()
        if operator not in wanted or hashlib.sha256(wanted[operator]).hexdigest() != digest
    }


def _change(operator: str, before: str | None, after: str | None, old: Any, new: Any) -> Change:
    lost = _is_working_master(old) and not _is_working_master(new)
    differences = tuple(_differences(_leaves(old), _leaves(new)))
    if old is not None and new is not None:
        return Change(operator, Action.UPDATE, before, after, differences, lost)
    action = Action.CREATE if old is None else Action.DELETE
    telling = tuple(change for change in differences if change.path in TELLING)
    return Change(operator, action, before, after, telling, lost)


def _is_working_master(document: Mapping[str, Any] | None) -> bool:
    if document is None:
        return False
    operator = document["operator"]
    return operator["role"] == "master" and operator["enabled"] is True


def _leaves(document: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the leaves of a document by path: the operator's as in its file, the catalogue's under `connection`."""
    leaves: dict[str, Any] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict) and value:
            for name, item in value.items():
                walk(item, f"{path}.{name}" if path else name)
        else:
            leaves[path] = value

    if document is not None:
        walk(document["operator"], "")
        walk(document["connection"], "connection")
    return leaves


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    for path in sorted({*old, *new}):
        if old.get(path) != new.get(path):
            yield FieldChange(path, old.get(path), new.get(path))
