"""What a collection of signed generations takes away and leaves, on every store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsmail.evidence.facts import format_time
from opsmail.evidence.keys import SigningKey
from opsmail.publish.ancestry import introduction, newest_evidence, published_at
from opsmail.publish.collection import Collection, Collector, Retention
from opsmail.publish.marks import Mark, MarkKind, plain, read_marks
from opsmail.publish.publisher import Proofs, record_evidence
from opsmail.publish.verification import verify_history
from opsmail.store.generation import read_published
from opsmail.store.interface import HeadMoved, Store
from tests.conformance.sweeping import everything
from tests.unit.fleets import CIRCUMSTANCES, ENVIRONMENT, Shop, documents, operator, planned

MASTER = operator("chefe", role="master")
START = datetime(2026, 1, 1, tzinfo=UTC)
FEW = Retention(generations=2, days=0)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Stall(Shop):
    """A shop in a store that is there already; a generation a day."""

    kept: Store | None = None

    @contextmanager
    def store(self) -> Iterator[Store]:
        assert self.kept is not None
        yield self.kept

    def day(self, number: int, *operators: Any, **more: Any) -> Any:
        time = format_time(START + timedelta(days=number))
        return self.publish(*operators, circumstances=replace(CIRCUMSTANCES, time=time, **more.pop("told", {})), **more)

    def collector(self, retention: Retention = FEW, day: int = 1000) -> Collector:
        assert self.kept is not None
        return Collector(self.kept, self.verify, retention, "ana", START + timedelta(days=day))

    def collect(self, retention: Retention = FEW, day: int = 1000) -> Collection:
        """Look first: what was foretold happens, and nothing is left to be done."""
        collector = self.collector(retention, day)
        foretold = collector.look(self.environment)
        assert collector.collect(self.environment) == foretold
        assert collector.look(self.environment) == replace(foretold, let_go=0, swept=0)
        return foretold

    def numbers(self) -> list[int]:
        assert self.kept is not None
        return list(self.kept.generations(self.environment))

    def breaks(self) -> list[str]:
        assert self.kept is not None
        return [str(told) for told in verify_history(self.kept, self.environment, self.verify).breaks]


class Between:
    """A store that lets something happen before one of its acts, once."""

    def __init__(self, store: Store, act: str, happens: Callable[[], object]) -> None:
        self._store = store
        self._act: str | None = act
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        if name == self._act:
            self._act = None
            self._happens()
        return getattr(self._store, name)


class CollectingConformance:
    @pytest.fixture
    def stall(self, store: Store, tmp_path: Path) -> Stall:
        return Stall(tmp_path, kept=store)

    def test_nothing_is_published(self, stall: Stall, store: Store) -> None:
        store.write_missing({digest(b"left behind"): b"left behind"})
        assert stall.collect() == Collection(ENVIRONMENT, 0, 0, 1, 0)

    def test_nothing_to_do(self, stall: Stall, store: Store) -> None:
        stall.day(1, MASTER)
        head = store.head(ENVIRONMENT)
        assert stall.collect() == Collection(ENVIRONMENT, 1, 0, 0, len(everything(store)))
        assert store.head(ENVIRONMENT) == head

    def test_what_a_publisher_left_who_died(self, stall: Stall, store: Store) -> None:
        stall.day(1, MASTER)
        before = everything(store)

        class Died(BaseException):
            pass

        def die() -> None:
            raise Died

        wanted = documents([MASTER, operator("a")])
        between: Any = Between(store, "swap_head", die)
        published = stall.published()
        with pytest.raises(Died):
            stall.publish_plan(between, published, planned(store, published, wanted), wanted)
        left = len(everything(store)) - len(before)
        assert left >= 3  # a document, a bucket, a generation
        assert stall.collect().swept == left
        assert everything(store) == before

    @pytest.mark.parametrize(
        ("retention", "kept"),
        [
            (Retention(1, 0), [5]),
            (Retention(2, 0), [4, 5]),
            (Retention(100, 0), [1, 2, 3, 4, 5]),
            # Generation 3 was the published one until day 4.
            (Retention(1, 7), [3, 4, 5]),
            (Retention(4, 6), [2, 3, 4, 5]),
            (Retention(1, 36_500), [1, 2, 3, 4, 5]),
        ],
    )
    def test_whichever_keeps_more_decides(self, stall: Stall, retention: Retention, kept: list[int]) -> None:
        for number in range(1, 6):
            stall.day(number, MASTER, operator("a", name=f"n{number}"))
        told = stall.collect(retention, day=10)
        assert (told.oldest, told.let_go) == (kept[0], 5 - len(kept))
        assert stall.numbers() == kept
        assert stall.breaks() == []

    def test_what_is_kept_is_whole(self, stall: Stall, store: Store) -> None:
        """Documents, trust, marks and evidence of kept generations, and what was proven by an earlier one."""
        proven, fresh, old = b"proof of a", b"fresh proof of a", b"old proof of b"
        mark = Mark(kind=MarkKind.HELD, generation=1, actor="ana", time="2026-01-01T00:00:00Z", reason="x")
        told = {"trust": b'{"trusted":1}', "marks": plain({"a": (mark,)})}
        evidence = {"a": [digest(proven)], "b": [digest(old)], f"settings:{ENVIRONMENT}": [digest(b"settings")]}
        stall.day(
            1, MASTER, operator("a"), operator("b"), told=told, proofs=Proofs([proven, old, b"settings"], evidence)
        )
        for number in range(2, 5):
            stall.day(number, MASTER, operator("a"), operator("b", name=f"n{number}"), told=told)
        record_evidence(store, store.head(ENVIRONMENT), {digest(fresh): fresh}, {"a": [digest(fresh)]}, "x")
        before = {number: read_published(store, ENVIRONMENT, stall.verify, number) for number in (3, 4)}
        assert stall.collect().oldest == 3
        for number, earlier in before.items():
            found = read_published(store, ENVIRONMENT, stall.verify, number)
            assert (found.digest, found.manifest) == (earlier.digest, earlier.manifest)
            assert found.generation is not None
            store.read({*found.manifest.values(), str(found.generation.trust)})
            assert read_marks(store, found.generation) == {"a": (mark,)}
        head = stall.published()
        came = introduction(store, head, "a")
        assert (came.evidence, came.maybe_earlier, came.generation.number) == ((digest(proven),), True, 3)
        assert store.read([digest(proven), digest(fresh), digest(b"settings")])
        assert introduction(store, head, "b").maybe_earlier is False
        assert list(newest_evidence(store, head)) == [digest(proven)]
        assert digest(old) not in everything(store)
        # And once more, from what the first collection carried on.
        for number in range(5, 7):
            stall.day(number, MASTER, operator("a"), operator("b", name=f"n{number}"), told=told)
        stall.collect()
        assert introduction(store, stall.published(), "a").evidence == (digest(proven),)
        assert digest(fresh) not in everything(store)
        stall.day(7, MASTER, operator("a", name="other"), told=told)
        stall.day(8, MASTER, operator("a", name="other"), operator("c"), told=told)
        stall.collect(Retention(1, 0))
        assert introduction(store, stall.published(), "a").evidence == ()
        assert digest(proven) not in everything(store)

    def test_the_log_tells_of_what_went(self, stall: Stall, store: Store) -> None:
        for number in range(1, 5):
            stall.day(number, MASTER, operator("a", name=f"n{number}"))
        stall.collect()
        told = [json.loads(event.payload) for event in store.events(ENVIRONMENT)]
        assert [event["event"] for event in told] == ["publish"] * 4 + ["collect"]
        assert (told[-1]["oldest"], told[-1]["actor"]) == (3, "ana")
        assert stall.breaks() == []
        verification = verify_history(store, ENVIRONMENT, stall.verify)
        assert verification.oldest == 3
        assert published_at(store, stall.published(), 2) is None
        # Signed by the next generation, as every event is.
        stall.day(9, MASTER)
        assert stall.breaks() == []

    def test_generations_that_somebody_took_away_are_a_break(self, stall: Stall, store: Store) -> None:
        for number in range(1, 6):
            stall.day(number, MASTER, operator("a", name=f"n{number}"))
        store.let_go(store.head(ENVIRONMENT), oldest=2, events=[b'{"event":"nothing"}'])
        assert stall.breaks() == ["generation 1 is missing, and no collection let it go"]
        stall.collect(Retention(3, 0))
        assert stall.breaks() == []
        store.let_go(store.head(ENVIRONMENT), oldest=4, events=[b'{"event":"nothing"}'])
        assert stall.breaks() == ["generation 3 is missing, and no collection let it go"]

    def test_other_environments_stay_as_they_are(self, stall: Stall, store: Store, tmp_path: Path) -> None:
        other = Stall(tmp_path, environment="staging", kept=store, key=SigningKey.generate())
        for number in range(1, 5):
            other.day(number, MASTER, operator("a", name=f"n{number}"))
            stall.day(number, MASTER, operator("a", name=f"n{number}"))
        log = store.events("staging")
        assert stall.collect(Retention(1, 0)).let_go == 3
        assert other.numbers() == [1, 2, 3, 4]
        assert store.events("staging") == log
        for number in other.numbers():
            store.read(read_published(store, "staging", other.verify, number).manifest.values())
        assert (stall.breaks(), other.breaks()) == ([], [])

    # Beside others

    def test_a_publish_that_found_its_documents_there(self, stall: Stall, store: Store) -> None:
        """It goes back to what an earlier generation had, just when that is swept away."""
        stall.day(1, MASTER, operator("a"))
        stall.day(2, MASTER, operator("a", name="new"))
        stall.day(3, MASTER, operator("a", name="newer"))
        stall.collect(Retention(2, 0))
        wanted = documents([MASTER, operator("a")])
        store.write_missing({digest(content): content for content in wanted.values()})
        published = stall.published()
        swept = list[Collection]()

        def sweep() -> None:
            swept.append(stall.collector(Retention(2, 0)).collect(ENVIRONMENT))

        between: Any = Between(store, "swap_head", sweep)
        stall.publish_plan(between, published, planned(store, published, wanted), wanted)
        # The publish went on by itself, and what it published is there.
        assert swept[0].swept >= 1
        now = stall.published()
        assert now.head.number == 4
        assert dict(store.read(now.manifest.values())) == {digest(content): content for content in wanted.values()}
        stall.collect(Retention(1, 0))
        assert stall.breaks() == []

    def test_a_collection_that_finds_somebody_publishing_looks_again(self, stall: Stall, store: Store) -> None:
        stall.day(1, MASTER, operator("a"))
        stall.day(2, MASTER)
        for act in ("let_go", "sweep"):
            between: Any = Between(store, act, lambda: stall.day(3, MASTER, operator("a")))
            first = stall.numbers()[0]
            done = replace(stall.collector(Retention(1, 0)), store=between).collect(ENVIRONMENT)
            now = stall.published()
            # Whatever it took, all of it is counted.
            assert (done.oldest, done.let_go) == (now.head.number, now.head.number - first)
            store.read(now.manifest.values())
            assert "a" in now.manifest
            assert stall.breaks() == []
            stall.day(4, MASTER)

    def test_one_that_is_overtaken_every_time_gives_up(self, stall: Stall, store: Store) -> None:
        stall.day(1, MASTER)
        head = store.head(ENVIRONMENT)

        class Overtaken(Between):
            def sweep(self, *_: Any) -> int:
                raise HeadMoved(head, replace(head, number=2))

        between: Any = Overtaken(store, "", lambda: None)
        with pytest.raises(HeadMoved):
            replace(stall.collector(), store=between).collect(ENVIRONMENT)

    def test_one_that_died_between_its_steps_is_ended_by_the_next(self, stall: Stall, store: Store) -> None:
        for number in range(1, 4):
            stall.day(number, MASTER, operator("a", name=f"n{number}"))

        class Died(BaseException):
            pass

        def die() -> None:
            raise Died

        between: Any = Between(store, "sweep", die)
        with pytest.raises(Died):
            replace(stall.collector(Retention(1, 0)), store=between).collect(ENVIRONMENT)
        assert stall.numbers() == [3]
        assert stall.breaks() == []
        assert stall.collect(Retention(1, 0)).swept > 0
        assert stall.breaks() == []

    def test_a_reader_whose_generation_is_collected_reads_the_head_again(self, stall: Stall, store: Store) -> None:
        stall.day(1, MASTER, operator("a"))

        def replaced() -> None:
            stall.day(2, MASTER, operator("a", name="new"))
            stall.collector(Retention(1, 0)).collect(ENVIRONMENT)

        between: Any = Between(store, "read", replaced)
        assert read_published(between, ENVIRONMENT, stall.verify).head.number == 2
        stall.day(3, MASTER)
        gone: Any = Between(store, "read", lambda: stall.collector(Retention(1, 0)).collect(ENVIRONMENT))
        assert read_published(gone, ENVIRONMENT, stall.verify, 2).digest is None

    def test_a_walk_through_what_is_collected_meanwhile_finds_no_break(self, stall: Stall, store: Store) -> None:
        for number in range(1, 5):
            stall.day(number, MASTER, operator("a", name=f"n{number}"))
        for act in ("read", "generations"):
            between: Any = Between(store, act, lambda: stall.collector(Retention(2, 0)).collect(ENVIRONMENT))
            assert verify_history(between, ENVIRONMENT, stall.verify).breaks == ()
            stall.day(5, MASTER)
