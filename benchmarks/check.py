"""How long `opsmail check` takes, beside two tools that one could use instead, on the same files in the same run."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.fleet import Fleet, write_fleet

_HERE = Path(__file__).resolve().parent
_RESULTS = _HERE / "RESULTS.md"
_SCHEMA = _HERE.parent / "schemas" / "operator.schema.json"
_SIZES = (1, 100, 1_000, 10_000)
#: Findings are no failure here: three files in a hundred have a mistake.
_FOUND = 1


@dataclass(frozen=True)
class Tool:
    """A program to measure.

    Args:
        name: as tables show it.
        package: the distribution that it comes from.
        arguments: how it is called; files follow where it takes them.
        takes_files: whether it is given every file by name.
    """

    name: str
    package: str
    arguments: tuple[str, ...]
    takes_files: bool

    def command(self, fleet: Fleet) -> list[str]:
        """Return the command that checks a fleet."""
        files = [str(file.relative_to(fleet.root)) for file in fleet.files] if self.takes_files else []
        return [sys.executable, "-P", "-m", *self.arguments, *files]


TOOLS = (
    Tool("opsmail check", "opsmail", ("opsmail", "check"), takes_files=False),
    Tool("check-jsonschema", "check-jsonschema", ("check_jsonschema", "--schemafile", str(_SCHEMA)), takes_files=True),
    Tool("yamllint", "yamllint", ("yamllint", "--config-data", "relaxed", "operators"), takes_files=False),
)


@dataclass(frozen=True)
class Measure:
    """What one run took: seconds on the clock and of the processor, and memory at its peak in MiB."""

    wall: float
    cpu: float
    memory: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, and write it where that was asked for."""
    options = _options(arguments)
    rows = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory(prefix="opsmail-bench-") as folder:
            fleet = write_fleet(Path(folder), size)
            rows += [(size, tool.name, medians) for tool, medians in _measured(fleet, options.repeat)]
    table = _table(rows)
    print("\n".join(table))
    if options.write:
        _RESULTS.write_text("\n".join([*_heading(options.repeat), *table, ""]), encoding="utf-8")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=_SIZES, metavar="FILES", help="sizes of the fleets")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each tool; the median counts [default: 3]")
    parser.add_argument("--write", action="store_true", help=f"write the table to {_RESULTS.name}")
    return parser.parse_args(arguments)


def _measured(fleet: Fleet, repeat: int) -> Iterator[tuple[Tool, Measure]]:
    """Yield each tool's median. The tools take turns, so that what else the machine does hits all of them."""
    runs: dict[Tool, list[Measure]] = {tool: [] for tool in TOOLS}
    for number in range(repeat + 1):
        for tool in TOOLS:
            measure = _run(tool.command(fleet), fleet.root)
            if number:  # the first run fills the caches
                runs[tool].append(measure)
    for tool, measures in runs.items():
        yield tool, Measure(*(statistics.median(getattr(item, name) for item in measures) for name in _FIELDS))


_FIELDS = ("wall", "cpu", "memory")


def _run(command: Sequence[str], folder: Path) -> Measure:
    with Path(os.devnull).open("wb") as nowhere:
        started = os.times().elapsed
        process = subprocess.Popen(command, cwd=folder, stdout=nowhere, stderr=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
        wall = os.times().elapsed - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, _FOUND):
        raise SystemExit(f"{' '.join(command[:6])} … ended with {process.returncode}")
    return Measure(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _table(rows: Sequence[tuple[int, str, Measure]]) -> list[str]:
    ours = {size: measure for size, name, measure in rows if name == TOOLS[0].name}
    lines = [
        "| files | tool | seconds | of the processor | files/s | MiB | times opsmail's seconds |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for size, name, measure in rows:
        ratio = measure.wall / ours[size].wall
        lines.append(
            f"| {size:,} | {name} | {measure.wall:.2f} | {measure.cpu:.2f} | {size / measure.wall:,.0f} "
            f"| {measure.memory:.0f} | {ratio:.1f} |"
        )
    return lines


def _heading(repeat: int) -> list[str]:
    versions = ", ".join(f"{tool.package} {version(tool.package)}" for tool in TOOLS)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return [
        "# Results",
        "",
        "Written by `python -m benchmarks --write`: made-up fleets of files of about 600 bytes, three in a hundred",
        f"wrong; one process each, medians of {repeat} runs in turn. `check-jsonschema` has the schema of the same",
        "files; neither it nor `yamllint` knows the catalogue or the rules. Times are this machine's: the ratios are",
        "what counts.",
        "",
        f"{platform.system()} {platform.machine()}, {_processor()}, {os.cpu_count()} cores, {python},",
        f"{versions}, PyYAML {version('PyYAML')}.",
        "",
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    main()
