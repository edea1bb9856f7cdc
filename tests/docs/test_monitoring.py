"""The page about monitoring, and its alerts, name the figures that there are."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from opsmail.messages import msg
from opsmail.output.results.status import Ends, Kept, Serving, Status, as_prometheus
from opsmail.publish.drift import ItemKind, State
from opsmail.report.endings import EndingKind
from opsmail.report.fleet import State as OperatorState
from tests.prometheus import Sample, parse

PAGE = Path(__file__).parents[2] / "docs" / "monitoring.md"
NOW = datetime(2026, 3, 10, tzinfo=UTC)
#: Whatever can be told, is.
EVERYTHING = Status(
    environment="production",
    now=NOW,
    serving=Serving(
        generation=7,
        epoch=1,
        oldest=1,
        commit="c0" * 20,
        published=NOW,
        operators=2,
        master="chefe",
        proven=NOW,
        drift=State.CLEAN,
        differences={},
    ),
    states={state.value: 1 for state in OperatorState},
    ends=[Ends(kind.value, date(2026, 4, 1), "a", msg("x")) for kind in EndingKind],
    snapshot=Kept(7, stale=False, confirmed=NOW),
    version="1",
)

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="not a checkout: the documents are not here")


def samples() -> list[Sample]:
    return parse(as_prometheus(EVERYTHING))


def test_every_figure_is_explained_and_there_is_no_other() -> None:
    rows = [line.split("|")[1] for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `opsmail_")]
    explained = re.findall(r"`(opsmail_\w+)`", "".join(rows))
    assert sorted(explained) == sorted({sample.name for sample in samples()})


def test_states_and_kinds_are_named() -> None:
    text = PAGE.read_text("utf-8")
    assert [state for state in OperatorState if f"`{state.value}`" not in text] == []
    assert [kind for kind in EndingKind if f"`{kind.value}`" not in text] == []


def test_each_alert_asks_for_figures_and_labels_that_are_told() -> None:
    block = PAGE.read_text("utf-8").partition("<!-- alerts -->\n```yaml\n")[2].partition("```")[0]
    alerts = re.findall(r"- alert: (\w+)\n +expr: (.+)\n(?: +for: \w+\n)? +annotations:\n +summary: (.+)\n", block)
    assert len(alerts) == block.count("- alert:") >= 8
    told = {sample.name: set(dict(sample.labels)) for sample in samples()}
    values = {(name, value) for sample in samples() for name, value in sample.labels}
    for _, asked, summary in alerts:
        names = re.findall(r"opsmail_\w+", asked)
        assert names
        assert set(names) <= told.keys(), asked
        for label, value in re.findall(r'(\w+)="(\w+)"', asked):
            assert (label, value) in values, asked
        assert set(re.findall(r"\$labels\.(\w+)", summary)) <= told[names[0]], summary


def test_every_kind_of_difference_is_a_figure() -> None:
    kinds = {dict(sample.labels)["kind"] for sample in samples() if sample.name == "opsmail_drift_items"}
    assert kinds == {kind.value for kind in ItemKind}
