"""A store that came back from a backup, or whose head nobody trusts any more, is taken as it is: in a new epoch.

Readers refuse a store that went back. A higher epoch, signed, tells them that somebody meant it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from opsmail.evidence.invalid import InvalidEvidence
from opsmail.messages import Message, msg
from opsmail.publish.ancestry import parsed
from opsmail.store.generation import Generation, Published, Verify, read_newest
from opsmail.store.interface import Head, Identity, Store


@dataclass(frozen=True, slots=True)
class Adoptee:
    """The head of an environment as it is found.

    Args:
        published: it, whole.
        generation: its facts.
        doubt: why its signature does not hold; None where it does.
    """

    published: Published
    generation: Generation
    doubt: Message | None


def find_adoptee(store: Store, head: Head, verify: Verify) -> Adoptee:
    """Return the head of an environment, also of an epoch before the store's, and signed by whoever.

    Args:
        store: where it is.
        head: after a first publish.
        verify: judges its signature.

    Raises:
        StoreDamaged: it is not whole.
    """
    digest = str(head.digest)
    envelope = store.read([digest])[digest]
    generation = parsed(envelope, store, head.number)
    doubt = None
    try:
        verify(envelope)
    except InvalidEvidence as error:
        doubt = error.message
    then = replace(head, identity=Identity(head.identity.store, min(generation.epoch, head.identity.epoch)))
    whole = read_newest(store, then, lambda _: generation)
    return Adoptee(replace(whole, head=head), generation, doubt)


def needs_epoch(adoptee: Adoptee) -> bool:
    """Whether the epoch has to be raised: it is where an adoption did so already, and got no further."""
    return adoptee.generation.epoch == adoptee.published.head.identity.epoch


def doubtful(adoptee: Adoptee, accepted: str | None) -> Message | None:
    """Return why the head may not be adopted; None where it may.

    Args:
        adoptee: the head.
        accepted: its digest, where somebody answers for it by name.
    """
    if adoptee.doubt is None or accepted == adoptee.published.digest:
        return None
    return msg(
        "generation {number} is not to be trusted: {reason}", number=adoptee.generation.number, reason=adoptee.doubt
    )
