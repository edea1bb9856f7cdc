"""How long `opsmail test` takes for a fleet, beside what one could use instead, against the same server in one run.

`python -m benchmarks.live [--write]`: test sends with STARTTLS and a login to a server on this machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import trustme

from opsmail.evidence.keys import SigningKey
from opsmail.live.shards import Shard

_HERE = Path(__file__).resolve().parent
_RESULTS = _HERE / "LIVE.md"
_THREADS = 16
_PASSWORD = "s3nh4"  # noqa: S105 - of made-up accounts
_SETTINGS = """\
[[servers]]
host = "mail.empresa.com.br"
connections = ["587/starttls"]
authentication = ["basic"]
secrets = ["env://OPSMAIL_SECRET_{{OPERATOR}}"]
ca = "ca.pem"
address = "127.0.0.1:{port}"

[live]
recipient = "teste@empresa.com.br"
concurrency = {threads}
per_host = {threads}

[[gate.keys]]
file = "ci.pub.pem"
kinds = ["test-send"]
"""
_OPERATOR = """\
version: 1
operator: {id}
role: {role}
sender: {{address: {id}@empresa.com.br}}
server: {{host: mail.empresa.com.br, port: 587, encryption: starttls}}
authentication: {{type: basic, username: {id}@empresa.com.br, password: "env://OPSMAIL_SECRET_{variable}"}}
"""


@dataclass(frozen=True)
class Place:
    """Where it is measured.

    Args:
        root: a repository with a fleet.
        port: of the server.
        count: how many operators there are.
        environment: with their passwords and a signing key.
    """

    root: Path
    port: int
    count: int
    environment: dict[str, str]


@dataclass(frozen=True)
class Rate:
    """What one way of sending reached.

    Args:
        name: as the table shows it.
        sends: how many were made.
        seconds: how long they took.
        cpu: seconds of the processor that the senders took.
        memory: the process's peak in MiB; None where there were many.
    """

    name: str
    sends: int
    seconds: float
    cpu: float
    memory: float | None = None

    @property
    def throughput(self) -> float:
        """Sends per second."""
        return self.sends / self.seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, and write them where that was asked for."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="opsmail-bench-") as folder, _place(Path(folder), options.count) as place:
        rates = list(_measured(place, options.repeat, options.sample))
    lines = [*_table(rates), "", *_verdicts(rates), "", *_split()]
    print("\n".join(lines))
    if options.write:
        _RESULTS.write_text("\n".join([*_heading(options), *lines, ""]), encoding="utf-8")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="operators [default: 500]")
    parser.add_argument("--sample", type=int, default=40, help="sends by swaks [default: 40]")
    parser.add_argument("--repeat", type=int, default=3, help="runs of the others; the best counts [default: 3]")
    parser.add_argument("--write", action="store_true", help=f"write the tables to {_RESULTS.name}")
    return parser.parse_args(arguments)


@contextmanager
def _place(root: Path, count: int) -> Iterator[Place]:
    """Run the server and write a fleet for it; every message must have arrived in the end."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(root / "ca.pem")
    authority.issue_cert("mail.empresa.com.br", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        root / "server.pem"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sink", root / "server.pem"],
        cwd=_HERE.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        port = int(server.stdout.readline()) if server.stdout is not None else 0
        try:
            yield _fleet(root, port, count)
        finally:
            arrived, _ = server.communicate(timeout=30)
            print(f"the server took {arrived.strip()} messages", file=sys.stderr)


def _fleet(root: Path, port: int, count: int) -> Place:
    key = SigningKey.generate()
    (root / "opsmail.toml").write_text(_SETTINGS.format(port=port, threads=_THREADS), encoding="utf-8")
    (root / "ci.pub.pem").write_text(key.public.pem(), encoding="utf-8")
    (root / ".gitignore").write_text(".opsmail/\nserver.pem\n", encoding="utf-8")
    (root / "operators").mkdir()
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}, "OPSMAIL_SIGNING_KEY": key.pem()}
    for number in range(count):
        name = f"op-{number:04}"
        variable = name.upper().replace("-", "_")
        environment[f"OPSMAIL_SECRET_{variable}"] = _PASSWORD
        role = "standard" if number else "master"
        text = _OPERATOR.format(id=name, role=role, variable=variable)
        (root / "operators" / f"{name}.yaml").write_text(text, encoding="utf-8")
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@empresa.com.br"]
    for command in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message", "fleet"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    return Place(root, port, count, environment)


