"""Generations and operators as they are named on the command line."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from opsmail.errors import UsageError
from opsmail.messages import Message, msg
from opsmail.publish.ancestry import published_at
from opsmail.shape import nearest
from opsmail.store.generation import Generation, Published
from opsmail.store.interface import Store


def earlier(store: Store, published: Published, number: int) -> Published:
    """Return one of the generations up to the published one, whole.

    Raises:
        UsageError: there is none of that number.
    """
    found = published_at(store, published, number)
    if found is None or found.generation is None:
        raise UsageError(absent(published, number), hint=msg("`opsmail history` lists the generations"))
    return found


def absent(published: Published, number: int) -> Message:
    """Return what is said of a generation that is not there: it is yet to come, or a collection let it go."""
    environment = published.head.environment
    if number < published.head.number:
        return msg(
            "generation {number} of environment {environment} is not kept", number=number, environment=environment
        )
    return msg("there is no generation {number} in environment {environment}", number=number, environment=environment)


def require_published(published: Published) -> Generation:
    """Return the generation that is published.

    Raises:
        UsageError: nothing is.
    """
    if published.generation is None:
        raise UsageError(
            msg("nothing is published in environment {environment}", environment=published.head.environment),
            hint=msg("a first publish comes before everything else: `opsmail publish`"),
        )
    return published.generation


def require_known(operators: Iterable[str], known: Collection[str]) -> None:
    """Return when each of these operators is one of the known ones.

    Raises:
        UsageError: one is not.
    """
    for operator in operators:
        if operator not in known:
            guess = nearest(operator, sorted(known))
            raise UsageError(
                msg("there is no operator `{operator}` there", operator=operator),
                hint=msg("`opsmail history` lists the generations, `opsmail show` an operator")
                if guess is None
                else msg("did you mean `{guess}`?", guess=guess),
            )
