"""Whether the history of an environment is the one that was written: events, generations, and the head's signature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from opsmail.errors import OpsmailError
from opsmail.messages import Message, msg
from opsmail.publish.ancestry import parsed
from opsmail.publish.carried import last_carried
from opsmail.publish.events import facts_of
from opsmail.store.audit import audit
from opsmail.store.generation import Generation, Verify, oldest_kept
from opsmail.store.interface import NO_EVENT, PAGE, Head, Store, StoreDamaged


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk through a history finds.

    Args:
        head: where the environment stands; None where even that cannot be told.
        oldest: the first generation that is kept; only the log tells of those before. 0 where none was found.
        breaks: each place where something does not follow, in words; empty where all of it does.
    """

    head: Head | None
    breaks: tuple[Message, ...]
    oldest: int = 0


@dataclass(frozen=True, slots=True)
class _Told:
    """What the log tells of a generation: its digest, and the hash of the event before."""

    digest: object
    before: str


def verify_history(store: Store, environment: str, verify: Verify) -> Verification:
    """Walk the event log from its first event, and the generations from the first that is kept, to the head.

    Of generations that a collection let go the log still tells their digests; the first that is kept has to follow the
    last of them.

    Args:
        store: where they are.
        environment: whose.
        verify: judges the signature of the head, which vouches for those before it.

    Raises:
        StoreUnavailable: the store cannot be read; that it contradicts itself is a finding.
    """
    while True:
        head, oldest = None, 0
        try:
            oldest, head = oldest_kept(store, environment), store.head(environment)
            audit(store, environment)
            breaks = tuple(_breaks(store, head, verify))
        except StoreDamaged as error:
            breaks = (error.message,)
        # What was collected meanwhile was not there any more: that is no break.
        if not breaks or oldest in (0, oldest_kept(store, environment)):
            return Verification(head, breaks, oldest)


def _breaks(store: Store, head: Head, verify: Verify) -> Iterator[Message]:
    told = dict(_told(store, head))
    parent = None
    for number, digest in _generations(store, head):
        generation = parsed(store.read([digest])[digest], store, number)
        if parent is None:
            yield from _beginning(store, head, generation, told)
        yield from _misplaced(head, generation, parent)
        parent = digest
        event = told.get(number)
        if event is None:
            yield msg("no event tells of generation {number}", number=number)
        elif event.digest != digest:
            yield msg("the event about generation {number} tells of another one", number=number)
        elif event.before != generation.last_event:
            yield msg("the events before generation {number} are not those that it was signed on", number=number)
    if head.digest is not None:
        try:
            verify(store.read([head.digest])[head.digest])
        except OpsmailError as error:
            yield msg("generation {number} is not to be trusted: {reason}", number=head.number, reason=error.message)


def _beginning(store: Store, head: Head, first: Generation, told: Mapping[int, _Told]) -> Iterator[Message]:
    """Yield what is wrong with the generation that the history begins with."""
    before = first.number - 1
    if last_carried(store, head).oldest != first.number:
        yield msg("generation {number} is missing, and no collection let it go", number=before)
    known = told.get(before)
    if (None if known is None else known.digest) != first.parent:
        yield msg("generation {number} does not follow generation {before}", number=first.number, before=before)


def _misplaced(head: Head, generation: Generation, parent: str | None) -> Iterator[Message]:
    number = generation.number
    if (generation.store, generation.environment) != (head.identity.store, head.environment):
        yield msg("generation {number} was signed for another place", number=number)
    if parent is not None and generation.parent != parent:
        yield msg("generation {number} does not follow generation {before}", number=number, before=number - 1)


def _generations(store: Store, head: Head) -> Iterator[tuple[int, str]]:
    after = 0
    while after < head.number:
        page = store.generations(head.environment, after=after, limit=PAGE)
        yield from ((number, digest) for number, digest in page.items() if number <= head.number)
        after = max(page, default=head.number)


def _told(store: Store, head: Head) -> Iterator[tuple[int, _Told]]:
    """Yield what each event tells of a generation, by the generation's number."""
    before, after = NO_EVENT, 0
    while after < head.events:
        page = store.events(head.environment, after=after, limit=min(PAGE, head.events - after))
        for event in page:
            match facts_of(event):
                case {"generation": int(number), "digest": digest}:
                    yield number, _Told(digest, before)
            before = event.hash
        after += len(page)
