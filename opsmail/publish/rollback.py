"""What a rollback publishes: documents of an earlier generation, judged by what is allowed today."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from opsmail.messages import msg
from opsmail.publish.gate import Refusal
from opsmail.publish.kept import mixed_fleet_refusals
from opsmail.publish.pins import denials
from opsmail.publish.plan import Action, Plan
from opsmail.settings.load import Settings


def rolled_back(present: Mapping[str, str], earlier: Mapping[str, str], operators: Collection[str]) -> dict[str, str]:
    """Return the manifest after a rollback.

    Args:
        present: operator to the SHA-256 of its document, as it is published.
        earlier: as it was.
        operators: who goes back; none for everybody.
    """
    if not operators:
        return dict(earlier)
    back = {operator: earlier[operator] for operator in operators if operator in earlier}
    return {operator: digest for operator, digest in present.items() if operator not in operators} | back


def rollback_refusals(plan: Plan, wanted: Mapping[str, bytes], settings: Settings) -> Iterator[Refusal]:
    """Yield why a rollback does not happen: a pin of today, or a fleet without exactly one master.

    Args:
        plan: what would change.
        wanted: operator to canonical document: the whole fleet after it.
        settings: of today.
    """
    for change in plan.changes:
        if change.action is not Action.DELETE:
            for reason in denials(wanted[change.operator], settings):
                yield Refusal(reason, change.operator, msg("roll back others by name, or let IT approve it again"))
    if not wanted:
        yield Refusal(msg("no operator would be left"), hint=msg("roll back to another generation"))
    yield from mixed_fleet_refusals(wanted)
