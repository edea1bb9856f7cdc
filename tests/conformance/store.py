"""What every store does, whatever holds it.

A backend runs this suite by a class of its own:

    class TestMyStore(StoreConformance):
        @pytest.fixture
        def place(self):
            return Place("mystore://…")        # of a store that does not exist yet, one for each test
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import opsmail
from opsmail.errors import RefusedError
from opsmail.store.audit import audit
from opsmail.store.bounds import MAX_PAGE, MAX_VALUE_BYTES
from opsmail.store.interface import (
    NO_EVENT,
    Head,
    HeadMoved,
    Identity,
    InvalidValue,
    MissingBlobs,
    Store,
    StoreMissing,
    StoreUnavailable,
)
from tests.conformance.collecting import CollectingConformance
from tests.conformance.publishing import ENVIRONMENT, Place, event, generation, invariant, name, publish, read_whole
from tests.conformance.sweeping import SweepingConformance

PROGRAM = [sys.executable, "-W", "error", str(Path(__file__).with_name("publishing.py"))]
OPSMAIL = {**os.environ, "PYTHONPATH": str(Path(opsmail.__file__).parents[1])}


class StoreConformance(CollectingConformance, SweepingConformance):
    #: How many publishers are killed; fewer where each needs its time to connect.
    kills = 64

    @pytest.fixture
    def place(self) -> Place:
        raise NotImplementedError

    @pytest.fixture
    def store(self, place: Place) -> Iterator[Store]:
        with closing(place.open(create=True)) as store:
            yield store

    # What it is

    def test_a_store_that_does_not_exist_is_missing(self, place: Place) -> None:
        for _ in range(2):
            with pytest.raises(StoreMissing):
                place.open()

    def test_the_identity_stays(self, place: Place, store: Store) -> None:
        with closing(place.open(create=True)) as again:
            assert again.identity() == store.identity() == store.head("any").identity
        assert store.identity().epoch == 1

    def test_the_location_is_told(self, store: Store) -> None:
        assert store.location

    # Blobs

    def test_blobs_come_back_as_they_were_written(self, store: Store) -> None:
        contents = [b"", b"\0", b"\xff\xfe", b'{"a":1}', b"x" * MAX_VALUE_BYTES]
        blobs = {name(content): content for content in contents}
        assert store.write_missing(blobs) == len(blobs)
        assert store.read(blobs.keys()) == blobs
        assert store.read([*blobs, *blobs]) == blobs

    def test_octets_that_mean_something_elsewhere(self, store: Store) -> None:
        """To whoever writes them into a statement, or reads the statement by its characters."""
        contents = [
            bytes(range(256)),
            b"'",
            b"\\",
            b"\\'",
            b"''\\\\",
            b"\xbf'",
            b"\xf0'\\",
            b"'); --",
            b"%s %(a)s %",
            b"\\0\\n",
        ]
        blobs = {name(content): content for content in contents}
        assert store.write_missing(blobs) == len(blobs)
        assert store.read(blobs.keys()) == blobs

    def test_more_than_one_request_takes(self, store: Store) -> None:
        contents = [bytes([number]) + b"'" * (MAX_VALUE_BYTES // 2) for number in range(5)]
        blobs = {name(content): content for content in [*contents, b"small"]}
        assert store.write_missing(blobs) == len(blobs)
        assert store.read(blobs.keys()) == blobs

    def test_what_is_there_is_not_written_again(self, store: Store) -> None:
        first = {name(b"1"): b"1"}
        both = {**first, name(b"2"): b"2"}
        assert store.write_missing(first) == 1
        assert store.write_missing(both) == 1
        assert store.write_missing(both) == 0
        assert store.write_missing({}) == 0
        assert store.read(both) == both

    def test_ten_thousand_blobs(self, store: Store) -> None:
        blobs = {name(content): content for content in (b"%d" % i for i in range(10_000))}
        assert store.write_missing(blobs) == len(blobs)
        assert store.read(blobs) == blobs

    def test_missing_blobs_are_all_named(self, store: Store) -> None:
        store.write_missing({name(b"there"): b"there"})
        lost = sorted([name(b"lost"), name(b"gone")])
        with pytest.raises(MissingBlobs, match=lost[0]) as caught:
            store.read([name(b"there"), *lost])
        assert caught.value.digests == tuple(lost)
        assert caught.value.hint is not None

    # Publishing

    def test_an_unused_environment_has_an_empty_head(self, store: Store) -> None:
        assert store.head("never-used") == Head(store.identity(), "never-used", 0, None, 0, NO_EVENT)
        assert store.generations("never-used") == {}
        assert store.generation("never-used", 1) is None
        assert store.events("never-used") == ()
        assert store.events("never-used", after=7) == ()
        assert audit(store, "never-used").generations == 0

    def test_a_publish_moves_the_head(self, store: Store) -> None:
        before = store.head(ENVIRONMENT)
        digest, blobs = generation(before, "a")
        store.write_missing(blobs)
        payloads = [event(before, digest), b'{"kind":"hold"}']
        after = store.swap_head(before, number=1, digest=digest, events=payloads)
        assert after == store.head(ENVIRONMENT)
        assert (after.number, after.digest, after.events) == (1, digest, 2)
        assert store.generation(ENVIRONMENT, 1) == digest
        assert store.generations(ENVIRONMENT) == {1: digest}
        hashed = b"\0" * 32
        for sequence, (told, payload) in enumerate(zip(store.events(ENVIRONMENT), payloads, strict=True), 1):
            hashed = hashlib.sha256(hashed + payload).digest()
            assert (told.sequence, told.payload, told.hash) == (sequence, payload, hashed.hex())
        assert after.last_hash == hashed.hex()

    def test_events_without_a_generation(self, store: Store) -> None:
        empty = store.head(ENVIRONMENT)
        refused = store.append_events(empty, [b'{"kind":"refused"}'])
        assert (refused.number, refused.digest, refused.events) == (0, None, 1)
        assert refused == store.head(ENVIRONMENT)
        published = publish(store, "a")
        fresh = store.append_events(published, [b'{"kind":"evidence"}', b'{"kind":"evidence"}'])
        assert (fresh.number, fresh.digest, fresh.events) == (1, published.digest, 4)
        assert audit(store, ENVIRONMENT).events == 4

    def test_who_polls_hears_of_another_generation_only(self, store: Store) -> None:
        assert not store.stands_at(ENVIRONMENT, "0" * 64)
        head = store.append_events(publish(store, "a"), [b"{}"])
        first = str(head.digest)
        assert store.stands_at(ENVIRONMENT, first)
        assert not store.stands_at("staging", first)
        second = str(publish(store, "b").digest)
        assert (store.stands_at(ENVIRONMENT, first), store.stands_at(ENVIRONMENT, second)) == (False, True)

    def test_environments_are_apart(self, store: Store) -> None:
        publish(store, "a")
        assert store.head("staging").number == 0
        assert store.head(ENVIRONMENT.upper()).number == 0
        store.append_events(store.head("staging"), [b"{}"])
        assert store.head(ENVIRONMENT).events == 1

    def test_an_epoch_is_raised_once(self, store: Store) -> None:
        """By two who found the same, also; a change that was made before it is refused."""
        before = publish(store, "a")
        higher = store.raise_epoch(before.identity)
        assert higher == replace(before.identity, epoch=before.identity.epoch + 1)
        assert store.raise_epoch(before.identity) == higher == store.identity()
        assert store.head(ENVIRONMENT) == replace(before, identity=higher)
        with pytest.raises(HeadMoved):
            store.append_events(before, [b"{}"])
        assert publish(store, "b").identity == higher

    def test_pages(self, store: Store) -> None:
        for _ in range(5):
            publish(store, "a")
        assert list(store.generations(ENVIRONMENT, after=1, limit=2)) == [2, 3]
        assert [told.sequence for told in store.events(ENVIRONMENT, after=1, limit=2)] == [2, 3]
        assert [told.sequence for told in store.events(ENVIRONMENT, limit=2)] == [1, 2]
        assert store.events(ENVIRONMENT, after=5) == ()
        assert store.generations(ENVIRONMENT, after=5) == {}
        assert invariant(store, acknowledged=5, attempted=5) == store.head(ENVIRONMENT)

    # Refusals

    @pytest.mark.case("D-08", "D-11")
    def test_a_stale_publish_is_refused_and_changes_nothing(self, store: Store) -> None:
        stale = store.head(ENVIRONMENT)
        digest, blobs = generation(stale, "late")
        store.write_missing(blobs)
        won = publish(store, "early")
        with pytest.raises(HeadMoved) as caught:
            store.swap_head(stale, number=1, digest=digest, events=[event(stale, digest)])
        assert (caught.value.expected, caught.value.found) == (stale, won)
        assert "generation 0" in str(caught.value)
        assert "generation 1" in str(caught.value)
        with pytest.raises(HeadMoved):
            store.append_events(stale, [b"{}"])
        # The next try, from the head as it is, is not hindered by the refused one.
        assert publish(store, "late").number == 2
        assert invariant(store, acknowledged=2, attempted=2).events == 2

    def test_an_event_alone_makes_a_plan_stale(self, store: Store) -> None:
        planned = publish(store, "a")
        store.append_events(planned, [b"{}"])
        digest, blobs = generation(planned, "b")
        store.write_missing(blobs)
        with pytest.raises(HeadMoved):
            store.swap_head(planned, number=2, digest=digest, events=[b"{}"])
        assert store.generation(ENVIRONMENT, 2) is None

    def test_a_change_for_another_store_is_refused(self, store: Store) -> None:
        mine = store.head(ENVIRONMENT)
        for identity in (Identity("0" * 32, 1), replace(mine.identity, epoch=2)):
            with pytest.raises(HeadMoved, match=mine.identity.store):
                store.append_events(replace(mine, identity=identity), [b"{}"])
        assert store.head(ENVIRONMENT) == mine

    @pytest.mark.case("D-23")
    @pytest.mark.parametrize("number", [1, 3, 4, 2**62, 2**63 - 1])
    def test_generations_are_counted_one_by_one(self, store: Store, number: int) -> None:
        head = publish(store, "a")
        digest, blobs = generation(head, "b")
        store.write_missing(blobs)
        with pytest.raises(InvalidValue, match="cannot follow generation 1"):
            store.swap_head(head, number=number, digest=digest, events=[b"{}"])
        assert store.head(ENVIRONMENT) == head

    def test_a_head_that_no_store_returned(self, store: Store) -> None:
        head = publish(store, "a")
        for made_up in (replace(head, number=0, events=0, last_hash=NO_EVENT), replace(head, digest=None)):
            with pytest.raises(HeadMoved):
                store.append_events(made_up, [b"{}"])
        assert store.head(ENVIRONMENT) == head

    def test_a_generation_that_was_not_written(self, store: Store) -> None:
        head = publish(store, "a")
        with pytest.raises(MissingBlobs):
            store.swap_head(head, number=2, digest=name(b"unwritten"), events=[b"{}"])
        assert store.head(ENVIRONMENT) == head
        assert len(store.events(ENVIRONMENT)) == 1

    def test_reading_only(self, place: Place, store: Store) -> None:
        head = publish(store, "a")
        with closing(place.open(read_only=True)) as reader:
            assert reader.head(ENVIRONMENT) == head
            assert read_whole(reader) == 1
            with pytest.raises(StoreUnavailable, match="reading only"):
                reader.write_missing({name(b"1"): b"1"})
            with pytest.raises(StoreUnavailable, match="reading only"):
                reader.append_events(head, [b"{}"])

    # The second gate; without a store for each value, which takes its time on a server

    def test_environment_names(self, store: Store) -> None:
        values: list[Any] = ["", "a\0b", "a b", "ção", "-a", "a/b", "a\n", "\ud800", "x" * 64, None, 7, b"production"]
        for environment in values:
            with pytest.raises(InvalidValue):
                store.head(environment)
            with pytest.raises(InvalidValue):
                store.stands_at(environment, "0" * 64)
            with pytest.raises(InvalidValue):
                store.events(environment)
            with pytest.raises(InvalidValue):
                store.generation(environment, 1)
            with pytest.raises(InvalidValue):
                store.append_events(Head(store.identity(), environment), [b"{}"])

    def test_digests(self, store: Store) -> None:
        values: list[Any] = [
            "",
            "0" * 63,
            "0" * 65,
            "A" * 64,
            "g" * 64,
            "0" * 63 + "\n",
            "sha256:" + "0" * 64,
            None,
            b"0" * 64,
        ]
        for digest in values:
            head = store.head(ENVIRONMENT)
            with pytest.raises(InvalidValue):
                store.stands_at(ENVIRONMENT, digest)
            with pytest.raises(InvalidValue):
                store.read([digest])
            with pytest.raises(InvalidValue):
                store.write_missing({digest: b""})
            with pytest.raises(InvalidValue):
                store.swap_head(head, number=1, digest=digest, events=[b"{}"])
            with pytest.raises(InvalidValue):
                store.append_events(replace(head, last_hash=digest), [b"{}"])

    def test_numbers(self, store: Store) -> None:
        values: list[Any] = [0, -1, 2**63, 2**70, True, 1.0, "1", None]
        for number in values:
            head = store.head(ENVIRONMENT)
            with pytest.raises(InvalidValue):
                store.swap_head(head, number=number, digest="0" * 64, events=[b"{}"])
            with pytest.raises(InvalidValue):
                store.generation(ENVIRONMENT, number)
            if number != 0:
                with pytest.raises(InvalidValue):
                    store.events(ENVIRONMENT, after=number)
                with pytest.raises(InvalidValue):
                    store.append_events(replace(head, events=number), [b"{}"])

    def test_page_sizes(self, store: Store) -> None:
        values: list[Any] = [0, -1, MAX_PAGE + 1, None]
        for limit in values:
            with pytest.raises(InvalidValue):
                store.events(ENVIRONMENT, limit=limit)
            with pytest.raises(InvalidValue):
                store.generations(ENVIRONMENT, limit=limit)

    def test_blobs_out_of_bounds(self, store: Store) -> None:
        values: list[Any] = [b"x" * (MAX_VALUE_BYTES + 1), "text", None, 7]
        for content in values:
            with pytest.raises(InvalidValue, match="at most"):
                store.write_missing({"0" * 64: content})

    def test_a_blob_under_a_false_name(self, store: Store) -> None:
        with pytest.raises(InvalidValue, match="another digest"):
            store.write_missing({name(b"one"): b"one", name(b"two"): b"three"})
        with pytest.raises(MissingBlobs):
            store.read([name(b"one")])

    @pytest.mark.case("D-35")
    def test_payloads_of_events(self, store: Store) -> None:
        values: list[Any] = [
            b"",
            b"[]",
            b'"text"',
            b"null",
            b'{"a": 1}',
            b'{"b":1,"a":2}',
            b'{"a":1,"a":2}',
            b'{"a":NaN}',
            b'{"a":1e999}',
            b'{"a":Infinity}',
            b'{"a":1180591620717411303424}',
            b'{"a":"\\ud800"}',
            b'{"a":"\xff"}',
            b'{"a":"\\u0000"}',
            b'{"a":"\\\\\\u0000"}',
            '{"a":1}'.encode("utf-16"),
            b'\xef\xbb\xbf{"a":1}',
            b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            b'{"a":"' + b"x" * MAX_VALUE_BYTES + b'"}',
            "{}",
            None,
        ]
        for payload in values:
            with pytest.raises(InvalidValue) as caught:
                store.append_events(store.head(ENVIRONMENT), [b"{}", payload])
            assert isinstance(caught.value, RefusedError)
            assert store.head(ENVIRONMENT).events == 0

    def test_a_written_backslash_is_no_escape(self, store: Store) -> None:
        head = store.append_events(
            store.head(ENVIRONMENT), [rb'{"a":"C:\\u0000","\u00e7":"x"}'.replace(rb"\u00e7", "ç".encode())]
        )
        assert json.loads(store.events(ENVIRONMENT)[0].payload) == {"a": "C:\\u0000", "ç": "x"}
        assert head.events == 1

    def test_a_change_without_an_event(self, store: Store) -> None:
        with pytest.raises(InvalidValue, match="at least one event"):
            store.append_events(store.head(ENVIRONMENT), [])

    # At the same time

    @pytest.mark.case("D-07")
    def test_sixteen_threads_and_one_winner(self, store: Store) -> None:
        threads, rounds = 16, 3
        for _ in range(rounds):
            start = threading.Barrier(threads)
            head = store.head(ENVIRONMENT)
            outcomes: list[Head | HeadMoved] = []

            def swap(publisher: int, start: threading.Barrier, head: Head, outcomes: list[Head | HeadMoved]) -> None:
                digest, blobs = generation(head, str(publisher))
                store.write_missing(blobs)
                start.wait(30)
                try:
                    outcomes.append(
                        store.swap_head(head, number=head.number + 1, digest=digest, events=[event(head, digest)])
                    )
                except HeadMoved as error:
                    outcomes.append(error)

            racing = [threading.Thread(target=swap, args=(i, start, head, outcomes)) for i in range(threads)]
            for thread in racing:
                thread.start()
            for thread in racing:
                thread.join(60)
            won = [outcome for outcome in outcomes if isinstance(outcome, Head)]
            lost = [outcome.found for outcome in outcomes if isinstance(outcome, HeadMoved)]
            assert won == [store.head(ENVIRONMENT)]
            assert lost == won * (threads - 1)
        invariant(store, acknowledged=rounds, attempted=rounds)

    @pytest.mark.case("D-07")
    def test_four_processes_and_one_winner(self, place: Place, store: Store) -> None:
        processes, rounds = 4, 12
        with ExitStack() as stack:
            racing = [
                stack.enter_context(
                    subprocess.Popen(
                        [*PROGRAM, "race", place.dump()],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        env=OPSMAIL,
                        text=True,
                        bufsize=1,
                    )
                )
                for _ in range(processes)
            ]
            for number in range(1, rounds + 1):
                assert _tell(racing, "prepare") == ["ready"] * processes
                assert sorted(_tell(racing, "go")) == [f"moved {number}"] * (processes - 1) + [f"won {number}"]
        invariant(store, acknowledged=rounds, attempted=rounds)

    @pytest.mark.case("D-13")
    def test_a_publisher_that_was_stopped_meanwhile(self, place: Place, store: Store) -> None:
        with subprocess.Popen(
            [*PROGRAM, "race", place.dump()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=OPSMAIL,
            text=True,
            bufsize=1,
        ) as stopped:
            assert _tell([stopped], "prepare") == ["ready"]
            stopped.send_signal(signal.SIGSTOP)
            try:
                publish(store, "another")
            finally:
                stopped.send_signal(signal.SIGCONT)
            assert _tell([stopped], "go") == ["moved 1"]
        invariant(store, acknowledged=1, attempted=1)

    @pytest.mark.case("D-12")
    def test_publishers_killed_at_random_moments(self, place: Place, store: Store) -> None:
        publish(store, "first")
        seed = int.from_bytes(os.urandom(4))
        done = subprocess.run(
            [*PROGRAM, "kill", place.dump(), str(self.kills), str(seed)],
            capture_output=True,
            check=False,
            env=OPSMAIL,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, ""), f"seed {seed}\n{done.stderr}"
        report = json.loads(done.stdout)
        assert report["reader"] == 0
        # Most kills hit a publish at work, or they would show nothing.
        assert report["interrupted"] >= self.kills // 2, report
        invariant(store, acknowledged=report["acknowledged"], attempted=report["attempted"])
        # And nobody has to clean up after them.
        last = publish(store, "last").number
        assert report["acknowledged"] < last <= report["attempted"] + 1
        invariant(store, acknowledged=last, attempted=last)


def _tell(processes: list[subprocess.Popen[str]], word: str) -> list[str]:
    """Send `word` to all, then take a line from each."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(word + "\n")
    answers = []
    for process in processes:
        assert process.stdout is not None
        answers.append(process.stdout.readline().strip())
    return answers
