"""What something else than a publish has done to a store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from opsmail.messages import Message, msg
from opsmail.publish.events import facts_of, newest_first
from opsmail.store.generation import Published
from opsmail.store.interface import Store, StoreDamaged
from opsmail.store.relational import row


def readable(store: Store, published: Published) -> tuple[dict[str, bytes], dict[str, Message]]:
    """Read every published document.

    Returns:
        The documents by digest; and, by operator, what is wrong with those that are not what was published.
    """
    try:
        return store.read(set(published.manifest.values())), {}
    except StoreDamaged:
        pass
    documents: dict[str, bytes] = {}
    wrong = {}
    for operator, digest in published.manifest.items():
        try:
            documents |= store.read([digest])
        except StoreDamaged as error:
            wrong[operator] = error.message
    return documents, wrong


@runtime_checkable
class Relational(Protocol):
    """A store that also keeps a row for each operator, for applications that speak only SQL."""

    def operators(self, environment: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the rows, by operator; see `opsmail.store.relational`."""
        ...


def changed_rows(store: Store, published: Published, documents: Mapping[str, bytes]) -> Iterator[tuple[str, Message]]:
    """Yield each operator whose row is not what is published, with what is wrong; nothing where a store has no rows.

    Args:
        store: where both are.
        published: the head.
        documents: the published documents, by digest; others are not compared.
    """
    if not isinstance(store, Relational):
        return
    rows = store.operators(published.head.environment)
    for operator in sorted({*published.manifest, *rows}):
        digest, found = published.manifest.get(operator), rows.get(operator)
        if digest is None:
            yield operator, msg("the table opsmail_operators has it, and it is not published")
        elif found is None:
            yield operator, msg("it is published, and the table opsmail_operators lacks it")
        elif digest in documents:
            wanted = row(documents[digest])
            columns = ", ".join(name for name, value in wanted.items() if found[name] != value)
            if columns:
                yield operator, msg("the table opsmail_operators has other values: {columns}", columns=columns)


def unlogged(store: Store, published: Published) -> Iterator[Message]:
    """Yield what the event log tells otherwise than the published generation."""
    generation = published.generation
    if generation is None:
        return
    try:
        for before, event in newest_first(store, published.head):
            told = facts_of(event)
            if told.get("generation") != generation.number:
                continue
            if told.get("digest") != published.digest:
                yield msg("the event about generation {number} tells of another one", number=generation.number)
            elif before != generation.last_event:
                yield msg(
                    "the events before generation {number} are not those that it was signed on",
                    number=generation.number,
                )
            return
        yield msg("no event tells of generation {number}", number=generation.number)
    except StoreDamaged as error:
        yield error.message
