"""What live tests reached, as a page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.dead import SLOT, Delay
from benchmarks.sending import Rate
from benchmarks.split import Split
from benchmarks.tables import Target, machine, targets

LIVE = Path(__file__).resolve().parent / "LIVE.md"
_TIMES_SWAKS = 5
_SHARE_OF_BARE = 0.8
_MOST_MEMORY = 150
_SPLIT_SECONDS = 2
_MOST_SPREAD = 0.02


class Reached(NamedTuple):
    """All that was measured.

    Args:
        ours: of `opsmail test`.
        bare: of smtplib.
        swaks: one after the other and at once; none where there is no swaks.
        delay: of a dead server among others.
        split: of a big fleet.
    """

    ours: Rate
    bare: Rate
    swaks: Sequence[Rate]
    delay: Delay
    split: Split


def report(reached: Reached, repeat: int) -> str:
    """Return the page."""
    found = [*_throughput(reached), *_delay(reached.delay), *_split(reached.split)]
    rates = _table([reached.ours, reached.bare, *reached.swaks])
    return "\n".join([*_heading(reached.ours.sends, repeat), *targets(found), "", "## All of it", "", *rates, ""])


def _throughput(reached: Reached) -> Iterator[Target]:
    ours, bare = reached.ours, reached.bare
    what = f"{ours.sends} sends, `opsmail test`:"
    for swaks in reached.swaks[:1]:
        wall, cpu = ours.throughput / swaks.throughput, swaks.each / ours.each
        name = f"{what} times the throughput of one `swaks` a send"
        yield Target(name, f"≥ {_TIMES_SWAKS}", f"{wall:.1f}", f"{cpu:.1f}", wall >= _TIMES_SWAKS)
    wall, cpu = ours.throughput / bare.throughput, bare.each / ours.each
    name = f"{what} share of the throughput of bare smtplib"
    yield Target(name, f"≥ {_SHARE_OF_BARE}", f"{wall:.2f}", f"{cpu:.2f}", wall >= _SHARE_OF_BARE)
    memory = ours.memory or 0
    yield Target(f"{what} MiB", f"≤ {_MOST_MEMORY}", f"{memory:.0f}", "", 0 < memory <= _MOST_MEMORY)


def _delay(delay: Delay) -> Iterator[Target]:
    later, most = delay.beside.others - delay.without.others, delay.without.whole + SLOT
    what = f"{delay.operators} operators, the server of one takes no connection:"
    yield Target(f"{what} the others come later by", f"< {SLOT}, its slot", f"{later:.2f}", "", later < SLOT)
    ended = delay.beside.whole
    yield Target(f"{what} the whole run", f"≤ {most:.1f}, one slot more", f"{ended:.1f}", "", ended <= most)


def _split(split: Split) -> Iterator[Target]:
    what = f"{split.operators:,} operators over {split.jobs} jobs:"
    fast = split.wall < _SPLIT_SECONDS
    yield Target(f"{what} the split", f"< {_SPLIT_SECONDS}", f"{split.wall:.2f}", f"{split.cpu:.2f}", fast)
    even = split.spread <= _MOST_SPREAD
    yield Target(f"{what} parts differ from the mean by", f"≤ {_MOST_SPREAD:.0%}", f"{split.spread:.1%}", "", even)
    answer = "yes" if split.stable else "no"
    yield Target(f"{what} parts stay the same", "yes", answer, "", split.stable)


def _table(rates: Sequence[Rate]) -> list[str]:
    lines = ["| way | sends | seconds | of the processor | sends/s | MiB |", "|---|---:|---:|---:|---:|---:|"]
    for rate in rates:
        memory = "" if rate.memory is None else f"{rate.memory:.0f}"
        lines.append(
            f"| {rate.name} | {rate.sends} | {rate.wall:.2f} | {rate.cpu:.2f} | {rate.throughput:.1f} | {memory} |"
        )
    return lines


def _heading(sends: int, repeat: int) -> list[str]:
    return [
        "# Live tests",
        "",
        f"Written by `python -m benchmarks live --write`: {sends} operators, each with a login over STARTTLS,",
        f"to a server (aiosmtpd {version('aiosmtpd')}) in a process of its own on this machine; the best of {repeat}",
        "runs in turn. opsmail's time is that of the whole command, from reading the commit to signed evidence,",
        "smtplib's that of the sends alone. Of `swaks` a sample was sent and its throughput taken for that of all.",
        "Times are this machine's, which may have had other work: the ratios are what counts, and where the cores",
        "were not free, those of the processor's time (which do not know that the server needs some, too).",
        "",
        f"{machine()},",
        f"opsmail {version('opsmail')}. Load when it ended: {os.getloadavg()[0]:.1f}.",
        "",
    ]
