"""Trying again: what may pass is, what could lock an account or send twice never; all within one deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from opsmail.live.result import Outcome
from opsmail.live.retries import WAITS, pause_before
from opsmail.mail.failure import Stage
from tests.hostile.peer import GOOD, Answer, Connection
from tests.unit.fleets import operator
from tests.unit.live.running import SECOND, Vault, catalogue, live, run
from tests.unit.live.test_engine import live_threads
from tests.unit.servers import server

SOON = (0.01,)
RETRIES = "retries = 3"


def twice(step: str, act: Answer) -> Callable[[Connection], None]:
    """Does `act` two times, then what a well-behaved server does at this step."""
    lock, done = threading.Lock(), [0]

    def answer(connection: Connection) -> None:
        with lock:
            done[0] += 1
            over = done[0] > 2
        if over:
            connection.say(GOOD.get(step, b""))
        elif isinstance(act, bytes):
            connection.say(act)
        else:
            act(connection)

    return answer


class TestWhatIsTriedAgain:
    @pytest.mark.case("M-22", "M-23")
    @pytest.mark.parametrize(
        ("step", "act"),
        [
            ("banner", b"421 4.3.2 try later\r\n"),
            ("banner", Connection.reset),
            ("EHLO", Connection.close),
            ("handshake", Connection.close),
            ("MAIL", b"432 4.3.2 too many connections\r\n"),
            ("RCPT", b"451 4.7.1 greylisted\r\n"),
            ("DATA", Connection.close),
            ("content", b"451 4.3.0 later\r\n"),
        ],
    )
    def test_and_passes(self, step: str, act: Answer) -> None:
        with server({step: twice(step, act)}) as running:
            result = run(catalogue(running, live=RETRIES), operator("rh"), waits=SOON)["rh"]
        assert (result.outcome, result.failure, result.attempts) == (Outcome.PASSED, None, 3)
        assert result.stages[-1].stage is Stage.SEND
        assert any(line.startswith("*: attempt 2, after 0.0") for line in result.transcript)
        assert f"Message-ID: {result.message_id}".encode() in running.peer.said(secure=True)

    @pytest.mark.case("M-22", "M-23")
    def test_so_often_and_no_more(self) -> None:
        with server({"RCPT": b"451 4.3.0 later\r\n"}) as running:
            result = run(catalogue(running, live="retries = 2"), operator("rh"), waits=SOON)["rh"]
        assert (result.outcome, result.attempts, running.peer.connections) == (Outcome.INCONCLUSIVE, 3, 3)

    def test_a_login_that_is_refused_the_second_time_is_the_last(self) -> None:
        """The first attempt logged in; the password was changed meanwhile."""

        def login(connection: Connection) -> None:
            connection.say(GOOD["AUTH"] if running.peer.connections == 1 else b"535 5.7.8 no\r\n")

        with server({"AUTH": login, "RCPT": b"451 4.3.0 later\r\n"}) as running:
            result = run(catalogue(running, live=RETRIES), operator("rh"), waits=SOON)["rh"]
        assert (result.outcome, result.attempts) == (Outcome.FAILED, 2)


class TestWhatIsNot:
    @pytest.mark.parametrize(
        ("step", "act"),
        [
            ("AUTH", b"535 5.7.8 no\r\n"),
            ("AUTH", b"454 4.7.0 temporary authentication failure\r\n"),
            ("AUTH", b"421 4.7.0 too many\r\n"),
            ("AUTH", Connection.close),
            ("content", Connection.close),  # it may have taken the message
            ("content", Connection.reset),
            ("MAIL", b"550 5.7.1 no\r\n"),
            ("banner", b"garbage\r\n"),
        ],
    )
    def test_one_attempt(self, step: str, act: Answer) -> None:
        with server({step: act}) as running:
            result = run(catalogue(running, live=RETRIES), operator("rh"), waits=SOON)["rh"]
        assert result.outcome is not Outcome.PASSED
        assert (result.attempts, running.peer.connections) == (1, 1)

    def test_a_secret_that_does_not_resolve(self) -> None:
        vault = Vault("")
        with server() as running:
            result = run(catalogue(running, live=RETRIES), operator("rh"), vault=vault, waits=SOON)["rh"]
        assert (result.attempts, len(vault.asked)) == (1, 1)

    @pytest.mark.case("M-23")
    def test_what_would_end_after_the_deadline(self) -> None:
        """What the server said is worth more than that the time was over."""
        with server({"MAIL": b"451 4.3.0 later\r\n"}) as running:
            approved = catalogue(running, live=RETRIES, seconds=5)
            started = time.monotonic()
            result = run(approved, operator("rh"), waits=(60.0,))["rh"]
        assert time.monotonic() - started < 5
        assert result.failure is not None
        assert (result.attempts, str(result.failure.reply)) == (1, "451 4.3.0 later")


class TestWaiting:
    def test_is_longer_each_time_and_never_the_same(self) -> None:
        for attempt, middle in zip((2, 3, 4, 5), (*WAITS, WAITS[-1]), strict=True):
            pauses = {pause_before(attempt) for _ in range(50)}
            assert len(pauses) > 40
            assert all(0.5 * middle <= pause <= 1.5 * middle for pause in pauses)

    def test_ends_when_the_run_does(self) -> None:
        with server() as quick, server({"MAIL": b"451 4.3.0 later\r\n"}) as busy:
            approved = catalogue(quick, busy, live=RETRIES, seconds=600)
            asked = [operator("a"), operator("b", server=SECOND)]
            with closing(live(approved, waits=(100.0,)).run(asked)) as results:
                assert next(results).operator == "a"
                started = time.monotonic()
            assert time.monotonic() - started < 1
        assert live_threads() == []
