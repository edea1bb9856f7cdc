"""How `opsmail test` does with a fleet, beside what one could use instead, against the same server in the same run."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.dead import delay
from benchmarks.live_results import LIVE, Reached, report
from benchmarks.place import Server, running_server, write_senders
from benchmarks.sending import Rate, bare, opsmail, swaks
from benchmarks.split import split


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, and write them where that was asked for."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="opsmail-bench-") as name:
        folder = Path(name)
        with running_server(folder) as server:
            ours, other = _rates(folder, server, options.sends, options.repeat)
            processes = list(swaks(server, options.sample))
            late = delay(folder, server)
    text = report(Reached(ours, other, processes, late, split()), options.repeat)
    print(text)
    if options.write:
        LIVE.write_text(text, encoding="utf-8")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks live", description=__doc__)
    parser.add_argument("--sends", type=int, default=500, help="operators that send [default: 500]")
    parser.add_argument("--sample", type=int, default=20, help="sends by swaks [default: 20]")
    parser.add_argument("--repeat", type=int, default=3, help="runs of the others; the best counts [default: 3]")
    parser.add_argument("--write", action="store_true", help=f"write the tables to {LIVE.name}")
    return parser.parse_args(arguments)


def _rates(folder: Path, server: Server, sends: int, repeat: int) -> tuple[Rate, Rate]:
    """Return the best of each. They take turns, so that what else the machine does hits both."""
    senders = write_senders(folder / "senders", server, sends)
    ours, others = [], []
    for _ in range(repeat):
        ours.append(opsmail(senders))
        others.append(bare(server, sends))
    return max(ours, key=_throughput), max(others, key=_throughput)


def _throughput(rate: Rate) -> float:
    return rate.throughput
