"""Whatever happens between collections: nothing of use is ever lost, and nothing else stays."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmail.evidence.keys import SigningKey
from opsmail.publish.ancestry import introduction, kept_up_to
from opsmail.publish.carried import last_carried
from opsmail.publish.collection import Retention
from opsmail.publish.events import written
from opsmail.publish.marks import read_marks
from opsmail.publish.publisher import Proofs
from opsmail.publish.reachable import Kept, reachable
from opsmail.publish.writing import settle
from opsmail.store.backends import open_store
from opsmail.store.generation import read_published
from opsmail.store.interface import Head, HeadMoved, Store, StoreDamaged, next_hash
from opsmail.store.manifest import LARGE, split
from tests.conformance.collecting import MASTER, Stall
from tests.unit.fleets import CIRCUMSTANCES, Changed, documents, operator

ENVIRONMENTS = ("production", "staging")
NAMES = ("a", "b", "c")
KEY = SigningKey.generate()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Made:
    """What a generation was made of, by whom it was made."""

    fleet: Mapping[str, bytes]
    evidence: Mapping[str, list[str]]
    marks: Mapping[str, Any]
    trust: bytes
    #: Operator to the statement that came with its document, whenever that was.
    proven: Mapping[str, str]

    def content(self) -> set[str]:
        manifest = {name: digest(document) for name, document in self.fleet.items()}
        buckets = [*split(manifest).values(), *split(self.evidence).values(), *split(self.marks).values()]
        statements = {item for items in self.evidence.values() for item in items}
        return {*manifest.values(), *map(digest, buckets), digest(self.trust), *statements}


@dataclass
class World:
    """Two environments in one store, and what should be in it."""

    stalls: Mapping[str, Stall]
    store: Store
    made: dict[str, dict[int, Made]] = field(default_factory=lambda: {name: {} for name in ENVIRONMENTS})
    carried: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in ENVIRONMENTS})
    day: int = 0

    def publish(self, environment: str, fleet: Mapping[str, bytes], marks: Mapping[str, Any], trust: bytes) -> None:
        self.day += 1
        history = self.made[environment]
        before = history[max(history)] if history else Made({}, {}, {}, b"", {})
        statements = {
            name: f"proof of {name} in {environment} on day {self.day}".encode()
            for name, document in fleet.items()
            if before.fleet.get(name) != document
        }
        evidence = {name: [digest(statement)] for name, statement in statements.items()}
        generation = self.stalls[environment].publish_documents(
            fleet,
            proofs=Proofs(list(statements.values()), evidence),
            circumstances=replace(CIRCUMSTANCES, marks=marks, trust=trust),
        )
        proven = {name: digest(statements[name]) if name in statements else before.proven[name] for name in fleet}
        history[generation.number] = Made(fleet, evidence, marks, trust, proven)

    def collect(self, environment: str, keep: int) -> None:
        stall, history = self.stalls[environment], self.made[environment]
        done = stall.collect(Retention(keep, 0))
        oldest = max(1, max(history, default=0) - keep + 1)
        if history and min(history) < oldest:
            assert (done.oldest, done.let_go) == (oldest, oldest - min(history))
            for number in range(min(history), oldest):
                del history[number]
            carried = {name: [proof] for name, proof in history[oldest].proven.items()}
            statements = {item for items in carried.values() for item in items}
            self.carried[environment] = statements | set(map(digest, split(carried).values()))

    def is_whole(self) -> None:
        """Everything of use is there, and reads as it was written."""
        for environment, history in self.made.items():
            stall = self.stalls[environment]
            assert stall.breaks() == []
            assert stall.numbers() == sorted(history)
            for number, made in history.items():
                found = read_published(self.store, environment, stall.verify, number)
                assert {name: digest(content) for name, content in made.fleet.items()} == found.manifest
                assert found.generation is not None
                self.store.read([*found.manifest.values(), str(found.generation.trust)])
                assert read_marks(self.store, found.generation).keys() == made.marks.keys()
                for name in made.fleet:
                    (proof,) = introduction(self.store, found, name).evidence
                    assert proof == made.proven[name]
                    self.store.read([proof])

    def of_use(self) -> set[str]:
        found: set[str] = set()
        for environment, history in self.made.items():
            found |= self.carried[environment]
            found.update(*(made.content() for made in history.values()))
            found.update(self.store.generations(environment).values())
        return found


MARKED = {"kind": "held", "generation": 1, "actor": "ana", "time": "2026-01-01T00:00:00Z", "reason": ""}
ACTS = st.one_of(
    st.tuples(st.just("publish"), st.sampled_from(ENVIRONMENTS), st.lists(st.integers(0, 2), min_size=3, max_size=3)),
    st.tuples(st.just("rollback"), st.sampled_from(ENVIRONMENTS), st.integers(0, 5)),
    st.tuples(st.just("hold"), st.sampled_from(ENVIRONMENTS), st.sampled_from(NAMES)),
    st.tuples(st.just("die"), st.sampled_from(ENVIRONMENTS), st.integers(0, 2)),
    st.tuples(st.just("collect"), st.sampled_from(ENVIRONMENTS), st.integers(1, 4)),
)


def act(world: World, kind: str, environment: str, value: Any) -> None:
    history = world.made[environment]
    now = history[max(history)] if history else None
    match kind:
        case "publish":
            chosen = [operator(name, name=f"n{how}") for name, how in zip(NAMES, value, strict=True) if how]
            world.publish(environment, documents([MASTER, *chosen]), now.marks if now else {}, b"trust %d" % value[0])
        case "rollback" if now:
            world.publish(environment, history[sorted(history)[value % len(history)]].fleet, now.marks, now.trust)
        case "hold" if now:
            world.publish(environment, now.fleet, {**now.marks, value: [MARKED]}, now.trust)
        case "die":
            # What it would have published, somebody else may have published, or be about to.
            left = [*documents([operator("a", name=f"n{value}")]).values(), b"left behind"]
            world.store.write_missing({digest(content): content for content in left})
        case "collect":
            world.collect(environment, value)
            assert set(world.store.blobs(limit=10_000)) == world.of_use()


@settings(max_examples=settings().max_examples // 8)
@given(st.sampled_from([LARGE, 3]), st.lists(ACTS, max_size=12))
def test_nothing_is_lost_and_nothing_else_is_left(large: int, acts: list[tuple[str, str, Any]]) -> None:
    """Neither where a fleet grows so large that it has more buckets, or shrinks again."""
    with (
        pytest.MonkeyPatch.context() as patched,
        tempfile.TemporaryDirectory() as folder,
        closing(open_store(f"sqlite:///{folder}/opsmail.db", create=True)) as store,
    ):
        patched.setattr("opsmail.store.manifest.LARGE", large)
        stalls = {name: Stall(Path(folder), name, KEY, kept=store) for name in ENVIRONMENTS}
        world = World(stalls, store)
        for kind, environment, value in acts:
            act(world, kind, environment, value)
        world.is_whole()
        for environment in ENVIRONMENTS:
            act(world, "collect", environment, 1)
        world.is_whole()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path}/opsmail.db", create=True)) as opened:
        yield opened


@pytest.fixture
def stall(store: Store, tmp_path: Path) -> Stall:
    made = Stall(tmp_path, key=KEY, kept=store)
    for number in range(1, 4):
        made.day(number, MASTER, operator("a", name=f"n{number}"))
    return made


def test_generations_that_do_not_follow_each_other(stall: Stall, store: Store) -> None:
    """Whatever stands there in place of one: nothing is taken away by what it leads to."""
    head = store.head(stall.environment)
    kept = store.generations(stall.environment)
    first = read_published(store, stall.environment, stall.verify, 1).generation
    assert first is not None
    stranger = stall.sign(replace(first, number=2, parent="0" * 64))
    store.write_missing({digest(stranger): stranger})
    exchanged: Any = Changed(store, generations=lambda *_, **__: {**kept, 2: digest(stranger)})
    with pytest.raises(StoreDamaged, match=r"generation 1 in .* is not the one that generation 2 follows"):
        list(kept_up_to(exchanged, head))
    short: Any = Changed(store, generations=lambda *_, after=0, **__: {1: kept[1]} if not after else {})
    with pytest.raises(StoreDamaged, match="generation 3 "):
        list(kept_up_to(short, head))
    first_of_all: Any = Changed(
        store,
        generations=lambda *_, after=0, **__: {n: d for n, d in {**kept, 1: digest(stranger)}.items() if n > after},
    )
    with pytest.raises(StoreDamaged):
        reachable(first_of_all, [Kept(head, 1)])


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"o200":7}', b'{"o200":["x"]}', b'{"a":1}', b"[" * 100_000])
def test_evidence_that_a_collection_carried_on_and_nobody_can_read(stall: Stall, store: Store, content: bytes) -> None:
    store.write_missing({digest(content): content})
    event = written("collect", {"oldest": 1, "evidence": {"00": digest(content)}})
    head = store.append_events(store.head(stall.environment), [event])
    with pytest.raises(StoreDamaged, match="carried on cannot be read"):
        last_carried(store, head).all_evidence(store)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000])
def test_a_bucket_that_is_none_leaves_everything_in_place(stall: Stall, store: Store, content: bytes) -> None:
    store.write_missing({digest(content): content})
    event = written("collect", {"oldest": 1, "evidence": {"00": digest(content)}})
    head = store.append_events(store.head(stall.environment), [event])
    with pytest.raises(StoreDamaged, match="has another content"):
        reachable(store, [Kept(head, 1)])


def test_a_history_that_begins_with_another_one(stall: Stall, store: Store) -> None:
    """The log tells of another generation before the first that is kept."""
    stall.collect(Retention(1, 0))
    with closing(sqlite3.connect(stall.path)) as database, database:
        rows = database.execute("SELECT payload FROM opsmail_events ORDER BY sequence").fetchall()
        last = "0" * 64
        for sequence, (payload,) in enumerate(rows, 1):
            told = (
                payload.replace(str(json.loads(payload).get("digest", "-" * 64)).encode(), b"e" * 64)
                if sequence == 2
                else payload
            )
            last = next_hash(last, told)
            database.execute(
                "UPDATE opsmail_events SET payload = ?, hash = ? WHERE sequence = ?", [told, last, sequence]
            )
        database.execute("UPDATE opsmail_heads SET last_hash = ?", [last])
    assert stall.breaks()[0] == "generation 3 does not follow generation 2"


def test_a_collection_that_comes_in_between_every_time(stall: Stall, store: Store) -> None:
    head = store.head(stall.environment)
    tried: list[Head] = []

    def swept(now: Head) -> Head:
        tried.append(now)
        raise HeadMoved(now, replace(now, sweeps=now.sweeps + 1))

    with pytest.raises(HeadMoved, match="was collected") as caught:
        settle(store, head, {}, swept)
    assert "when the collection has ended" in str(caught.value.hint)
    assert [now.sweeps for now in tried] == list(range(20))
