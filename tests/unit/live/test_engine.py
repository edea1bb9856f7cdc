"""Many operators at once: turns, results as they come, defects, and an end in time."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest

from opsmail.live.engine import LiveTest, _Conversations
from opsmail.live.result import Outcome
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import Kind, StageError
from opsmail.mail.submission import Submission
from opsmail.mail.tls import TrustStores
from opsmail.operator.model import Limits
from opsmail.references import SecretReference
from opsmail.secrets import Secret, Secrets
from tests.hostile.peer import Connection
from tests.unit.fleets import HOST, operator, settings
from tests.unit.live.running import RECIPIENT, SECOND, catalogue, composed, live, run
from tests.unit.servers import server


class TestManyAtOnce:
    @pytest.mark.case("C-26")
    def test_so_many_conversations_with_one_server_and_one_with_a_mailbox(self) -> None:
        """Counted by the server: it holds each conversation until as many as may come are there."""
        lock = threading.Lock()
        now: Counter[str] = Counter()
        most: Counter[str] = Counter()
        both = threading.Barrier(2, timeout=10)

        def count(connection: Connection) -> None:
            with lock:
                now["host"] += 1
                most["host"] = max(most["host"], now["host"])
            both.wait()  # two at a time, always: that is also the proof that two are let in
            with lock:
                now["host"] -= 1
            connection.say(b"250 2.1.0 Ok\r\n")

        with server({"MAIL": count}) as running:
            approved = catalogue(running, live="per_host = 2\nconcurrency = 8")
            results = run(approved, *[operator(f"o{number}") for number in range(8)])
        assert {result.outcome for result in results.values()} == {Outcome.PASSED}
        assert most["host"] == 2

    @pytest.mark.case("C-26")
    def test_one_mailbox_is_used_by_one_at_a_time(self) -> None:
        lock = threading.Lock()
        open_now: list[int] = [0, 0]

        def enter(connection: Connection) -> None:
            with lock:
                open_now[0] += 1
                open_now[1] = max(open_now)
            connection.say(b"235 2.7.0 ok\r\n")

        def leave(connection: Connection) -> None:
            with lock:
                open_now[0] -= 1
            connection.say(b"221 bye\r\n")

        login = {"type": "basic", "username": "shared@empresa.test"}
        with server({"AUTH": enter, "QUIT": leave}) as running:
            subjects = [
                operator(name, authentication=login | {"password": f"env://OPSMAIL_SECRET_{name.upper()}"})
                for name in ("a", "b", "c", "d")
            ]
            results = run(catalogue(running), *subjects)
        assert {result.outcome for result in results.values()} == {Outcome.PASSED}
        assert open_now == [0, 1]

    @pytest.mark.case("C-26", "M-21")
    def test_a_login_that_was_refused_is_not_tried_for_others(self) -> None:
        """Three operators of one account with one password, and one that has another password for it."""
        shared = {"type": "basic", "username": "shared@empresa.test", "password": "env://OPSMAIL_SECRET_SHARED"}
        with server({"AUTH": b"535 5.7.8 no\r\n"}) as running:
            approved = catalogue(running, secret="env://OPSMAIL_SECRET_*")
            asked = [operator(name, authentication=shared) for name in "abc"]
            asked.append(operator("d", authentication=shared | {"password": "env://OPSMAIL_SECRET_OTHER"}))
            results = run(approved, *asked)
        assert [results[name].outcome.value for name in "abcd"] == ["failed", "skipped", "skipped", "failed"]
        assert str(results["b"].skipped) == "the same login has just been refused for `a`; once is enough"
        assert (results["b"].attempts, running.commands().count("AUTH")) == (0, 2)

    @pytest.mark.case("C-26")
    def test_ten_thousand_of_one_login_ask_once_when_it_is_refused(self) -> None:
        first = operator("o0")
        with server({"AUTH": b"535 5.7.8 no\r\n"}) as running:
            approved = catalogue(running, secret="env://*")
            results = list(live(approved).run([replace(first, operator=f"o{number}") for number in range(10_000)]))
            assert (running.peer.connections, running.commands().count("AUTH")) == (1, 1)
        assert Counter(result.outcome for result in results) == {Outcome.FAILED: 1, Outcome.SKIPPED: 9_999}

    def test_results_come_as_they_are_ready(self) -> None:
        """A slow server keeps nobody waiting who is at another one; each result is handed out at once."""
        first_is_out = threading.Event()

        def slow(connection: Connection) -> None:
            assert first_is_out.wait(10)
            connection.say(b"220 late\r\n")

        with server({"banner": slow}) as late, server() as quick:
            approved = catalogue(late, quick)
            order = []
            for result in live(approved).run([operator("a"), operator("b", server=SECOND)]):
                order.append(result.operator)
                first_is_out.set()
        assert order == ["b", "a"]
        assert first_is_out.is_set()

    def test_who_waits_for_results_is_not_kept_for_long(self) -> None:
        nothing_came = threading.Event()

        def late(connection: Connection) -> None:
            assert nothing_came.wait(10)
            connection.say(b"220 late\r\n")

        with server({"banner": late}) as running:
            batches = live(catalogue(running)).batches([operator("a")], patience=0.05)
            assert next(batches) == []
            nothing_came.set()
            (result,) = next(batch for batch in batches if batch)
            assert result.outcome is Outcome.PASSED
            assert list(batches) == []

    def test_a_silent_server_takes_its_own_time_only(self) -> None:
        with server({"banner": lambda connection: connection.hold()}) as silent, server() as quick:
            approved = catalogue(silent, quick, live="per_host = 1", seconds=1)
            started = time.monotonic()
            results = run(
                approved,
                operator("a"),
                *[operator(f"b{n}", server=SECOND) for n in range(5)],
            )
            took = time.monotonic() - started
        assert results["a"].failure is not None
        assert results["a"].failure.diagnosis.rule_id == "OM904"
        assert [results[f"b{n}"].outcome for n in range(5)] == [Outcome.PASSED] * 5
        assert took < 6

    def test_a_black_hole_delays_nobody_by_as_much_as_its_own_slot(self) -> None:
        """Five of a hundred are at a server that says nothing until all others are done, or their time is over."""
        all_others = threading.Event()
        order = []

        def silent(connection: Connection) -> None:
            all_others.wait(60)

        login = {"type": "none"}
        near = {"port": 25, "encryption": "none"}
        with server() as quick, server({"banner": silent}) as hole:
            asked = [
                operator(f"o{n}", server=near if n % 20 else near | SECOND, authentication=login) for n in range(100)
            ]
            for result in live(catalogue(quick, hole, live="per_host = 3\nconcurrency = 6", seconds=60)).run(asked):
                order.append(result.outcome)
                if len(order) == 95:
                    all_others.set()
        assert order[:95] == [Outcome.PASSED] * 95
        assert Outcome.PASSED not in order[95:]

    @pytest.mark.case("C-26")
    def test_a_mailbox_that_rests_is_waited_for(self) -> None:
        """Two messages of one account, whose operators allow ten a second."""
        with server() as running:
            asked = [
                operator(name, sender={"address": "shared@empresa.test"}, authentication={"type": "none"})
                for name in "ab"
            ]
            rested = [replace(item, limits=Limits(messages_per_minute=600)) for item in asked]
            started = time.monotonic()
            results = run(catalogue(running), *rested)
        assert {result.outcome for result in results.values()} == {Outcome.PASSED}
        assert time.monotonic() - started > 0.1

    def test_a_defect_in_one_ends_the_run_and_hangs_nobody(self) -> None:
        class Defective:
            def resolve(self, reference: SecretReference) -> Secret:
                raise ZeroDivisionError

        started = time.monotonic()
        with server({"MAIL": lambda connection: connection.hold()}) as silent, server() as quick:
            test = LiveTest(
                settings=catalogue(silent, quick),
                secrets=Secrets({"env": Defective()}),
                compose=composed,
                recipient=RECIPIENT,
            )
            none = {"type": "none"}
            subjects = [operator("a", authentication=none), operator("b", server=SECOND)]
            with pytest.raises(ZeroDivisionError):
                list(test.run(subjects))
        assert time.monotonic() - started < 5
        assert live_threads() == []

    def test_who_has_enough_ends_all_conversations(self) -> None:
        held = threading.Event()

        def hold(connection: Connection) -> None:
            held.set()
            connection.hold()

        with server() as quick, server({"banner": hold}) as silent:
            silents = [operator(f"s{n}", server=SECOND) for n in range(20)]
            with closing(live(catalogue(quick, silent)).run([operator("a"), *silents])) as results:
                assert next(results).operator == "a"
                assert held.wait(5)
                started = time.monotonic()
            assert time.monotonic() - started < 1
        assert live_threads() == []


class TestDeadline:
    def test_what_is_known_by_then_is_kept(self) -> None:
        """One server answers, one is silent; the others have not had their turn when the time is over."""
        silent_names = [f"s{number}" for number in range(5)]
        with server() as quick, server({"MAIL": lambda c: c.hold()}) as silent:
            approved = catalogue(quick, silent, live="per_host = 2\nconcurrency = 4")
            subjects = [operator("a"), *(operator(name, server=SECOND) for name in silent_names)]
            started = time.monotonic()
            results = run(approved, *subjects, seconds=1)
            assert time.monotonic() - started < 2
            assert live_threads() == []
        assert results["a"].outcome is Outcome.PASSED
        stopped = [results[name] for name in silent_names if results[name].failure is not None]
        late = [results[name] for name in silent_names if results[name].outcome is Outcome.SKIPPED]
        assert (len(stopped), len(late)) == (2, 3)
        assert {result.failure and result.failure.diagnosis.rule_id for result in stopped} == {"OM935"}
        assert {result.outcome for result in stopped} == {Outcome.INCONCLUSIVE}
        assert {str(result.skipped) for result in late} == {"the time for the run, 1 s, was over before its turn"}

    def test_mailboxes_that_rest_are_not_waited_for(self) -> None:
        with server() as running:
            slow = Limits(messages_per_minute=1)
            subjects = [replace(operator(name), limits=slow) for name in ("a", "b")]
            same = [replace(item, authentication=subjects[0].authentication) for item in subjects]
            approved = catalogue(running, secret="env://*")
            started = time.monotonic()
            results = run(approved, *same, seconds=1)
            assert time.monotonic() - started < 2
        assert [results[name].outcome for name in ("a", "b")] == [Outcome.PASSED, Outcome.SKIPPED]

    def test_time_that_is_enough_changes_nothing(self) -> None:
        with server() as running:
            assert run(catalogue(running), operator("rh"), seconds=60)["rh"].outcome is Outcome.PASSED


class TestInterruption:
    @pytest.mark.parametrize("where", ["banner", "AUTH", "MAIL"])
    def test_ctrl_c_ends_within_a_second(self, where: str) -> None:
        """In the main thread, while workers wait for a server that says nothing."""
        interrupted: list[float] = []

        def hold(connection: Connection) -> None:
            if not interrupted:
                interrupted.append(time.monotonic())
                press_ctrl_c()
            connection.hold()

        subjects = [operator(f"o{number}") for number in range(20)]
        with server({where: hold}) as silent, pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the end is timed inside
            try:
                list(live(catalogue(silent)).run(subjects))
            finally:
                assert time.monotonic() - interrupted[0] < 1
                assert live_threads() == []

    def test_also_while_a_connection_is_not_even_accepted(self) -> None:
        """A server whose queue is full answers no SYN: `connect` hangs, not `recv`."""
        with socket.socket() as full, ExitStack() as waiting:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = full.getsockname()
            for _ in range(4):
                knocking = waiting.enter_context(socket.socket())
                knocking.setblocking(False)
                knocking.connect_ex(address)
            approved = settings(
                f'[[servers]]\nhost = "{HOST}"\nconnections = ["587/starttls"]\nauthentication = ["none"]\n'
                f'address = "127.0.0.1:{address[1]}"\n'
            )
            timer = threading.Timer(0.3, press_ctrl_c)
            timer.start()
            started = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                list(live(approved).run([operator("rh", authentication={"type": "none"})]))
            assert time.monotonic() - started < 1.3
            assert live_threads() == []

    def test_what_begins_when_all_is_over_ends_at_once(self) -> None:
        with server() as running:
            conversations = _Conversations()
            conversations.stop()
            submission = Submission(Endpoint.of(catalogue(running).effective(operator("rh"))), TrustStores())
            with conversations.going(submission), submission:
                submission.resolve()
                with pytest.raises(StageError) as caught:
                    submission.connect()
            assert caught.value.kind is Kind.ABORTED


def live_threads() -> list[str]:
    """The threads of a run that do not end by themselves; one that was just being started may take a moment."""
    found = [thread for thread in threading.enumerate() if thread.name.startswith("live")]
    for thread in found:
        thread.join(1)
    return [thread.name for thread in found if thread.is_alive()]


def press_ctrl_c() -> None:
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)