def _measured(place: Place, repeat: int, sample: int) -> Iterator[Rate]:
    """Yield the best of each way. They take turns, so that what else the machine does hits all of them."""
    ours, bare = [], []
    for _ in range(repeat):
        ours.append(_opsmail(place))
        bare.append(_bare(place))
    yield max(ours, key=lambda rate: rate.throughput)
    yield max(bare, key=lambda rate: rate.throughput)
    if shutil.which("swaks"):
        yield _swaks(place, sample, 1)
        yield _swaks(place, sample * 2, _THREADS)


def _opsmail(place: Place) -> Rate:
    """The whole command: reading, checking, sending, signing, writing."""
    with (place.root / "results.txt").open("wb") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "opsmail", "test", "--all", "--commit", "HEAD"],
            cwd=place.root,
            env=place.environment,
            stdout=output,
            stderr=output,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        end = (place.root / "results.txt").read_text(encoding="utf-8")[-2000:]
        raise SystemExit(f"opsmail test ended with {process.returncode}:\n{end}")
    return Rate("one `opsmail test`", place.count, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _bare(place: Place) -> Rate:
    command = [sys.executable, "-m", "benchmarks.bare", str(place.port), str(place.root / "ca.pem")]
    before = _cpu_of_children()
    done = subprocess.run(
        [*command, str(place.count), str(_THREADS)], cwd=_HERE.parent, check=True, capture_output=True, text=True
    )
    return Rate(
        f"smtplib in {_THREADS} threads, the sends alone", place.count, float(done.stdout), _cpu_of_children() - before
    )


def _swaks(place: Place, sample: int, at_once: int) -> Rate:
    """A process for each send, as a shell script would; swaks is not even asked to verify the certificate."""

    def send(number: int) -> None:
        account = f"op-{number:04}@empresa.com.br"
        command = ["swaks", "--server", "127.0.0.1", "--port", str(place.port), "--tls", "--hide-all"]
        login = ["--auth", "PLAIN", "--auth-user", account, "--auth-password", _PASSWORD]
        subprocess.run([*command, *login, "--from", account, "--to", "teste@empresa.com.br"], check=True)

    started, before = time.monotonic(), _cpu_of_children()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(send, range(sample)))
    way = "one after the other" if at_once == 1 else f"{at_once} at once"
    return Rate(
        f"one `swaks` a send, {way} (a sample)", sample, time.monotonic() - started, _cpu_of_children() - before
    )


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _table(rates: Sequence[Rate]) -> list[str]:
    lines = ["| way | sends | seconds | of the processor | sends/s | MiB |", "|---|---:|---:|---:|---:|---:|"]
    for rate in rates:
        memory = "" if rate.memory is None else f"{rate.memory:.0f}"
        lines.append(
            f"| {rate.name} | {rate.sends} | {rate.seconds:.2f} | {rate.cpu:.2f} | {rate.throughput:.1f} | {memory} |"
        )
    return lines


def _verdicts(rates: Sequence[Rate]) -> list[str]:
    ours, bare, *swaks = rates
    lines = ["| figure | reached | target |", "|---|---:|---:|"]
    if swaks:
        lines.append(
            f"| times the throughput of one `swaks` a send | {ours.throughput / swaks[0].throughput:.1f} | 5 |"
        )
    lines.append(f"| share of the throughput of bare smtplib | {ours.throughput / bare.throughput:.2f} | 0.8 |")
    lines.append(f"| memory in MiB, at most | {ours.memory:.0f} | 150 |")
    return lines


def _split() -> list[str]:
    names = [f"op-{number:06}" for number in range(100_000)]
    started = time.monotonic()
    Shard(1, 50).pick(names)
    seconds = time.monotonic() - started
    sizes = [len(Shard(number, 50).pick(names)) for number in (1, 17, 34, 50)]
    return [f"100,000 operators in 50 shards: split in {seconds:.2f} s; shards of {min(sizes):,} to {max(sizes):,}."]


def _heading(options: argparse.Namespace) -> list[str]:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return [
        "# Live tests",
        "",
        f"Written by `python -m benchmarks.live --write`: {options.count} operators, each with a login over STARTTLS,",
        f"to a server (aiosmtpd {version('aiosmtpd')}) in a process of its own on this machine; the best of",
        f"{options.repeat} runs. opsmail's time is that of the whole command, from reading the commit to signed",
        "evidence. Of `swaks` a bounded sample was sent and its throughput taken for that of all. What counts is the",
        "ratios.",
        "",
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {python}.",
        "",
    ]


if __name__ == "__main__":
    main()
