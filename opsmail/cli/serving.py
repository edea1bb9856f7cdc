"""The operators that the store serves, for `test --published`."""

from __future__ import annotations

from collections.abc import Sequence

from opsmail.cli.generations import require_known, require_published
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier
from opsmail.cli.session import Session
from opsmail.messages import msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import Operator
from opsmail.output.results import plans
from opsmail.publish.pins import revoked
from opsmail.settings.load import Settings
from opsmail.store.generation import read_published
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class Serving:
    """What is published and can be tested.

    Args:
        operators: as they are published, with the connection that the catalogue adds to them today.
        revoked: how many today's settings do not allow, so that nothing is sent as them.
    """

    operators: tuple[Operator, ...]
    revoked: int


def served(session: Session, settings: Settings, names: Sequence[str]) -> Serving:
    """Return the published operators of these names, of all where none is given; says who is not allowed any more.

    Raises:
        UsageError: nothing is published, or nobody of that name.
    """
    with opened_store(session, settings) as store:
        published = read_published(store, settings.environment, generation_verifier(settings))
        require_published(published)
        require_known(names, published.manifest)
        wanted = {name: published.manifest[name] for name in dict.fromkeys(names or published.manifest)}
        contents = store.read(set(wanted.values()))
    documents = {name: contents[digest] for name, digest in wanted.items()}
    denied = list(revoked(documents, settings))
    for item in denied:
        session.console.say(plans.revoked(item))
    if denied:
        session.console.say(msg("nothing is sent as an operator that is not allowed"))
    left_out = {item.operator for item in denied}
    allowed = (EffectiveOperator.parse(content) for name, content in documents.items() if name not in left_out)
    return Serving(tuple(effective.operator for effective in allowed), len(denied))
