"""Operators that stay as they are published, whatever git says, and what becomes of the fleet then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping

from opsmail.messages import msg
from opsmail.publish.gate import Refusal
from opsmail.store.generation import Published


def keep(
    wanted: Mapping[str, bytes], operators: Collection[str], published: Published, documents: Mapping[str, bytes]
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return what git wants with some operators as they are published.

    Args:
        wanted: operator to canonical document.
        operators: who stays; what is not published stays away.
        published: the present generation.
        documents: the published documents, by digest; needed of those that differ from what is wanted.

    Returns:
        The fleet, and who of `operators` would otherwise have changed, in the order of names.
    """
    fleet = dict(wanted)
    stayed = []
    for operator in sorted(operators):
        digest, content = published.manifest.get(operator), wanted.get(operator)
        if digest == (None if content is None else hashlib.sha256(content).hexdigest()):
            continue
        stayed.append(operator)
        if digest is None:
            del fleet[operator]
        else:
            fleet[operator] = documents[digest]
    return fleet, tuple(stayed)


def masters(fleet: Mapping[str, bytes]) -> list[str]:
    """Return the operators that are the master of a fleet and switched on, in the order of names."""
    operators = ((name, json.loads(content)["operator"]) for name, content in sorted(fleet.items()))
    return [name for name, operator in operators if operator["role"] == "master" and operator["enabled"]]


def mixed_fleet_refusals(fleet: Mapping[str, bytes]) -> Iterator[Refusal]:
    """Yield a refusal unless a fleet that was put together from two has one master: the check saw only one of the two.

    Args:
        fleet: operator to canonical document; an empty one needs none.
    """
    found = masters(fleet)
    if fleet and not found:
        yield Refusal(
            msg("no master would be left, together with what stays as it is published"),
            hint=msg("change the master in the same step: prove it, release it, or roll it back too"),
        )
    elif len(found) > 1:
        yield Refusal(
            msg(
                "there would be several masters, together with what stays as it is published: {names}",
                names=", ".join(f"`{name}`" for name in found),
            ),
            hint=msg("change both in the same step: prove them, release them, or roll them back too"),
        )
