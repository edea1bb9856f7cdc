"""Figures in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsmail.output.escape import for_program

_LABEL = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HELP = str.maketrans({"\\": r"\\", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure that goes up and down.

    Args:
        name: with its unit, by https://prometheus.io/docs/practices/naming/.
        help: what it says, in English.
        samples: labels to value, for each; none leaves the figure out.
    """

    name: str
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]


def render(gauges: Iterable[Gauge]) -> str:
    """Return figures, each with what it says."""
    lines = []
    for gauge in gauges:
        if gauge.samples:
            lines += [f"# HELP {gauge.name} {gauge.help.translate(_HELP)}", f"# TYPE {gauge.name} gauge"]
            lines += [f"{gauge.name}{_labels(labels)} {_number(value)}" for labels, value in gauge.samples]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    told = ",".join(f'{name}="{for_program(value).translate(_LABEL)}"' for name, value in labels.items())
    return f"{{{told}}}" if told else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
