"""Measures as tables: each beside the others, and beside what is to be reached."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.running import COLD, SCHEMA_CHECK, TOOLS, WARM, YAMLLINT, Measure
from benchmarks.tables import Target, machine, targets

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
_MANY = 10_000
_MOST_MEMORY = 300
_MOST_GROWTH = 1.15


class Row(NamedTuple):
    """What a tool took for a fleet of so many files."""

    files: int
    tool: str
    measure: Measure


def report(rows: Sequence[Row], repeat: int) -> str:
    """Return the page of results."""
    return "\n".join([*_heading(repeat), *_targets(rows), "", "## All of it", "", *_table(rows), ""])


def _table(rows: Sequence[Row]) -> list[str]:
    ours = {row.files: row.measure for row in rows if row.tool == COLD.name}
    lines = [
        "| files | tool | seconds | of the processor | files/s | MiB | times `--no-cache` |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for files, tool, (wall, cpu, memory) in rows:
        ratio = wall / ours[files].wall
        lines.append(
            f"| {files:,} | {tool} | {wall:.3f} | {cpu:.3f} | {files / wall:,.0f} | {memory:.0f} | {ratio:.2f} |"
        )
    return lines


def _targets(rows: Sequence[Row]) -> list[str]:
    found = {(row.files, row.tool): row.measure for row in rows}
    return targets([*_faster(found), *_single(found), *_growth(found)])


_Found = dict[tuple[int, str], Measure]


def _faster(found: _Found) -> Iterator[Target]:
    wanted = ((COLD, SCHEMA_CHECK, 30), (COLD, YAMLLINT, 30), (WARM, SCHEMA_CHECK, 150))
    for ours, theirs, times in wanted:
        one, other = found.get((_MANY, ours.name)), found.get((_MANY, theirs.name))
        if one is not None and other is not None:
            wall, cpu = other.wall / one.wall, other.cpu / one.cpu
            what = f"{_MANY:,} files, `{ours.name}`: times faster than {theirs.name}"
            yield Target(what, f"≥ {times}", f"{wall:.1f}", f"{cpu:.1f}", wall >= times)


def _single(found: _Found) -> Iterator[Target]:
    one, other = found.get((1, COLD.name)), found.get((1, SCHEMA_CHECK.name))
    if one is not None and other is not None:
        wall, cpu = one.wall / other.wall, one.cpu / other.cpu
        what = f"1 file, `{COLD.name}`: share of {SCHEMA_CHECK.name}'s time"
        yield Target(what, "≤ 0.6", f"{wall:.2f}", f"{cpu:.2f}", wall <= 0.6)


def _growth(found: _Found) -> Iterator[Target]:
    sizes = sorted({files for files, tool in found if tool == COLD.name and files >= 1_000})
    if len(sizes) < 2:
        return
    (least, most), base = (sizes[0], sizes[-1]), found.get((1, COLD.name), Measure(0, 0, 0))
    few, many = found[least, COLD.name], found[most, COLD.name]
    # What a process costs before its first file does not grow with the files.
    wall, cpu = (
        (after - start) / most / ((before - start) / least)
        for before, after, start in ((few.wall, many.wall, base.wall), (few.cpu, many.cpu, base.cpu))
    )
    what = f"seconds for each further file, {most:,} files against {least:,}"
    yield Target(what, f"≤ {_MOST_GROWTH}", f"{wall:.2f}", f"{cpu:.2f}", wall <= _MOST_GROWTH)
    memory = max(found[most, tool].memory for tool in (COLD.name, WARM.name) if (most, tool) in found)
    yield Target(
        f"{most:,} files: MiB, all processes together", f"≤ {_MOST_MEMORY}", f"{memory:.0f}", "", memory <= _MOST_MEMORY
    )


def _heading(repeat: int) -> list[str]:
    packages = {tool.package: version(tool.package) for tool in TOOLS}
    versions = ", ".join(f"{name} {number}" for name, number in packages.items())
    return [
        "# Results",
        "",
        "Written by `python -m benchmarks check --write`: made-up fleets of files of about 600 bytes, three in a",
        f"hundred wrong; medians of at least {repeat} runs in turn. `check-jsonschema` has the schema of the same",
        "files; neither it nor `yamllint` knows the catalogue or the rules. `opsmail check` stands for a second",
        "run with nothing changed. Times are this machine's, which may have had other work: the ratios are what",
        "counts, and where the cores were not free, those of the processor's time (which do not know that there are",
        "two).",
        "",
        f"{machine()},",
        f"{versions}, PyYAML {version('PyYAML')}. Load when it ended: {os.getloadavg()[0]:.1f}.",
        "",
    ]
