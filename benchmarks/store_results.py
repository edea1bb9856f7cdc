"""What stores took, as a page."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gate import Gate
from benchmarks.pipeline import MEMORY
from benchmarks.polling import Polling
from benchmarks.tables import machine

STORE = Path(__file__).resolve().parent / "STORE.md"
#: Of a core, for the polls of all readers.
_SHARE = 0.1
#: Seconds for an operator, and of a plan beyond its check.
_GATE, _PLAN = 0.0005, 0.5


@dataclass(frozen=True)
class Figures:
    """What one store took, in seconds.

    Args:
        store: its name.
        rows: one executemany of as many rows as the first publish has operators; None where there is no SQL.
        first: the store's part of the first publish.
        small: of 100 changes in the small fleet.
        large: of 100 changes in the large fleet.
        written: blobs that those wrote in the large fleet, besides the generation.
        changed: documents and buckets that they touched there.
        poll: an unchanged poll.
        bare: one bare SELECT over the same driver; None where there is no SQL.
    """

    store: str
    rows: float | None
    first: float
    small: float
    large: float
    written: int
    changed: int
    poll: float
    bare: float | None


def _columns(options: argparse.Namespace) -> tuple[str, ...]:
    return (
        "store",
        f"executemany of {options.first:,} rows, s",
        "first publish of as many, s",
        "times (≤ 5)",
        f"{options.changes} changes of {options.small:,}, s",
        f"of {options.large:,}, s",
        "times (≤ 2)",
        "blobs written",
        "a poll, ms",
        "beyond a bare SELECT, ms (≤ 1)",
    )


def report(
    figures: Sequence[Figures], judged: Gate | None, polling: Sequence[Polling], options: argparse.Namespace
) -> str:
    """Return the page.

    Args:
        figures: of each store.
        judged: gate and plan; None where they were not measured.
        polling: of readers that poll; none where they were not measured.
        options: by which all this was measured.
    """
    lines = [
        "# Stores",
        "",
        f"Written by `python -m benchmarks.store --write`; medians of {options.repeat} runs.",
        f"The servers run on this machine, databases with their default of {MEMORY}, and are spoken to by TLS.",
        "",
        f"{machine()}. Load when it ended: {os.getloadavg()[0]:.1f}.",
        "",
        "| " + " | ".join(_columns(options)) + " |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for each in figures:
        rows = "" if each.rows is None else f"{each.rows:.3f}"
        times = "" if each.rows is None else f"{each.first / each.rows:.1f}"
        beyond = "" if each.bare is None else f"{(each.poll - each.bare) * 1000:.2f}"
        lines.append(
            f"| {each.store} | {rows} | {each.first:.3f} | {times} | {each.small:.3f} | {each.large:.3f} "
            f"| {each.large / each.small:.1f} | {each.written} of {each.changed} | {each.poll * 1000:.2f} | {beyond} |"
        )
    return "\n".join([*lines, "", *_gate(judged), *_readers(polling)])


def _gate(judged: Gate | None) -> Iterator[str]:
    """Yield the part about gate and plan."""
    if judged is None:
        return
    each, beyond = judged.gate / judged.operators, judged.plan - judged.check
    yield "## Gate and plan"
    yield ""
    yield f"A repository of {judged.operators:,} operators with signed evidence for each, in SQLite; check and plan as"
    yield "commands, from their start to their end, each with one process for the check:"
    yield ""
    yield "| what | wanted | seen | reached |"
    yield "|---|---|---:|---|"
    yield (
        f"| the gate of a first publish: reading and verifying all evidence, for each operator | ≤ {_GATE * 1000} ms "
        f"| {each * 1000:.2f} ms | {_answer(each <= _GATE)} |"
    )
    yield (
        f"| `opsmail plan` without a change ({judged.plan:.2f} s) beyond `opsmail check` ({judged.check:.2f} s) "
        f"| ≤ {_PLAN} s | {beyond:.2f} s | {_answer(beyond <= _PLAN)} |"
    )
    yield ""


def _answer(reached: bool) -> str:  # noqa: FBT001 - a word for a truth value
    return "yes" if reached else "no"


def _readers(polling: Sequence[Polling]) -> Iterator[str]:
    """Yield the part about readers that poll; the first is the poll, the others are what it is compared with."""
    if not polling:
        return
    poll = polling[0]
    yield "## Readers that poll"
    yield ""
    yield f"{poll.readers:,} readers of PostgreSQL, each with its connection by TLS, ask once a second whether there is"
    yield "something newer. What all processes of the server need of the processor for that, beside what else they"
    yield "could be asked in the same way, in turns on the same connections:"
    yield ""
    yield "| asked by each once a second | questions | seconds of the processor | of a core |"
    yield "|---|---:|---:|---:|"
    for each in polling:
        yield f"| {each.what} | {each.questions:,} | {each.server:.2f} | {each.share:.1%} |"
    yield ""
    yield f"Wanted of a poll: under {_SHARE:.0%}; reached: {_answer(poll.share < _SHARE)}. An empty statement is the"
    yield "least there is, and `SELECT 1` the least that returns anything."
    yield ""
