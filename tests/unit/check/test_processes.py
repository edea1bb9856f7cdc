"""Work that is shared out to processes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opsmail.check import processes
from opsmail.check.processes import MOST_PIECES, can_fork, serve, shared_out, usable_cores


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner of parallel tests has a thread of its own that a copy of the process can do without."""
    monkeypatch.setattr(processes, "can_fork", lambda: True)


def own_process(number: int) -> bytes:
    return f"{number} {os.getpid()}".encode()


class Counted:
    """Makes pipes, and remembers their ends."""

    def __init__(self, pipe: Callable[[], tuple[int, int]]) -> None:
        self.ends: list[int] = []
        self._pipe = pipe

    def __call__(self) -> tuple[int, int]:
        both = self._pipe()
        self.ends += both
        return both


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.usefixtures("alone")
class TestForked:
    def test_results_come_in_order_and_from_other_processes(self) -> None:
        made = [item.split() for item in shared_out(50, own_process, 2)]
        assert [int(number) for number, _ in made] == list(range(50))
        assert str(os.getpid()).encode() not in {process for _, process in made}

    def test_results_may_be_large(self) -> None:
        assert [len(item) for item in shared_out(5, lambda number: bytes(number * 300_000), 2)] == [
            number * 300_000 for number in range(5)
        ]

    def test_as_many_pieces_as_promised(self) -> None:
        assert list(shared_out(MOST_PIECES, lambda number: b"%d" % number, 3))[-1] == b"%d" % (MOST_PIECES - 1)

    def test_what_a_killed_process_left_is_done_here(self) -> None:
        parent = os.getpid()

        def work(number: int) -> bytes:
            if number == 3 and os.getpid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
            return own_process(number)

        made = [item.split() for item in shared_out(20, work, 2)]
        assert [int(number) for number, _ in made] == list(range(20))
        assert made[3][1] == str(parent).encode()

    def test_all_of_it_where_all_are_killed(self) -> None:
        parent = os.getpid()

        def work(number: int) -> bytes:
            if os.getpid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
            return own_process(number)

        assert [int(item.split()[0]) for item in shared_out(9, work, 2)] == list(range(9))

    def test_what_fails_there_fails_here(self) -> None:
        def work(number: int) -> bytes:
            raise LookupError(number)

        with pytest.raises(LookupError, match="0"):
            list(shared_out(4, work, 2))

    def test_nobody_is_left_when_only_a_part_is_wanted(self, tmp_path: Path) -> None:
        def work(number: int) -> bytes:
            (tmp_path / str(os.getpid())).touch()
            if number > 2:
                signal.pause()
            return b""

        some = shared_out(10, work, 2)
        assert next(some) == b""
        some.close()  # type: ignore[attr-defined]  # it is a generator
        for process in tmp_path.iterdir():
            with pytest.raises(ChildProcessError):
                os.waitpid(int(process.name), 0)

    def test_without_a_second_process_the_first_does_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fork, calls = os.fork, iter((True, False))

        def rarely() -> int:
            if not next(calls):
                raise BlockingIOError
            return fork()

        monkeypatch.setattr(os, "fork", rarely)
        assert len({item.split()[1] for item in shared_out(6, own_process, 4)}) == 1

    def test_without_any_all_is_done_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def never() -> int:
            raise BlockingIOError

        monkeypatch.setattr(os, "fork", never)
        monkeypatch.setattr(os, "pipe", counted := Counted(os.pipe))
        assert {item.split()[1] for item in shared_out(6, own_process, 2)} == {str(os.getpid()).encode()}
        assert len(counted.ends) == 4
        for end in counted.ends:
            with pytest.raises(OSError, match="descriptor"):
                os.fstat(end)

    def test_a_closed_standard_stream_is_no_hindrance(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stderr", None)
        assert len(list(shared_out(3, own_process, 2))) == 3


@pytest.mark.parametrize(("pieces", "jobs"), [(5, 1), (1, 4), (0, 4)])
def test_little_work_is_done_here(pieces: int, jobs: int) -> None:
    assert list(shared_out(pieces, own_process, jobs)) == [own_process(number) for number in range(pieces)]


def test_so_is_all_where_there_are_threads() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert not can_fork()
        assert list(shared_out(3, own_process, 2)) == [own_process(number) for number in range(3)]
    finally:
        done.set()
        thread.join()


def test_so_is_all_where_processes_cannot_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    assert not can_fork()


def test_cores_are_those_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 5, 7}, raising=False)
    assert usable_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1


@pytest.fixture
def pipe() -> Iterator[Callable[[], tuple[int, int]]]:
    ends: list[int] = []

    def made() -> tuple[int, int]:
        both = os.pipe()
        ends.extend(both)
        return both

    yield made
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue  # a test closed it


class TestWorker:
    """A process of its own is not measured, so what one does is tried here too."""

    def test_it_takes_numbers_until_there_are_none(self, pipe: Callable[[], tuple[int, int]]) -> None:
        (numbers, queue), (results, out) = pipe(), pipe()
        os.write(queue, b"\0\1\0\7")
        os.close(queue)
        serve(lambda number: b"x" * number, numbers, out)
        assert os.read(results, 100) == b"\0\1\0\0\0\1x\0\7\0\0\0\7xxxxxxx"

    def test_it_ends_when_nobody_reads(self, pipe: Callable[[], tuple[int, int]]) -> None:
        (numbers, queue), (results, out) = pipe(), pipe()
        os.write(queue, b"\0\1")
        os.close(queue)
        os.close(results)
        with pytest.raises(BrokenPipeError):
            serve(lambda number: b"x", numbers, out)

    @pytest.mark.parametrize("fails", [False, True])
    def test_it_never_returns(
        self, fails: bool, pipe: Callable[[], tuple[int, int]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class EndError(BaseException):
            """Where the process would be gone."""

        def end(code: int) -> None:
            raise EndError(code)

        def work(number: int) -> bytes:
            if fails:
                raise KeyboardInterrupt
            return b"made"

        (numbers, queue), (results, out), (foreign, _) = pipe(), pipe(), pipe()
        os.write(queue, b"\0\0")
        os.close(queue)
        monkeypatch.setattr(os, "_exit", end)
        monkeypatch.setattr(signal, "pthread_sigmask", lambda how, signals: set())
        set_to: list[object] = []
        monkeypatch.setattr(signal, "signal", lambda number, handler: set_to.append(handler))
        with pytest.raises(EndError, match="0"):
            processes._live(work, numbers, out, (foreign,))
        assert set_to == [signal.SIG_DFL] * 3
        with pytest.raises(OSError, match="descriptor"):
            os.fstat(foreign)
        os.close(out)
        assert os.read(results, 100) == (b"" if fails else b"\0\0\0\0\0\4made")
