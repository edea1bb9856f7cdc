"""Publishers and readers of a store in processes of their own, to be raced and killed by the conformance suite.

Run as a program:

    publishing.py race PLACE          swaps when it is told to, against others
    publishing.py kill PLACE N SEED   kills N publishers at random moments while a reader runs; prints what it saw

PLACE is what `Place.dump` returns.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any, NoReturn

from opsmail.secrets import Secret
from opsmail.store.audit import audit
from opsmail.store.backends import open_store
from opsmail.store.interface import Head, HeadMoved, Store
from opsmail.store.server import Access

ENVIRONMENT = "production"
#: Documents of one generation: enough for a write that takes several pages.
DOCUMENTS = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is, or will be, and how one gets there, as `open_store` wants it."""

    url: str
    password: str | None = field(default=None, repr=False)
    ca: str | None = field(default=None, repr=False)

    def open(self, *, read_only: bool = False, create: bool = False) -> Store:
        password = None if self.password is None else Secret(self.password)
        return open_store(self.url, read_only=read_only, create=create, access=Access(password, self.ca))

    def dump(self) -> str:
        return json.dumps(asdict(self))


def encode(value: object) -> bytes:
    """Canonical JSON for the plain values used here."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def generation(head: Head, publisher: str) -> tuple[str, dict[str, bytes]]:
    """Make the generation that follows `head`: its digest, and all its blobs."""
    number = head.number + 1
    documents = [encode({"operator": i, "of": number, "by": publisher, "text": "x" * 600}) for i in range(DOCUMENTS)]
    blobs = {name(document): document for document in documents}
    signed = encode({"number": number, "parent": head.digest, "by": publisher, "documents": sorted(blobs)})
    return name(signed), {**blobs, name(signed): signed}


def event(head: Head, digest: str) -> bytes:
    return encode({"kind": "publish", "number": head.number + 1, "digest": digest})


def publish(store: Store, publisher: str, attempting: Callable[[int], object] = int) -> Head:
    head = store.head(ENVIRONMENT)
    attempting(head.number + 1)
    digest, blobs = generation(head, publisher)
    store.write_missing(blobs)
    return store.swap_head(head, number=head.number + 1, digest=digest, events=[event(head, digest)])


def read_whole(store: Store) -> int:
    """Read the published generation as an application server does; return its number."""
    head = store.head(ENVIRONMENT)
    if head.digest is None:
        return 0
    read_generation(store, head.number, head.digest)
    return head.number


def read_generation(store: Store, number: int, digest: str) -> dict[str, Any]:
    signed: dict[str, Any] = json.loads(store.read([digest])[digest])
    assert signed["number"] == number
    documents = [json.loads(document) for document in store.read(signed["documents"]).values()]
    assert len(documents) == DOCUMENTS
    assert {(document["of"], document["by"]) for document in documents} == {(number, signed["by"])}
    return signed


def invariant(store: Store, *, acknowledged: int, attempted: int) -> Head:
    """What holds after any crash; raises where it does not.

    Everything is asked up to the head that was found first: the commit of a publisher that was killed in it may come
    into sight later, when the database recovers.
    """
    head = audit(store, ENVIRONMENT).head
    assert acknowledged <= head.number <= attempted
    generations: dict[int, str] = {}
    while len(generations) < head.number:
        generations |= store.generations(ENVIRONMENT, after=len(generations), limit=head.number - len(generations))
    assert list(generations) == list(range(1, head.number + 1))
    # The older ones were read after earlier kills.
    for number in range(max(1, head.number - 10), head.number + 1):
        signed = read_generation(store, number, generations[number])
        assert signed["parent"] == generations.get(number - 1)
    told: list[dict[str, Any]] = []
    while len(told) < head.events:
        page = store.events(ENVIRONMENT, after=len(told), limit=head.events - len(told))
        told += [json.loads(event.payload) for event in page]
    assert [(publish["number"], publish["digest"]) for publish in told] == list(generations.items())
    return head


def race(place: Place) -> None:
    """Line by line: `prepare` reads the head, `go` swaps from what was read."""
    with closing(place.open()) as store:
        _race(store)


def _race(store: Store) -> None:
    publisher = str(os.getpid())
    head = store.head(ENVIRONMENT)
    digest = ""
    for line in sys.stdin:
        if line.strip() == "prepare":
            head = store.head(ENVIRONMENT)
            digest, blobs = generation(head, publisher)
            store.write_missing(blobs)
            print("ready", flush=True)
            continue
        try:
            store.swap_head(head, number=head.number + 1, digest=digest, events=[event(head, digest)])
        except HeadMoved as error:
            print("moved", error.found.number, flush=True)
        else:
            print("won", head.number + 1, flush=True)


def kill(place: Place, kills: int, seed: int) -> None:
    """Fork publishers and kill them; this process has everything imported, so that a fork is at work at once."""
    with closing(place.open()) as store:
        _kill(store, place, kills, random.Random(seed))


def _kill(store: Store, place: Place, kills: int, moment: random.Random) -> None:
    stop, reader = _fork_reader(place)
    acknowledged = attempted = store.head(ENVIRONMENT).number
    interrupted = landed = 0
    for _ in range(kills):
        said, publisher = _fork_publisher(place)
        with os.fdopen(said) as lines:
            # From the first attempt on, so that a slow machine does not have us kill what has not begun.
            first = lines.readline()
            time.sleep(moment.uniform(0, 0.015))
            os.kill(publisher, signal.SIGKILL)
            os.waitpid(publisher, 0)
            for line in (first, *lines):
                word, number = line.split()
                attempted = max(attempted, int(number))
                acknowledged = max(acknowledged, int(number) if word == "done" else 0)
        head = invariant(store, acknowledged=acknowledged, attempted=attempted)
        interrupted += attempted > acknowledged
        landed += head.number > acknowledged
        acknowledged = head.number
    os.close(stop)
    _, status = os.waitpid(reader, 0)
    report = {
        "acknowledged": acknowledged,
        "attempted": attempted,
        "interrupted": interrupted,
        "landed_unacknowledged": landed,
        "reader": os.waitstatus_to_exitcode(status),
    }
    print(json.dumps(report))


def _fork_publisher(place: Place) -> tuple[int, int]:
    said, say = os.pipe()
    child = os.fork()
    if not child:
        _run_fork(lambda: _publish_on(place.open(), say))
    os.close(say)
    return said, child


def _publish_on(store: Store, say: int) -> None:
    while True:
        try:
            head = publish(store, str(os.getpid()), lambda number: _say(say, f"trying {number}\n"))
        except HeadMoved:
            # What an earlier publisher was killed over came into sight.
            continue
        _say(say, f"done {head.number}\n")


def _run_fork(work: Callable[[], None]) -> NoReturn:
    """End the process after `work`, whatever happens: a fork must not run on into its parent's code."""
    try:
        work()
    except BaseException:  # noqa: BLE001 - as above
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _say(pipe: int, line: str) -> None:
    os.write(pipe, line.encode())


def _fork_reader(place: Place) -> tuple[int, int]:
    stopped, stop = os.pipe()
    child = os.fork()
    if not child:
        os.close(stop)
        _run_fork(lambda: _read_on(place, stopped))
    os.close(stopped)
    return stop, child


def _read_on(place: Place, stopped: int) -> None:
    last = 0
    with closing(place.open(read_only=True)) as store:
        # Readable is its end, at which it was closed. The time between is for the publishers.
        while not select.select([stopped], [], [], 0.002)[0]:
            number = read_whole(store)
            assert number >= last
            last = number
    assert last


def main(arguments: Sequence[str]) -> None:
    match arguments:
        case ["race", place]:
            race(Place(**json.loads(place)))
        case ["kill", place, kills, seed]:
            kill(Place(**json.loads(place)), int(kills), int(seed))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
