"""The published settings, as other programs get them: whole, verified, and without any secret."""

from __future__ import annotations

from collections.abc import Mapping

from opsmail.messages import msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.store.generation import Published
from opsmail.store.interface import Store, StoreDamaged
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class Fleet:
    """All operators of a generation.

    Args:
        environment: where they are published.
        generation: its number.
        operators: by id, in alphabetical order, each with what the catalogue added to it.
    """

    environment: str
    generation: int
    operators: Mapping[str, EffectiveOperator]


def read_fleet(store: Store, published: Published) -> Fleet:
    """Return the operators of a published generation.

    Args:
        store: where their documents are.
        published: the generation, its signature verified.

    Raises:
        StoreDamaged: a document is not that of the operator.
    """
    documents = store.read(set(published.manifest.values()))
    operators = {name: _parsed(documents[published.manifest[name]], name) for name in sorted(published.manifest)}
    return Fleet(published.head.environment, published.head.number, operators)


def _parsed(document: bytes, name: str) -> EffectiveOperator:
    try:
        effective = EffectiveOperator.parse(document)
    except ValueError as error:
        raise _damaged(name) from error
    if effective.operator.operator != name:
        raise _damaged(name)
    return effective


def _damaged(name: str) -> StoreDamaged:
    return StoreDamaged(
        msg("what is published as `{name}` is not the document of this operator", name=name),
        hint=msg("a newer opsmail may have published it; else compare with `opsmail drift` and publish again"),
    )
