"""A strict reader of Prometheus' text format: what it takes, Prometheus takes.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format, and the rules for names of
https://prometheus.io/docs/practices/naming/.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_COMMENT = re.compile(rf"# (HELP|TYPE) ({_NAME}) (.+)")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|\Z)')
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Sample:
    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


def parse(text: str) -> list[Sample]:
    """Return the samples; each figure has HELP and TYPE, once, right before its samples."""
    assert text.endswith("\n")
    samples: list[Sample] = []
    known: list[str] = []
    told = ""
    for line in text.removesuffix("\n").split("\n"):
        comment = _COMMENT.fullmatch(line)
        if comment is not None and comment[1] == "HELP":
            assert comment[2] not in known, line
            known.append(comment[2])
            told = ""
        elif comment is not None:
            assert (comment[2], comment[3]) == (known[-1], "gauge"), line
            told = comment[2]
        else:
            sample = _SAMPLE.fullmatch(line)
            assert sample is not None, line
            assert sample[1] == told, line
            samples.append(Sample(sample[1], _labels(sample[2] or ""), float(sample[3])))
    assert len({(sample.name, sample.labels) for sample in samples}) == len(samples)
    assert set(known) == {sample.name for sample in samples}
    for name in known:
        assert name.startswith("opsmail_")
        assert not name.endswith(("_total", "_days", "_minutes", "_count", "_sum", "_bucket")), name
    return samples


def _labels(text: str) -> tuple[tuple[str, str], ...]:
    found = []
    place = 0
    while place < len(text):
        label = _LABEL.match(text, place)
        assert label is not None, text[place:]
        found.append((label[1], _ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], label[2])))
        place = label.end()
    assert len(dict(found)) == len(found), text
    return tuple(sorted(found))
