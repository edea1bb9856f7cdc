"""How long `opsmail check` takes, beside two tools that one could use instead, on the same files in the same run."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.fleet import Fleet, write_fleet
from benchmarks.results import RESULTS, Row, report
from benchmarks.running import COLD, TOOLS, WARM, Measure, Tool, run

#: Fleets that every tool checks, and those that take the others minutes.
_SIZES = (1, 1_000, 10_000)
_LARGE = (100_000,)
_SHORTEST_SECONDS = 5.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, and write them where that was asked for."""
    options = _options(arguments)
    rows: list[Row] = []
    for size in options.sizes:
        rows += _rows(size, TOOLS, options.repeat)
    for size in options.large:
        rows += _rows(size, (COLD, WARM), options.repeat)
    text = report(rows, options.repeat)
    print(text)
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks check", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=_SIZES, metavar="FILES", help="fleets for all tools")
    parser.add_argument(
        "--large", nargs="*", type=int, default=_LARGE, metavar="FILES", help="fleets for opsmail alone"
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of each tool; the median counts [default: 3]")
    parser.add_argument("--write", action="store_true", help=f"write the tables to {RESULTS.name}")
    return parser.parse_args(arguments)


def _rows(size: int, tools: Sequence[Tool], repeat: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="opsmail-bench-") as folder:
        fleet = write_fleet(Path(folder), size)
        print(f"{size:,} files of {fleet.size // size} bytes, {fleet.wrong} wrong", flush=True)
        for tool, measure in _measured(fleet, tools, repeat):
            yield Row(size, tool.name, measure)


def _measured(fleet: Fleet, tools: Sequence[Tool], repeat: int) -> Iterator[tuple[Tool, Measure]]:
    """Yield each tool's median. The tools take turns, so that what else the machine does hits all of them.

    The first turn, in which files are read from the disk and what can be remembered is, does not count. Memory of tools
    with several processes is watched in a run of its own. What ends quickly has more turns: short times are the ones
    that vary.
    """
    runs: dict[Tool, list[Measure]] = {tool: [] for tool in tools}
    for tool in tools:
        run(tool, fleet)
    peaks = {tool: run(tool, fleet, watched=True).memory for tool in tools if tool.forks}
    for _ in range(repeat):
        for tool in tools:
            seconds = 0.0
            while seconds < _SHORTEST_SECONDS / repeat:
                measure = run(tool, fleet)
                seconds += measure.wall
                runs[tool].append(measure)
    for tool, measures in runs.items():
        median = Measure(*(statistics.median(column) for column in zip(*measures, strict=True)))
        yield tool, median._replace(memory=max(median.memory, peaks.get(tool, 0.0)))
