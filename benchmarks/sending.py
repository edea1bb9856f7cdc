"""The ways to make many test sends, and one run of each."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.place import AT_ONCE, PASSWORD, RECIPIENT, Senders, Server
from benchmarks.running import measure


@dataclass(frozen=True)
class Rate:
    """What one way of sending reached.

    Args:
        name: as the table shows it.
        sends: how many were made.
        wall: seconds that they took.
        cpu: seconds of the processor that the senders took.
        memory: the process's peak in MiB; None where there were many.
    """

    name: str
    sends: int
    wall: float
    cpu: float
    memory: float | None = None

    @property
    def throughput(self) -> float:
        """Sends per second."""
        return self.sends / self.wall

    @property
    def each(self) -> float:
        """Seconds of the processor for a send."""
        return self.cpu / self.sends


def opsmail(senders: Senders) -> Rate:
    """The whole command: reading, checking, sending, signing, writing."""
    shutil.rmtree(senders.root / ".opsmail", ignore_errors=True)
    wall, cpu, memory = measure(senders.command, senders.root, senders.environment)
    return Rate("one `opsmail test`", senders.count, wall, cpu, memory)


def bare(server: Server, count: int) -> Rate:
    """The sends alone, by what a script would use."""
    command = [sys.executable, "-m", "benchmarks.bare", str(server.port), str(server.folder / "ca.pem")]
    done = subprocess.run([*command, str(count), str(AT_ONCE)], check=True, capture_output=True, text=True)
    wall, cpu = map(float, done.stdout.split())
    return Rate(f"smtplib in {AT_ONCE} threads, the sends alone", count, wall, cpu)


def swaks(server: Server, sample: int) -> Iterator[Rate]:
    """A process for each send, as a shell script would, one after the other and at once; nothing where there is none.

    swaks is not even asked to verify the certificate.
    """
    if shutil.which("swaks") is None:
        return
    yield _swaks(server, sample, 1)
    yield _swaks(server, sample * 2, AT_ONCE)


def _swaks(server: Server, sample: int, at_once: int) -> Rate:
    def send(number: int) -> None:
        account = f"op-{number:04}@empresa.com.br"
        command = ["swaks", "--server", "127.0.0.1", "--port", str(server.port), "--tls", "--hide-all"]
        login = ["--auth", "PLAIN", "--auth-user", account, "--auth-password", PASSWORD]
        subprocess.run([*command, *login, "--from", account, "--to", RECIPIENT], check=True)

    started, before = time.perf_counter(), _cpu_of_children()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(send, range(sample)))
    way = "one after the other" if at_once == 1 else f"{at_once} at once"
    name = f"one `swaks` a send, {way} (a sample)"
    return Rate(name, sample, time.perf_counter() - started, _cpu_of_children() - before)


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
