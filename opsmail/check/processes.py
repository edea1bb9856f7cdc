"""Work shared out to processes: forked ones, that inherit what was prepared and hand back plain bytes.

The pieces are numbered, and the numbers wait in a pipe from which each process takes the next, so that a core that is
busy with something else does fewer. What a process could not do, because it was killed or failed, is done again here:
processes make work faster, and decide nothing.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, NoReturn

#: As many numbers as fit a pipe of any system (Linux and macOS have 16 KiB and more).
MOST_PIECES = 4000
_NUMBER = struct.Struct("!H")
#: Before each result: the number of the piece and the length of what was made of it.
_HEADER = struct.Struct("!HI")
_READ = 1 << 16
#: What a terminal or a supervisor ends a process by; Windows has not all of them, and forks no process.
_SIGNALS = frozenset(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def usable_cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def can_fork() -> bool:
    """Whether a copy of this process would work: there is such a thing here, and no other thread that it would lack."""
    return hasattr(os, "fork") and len(sys._current_frames()) == 1  # noqa: SLF001 - `threading` does not know them all


def shared_out(pieces: int, work: Callable[[int], bytes], jobs: int) -> Iterator[bytes]:
    """Yield what `work` makes of each number from 0, in their order.

    Args:
        pieces: how many there are, at most `MOST_PIECES`.
        work: from a number to bytes; must not depend on the order in which it is called.
        jobs: how many processes to share it out to; with one, all is done here.
    """
    if jobs < 2 or pieces < 2 or not can_fork():
        yield from map(work, range(pieces))
        return
    workers: list[_Worker] = []
    try:
        _start(workers, pieces, work, min(jobs, pieces))
        yield from _in_order(pieces, work, _results(workers))
    finally:
        _end(workers)


class _Worker(NamedTuple):
    """A process, and the end of the pipe from which its results are read."""

    process: int
    results: int


def _start(workers: list[_Worker], pieces: int, work: Callable[[int], bytes], jobs: int) -> None:
    """Start processes and add them to `workers`; fewer, or none, where the system refuses."""
    # What waits to be written would otherwise be written by each of them too.
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    numbers, queue = os.pipe()
    try:
        os.write(queue, b"".join(map(_NUMBER.pack, range(pieces))))
        with contextlib.suppress(OSError):
            for _ in range(jobs):
                _fork(workers, work, numbers, queue)
    finally:
        os.close(queue)
        os.close(numbers)


def _fork(workers: list[_Worker], work: Callable[[int], bytes], numbers: int, queue: int) -> None:
    results, out = os.pipe()
    try:
        with _undisturbed():
            process = os.fork()
            if not process:  # pragma: no cover - the new process is not measured; `_live` is tried by itself
                # Ends of pipes that are open here would keep the others from noticing when the reader is gone.
                _live(work, numbers, out, (queue, results, *(worker.results for worker in workers)))
            workers.append(_Worker(process, results))
    except OSError:
        os.close(results)
        raise
    finally:
        os.close(out)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let signals wait, so that no process is forgotten that was just started or is being ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _live(work: Callable[[int], bytes], numbers: int, out: int, foreign: Iterable[int]) -> NoReturn:
    """Be a worker, to the end of the process."""
    try:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        for descriptor in foreign:
            os.close(descriptor)
        serve(work, numbers, out)
    except BaseException:  # noqa: BLE001, S110 - whatever it is, it happens again where it can be told, see `shared_out`
        pass
    finally:
        os._exit(0)


def serve(work: Callable[[int], bytes], numbers: int, out: int) -> None:
    """Do pieces until there are no more.

    Args:
        work: from a number to bytes.
        numbers: the pipe that the numbers come from.
        out: the pipe that results go to.
    """
    while taken := os.read(numbers, _NUMBER.size):
        (number,) = _NUMBER.unpack(taken)
        made = work(number)
        rest = memoryview(_HEADER.pack(number, len(made)) + made)
        while rest:
            rest = rest[os.write(out, rest) :]


def _results(workers: Iterable[_Worker]) -> Iterator[tuple[int, bytes]]:
    """Yield the numbers of pieces and what was made of them, as they come."""
    unfinished = {worker.results: bytearray() for worker in workers}
    with selectors.DefaultSelector() as selector:
        for descriptor in unfinished:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                read = os.read(key.fd, _READ)
                if not read:
                    selector.unregister(key.fd)  # it is done, or dead
                    continue
                unfinished[key.fd] += read
                yield from _whole(unfinished[key.fd])


def _whole(received: bytearray) -> Iterator[tuple[int, bytes]]:
    """Yield the results that have been received to their ends, and take them out."""
    while len(received) >= _HEADER.size:
        number, length = _HEADER.unpack_from(received)
        end = _HEADER.size + length
        if len(received) < end:
            return
        yield number, bytes(received[_HEADER.size : end])
        del received[:end]


def _in_order(pieces: int, work: Callable[[int], bytes], results: Iterator[tuple[int, bytes]]) -> Iterator[bytes]:
    early: dict[int, bytes] = {}
    for wanted in range(pieces):
        while wanted not in early:
            number, made = next(results, (wanted, None))
            early[number] = work(number) if made is None else made
        yield early.pop(wanted)


def _end(workers: Iterable[_Worker]) -> None:
    """Leave no process behind, whether it has finished or not."""
    with _undisturbed():
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.process, signal.SIGKILL)
        for worker in workers:
            os.close(worker.results)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(worker.process, 0)
