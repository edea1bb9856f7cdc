"""The short run on SQLite; each loop ends by its time where the machine is slow."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.reliability.jobs import Job, Outcome, run_jobs
from tests.servers.fixtures import skip_or_fail
from tests.servers.processes import UnavailableError, find_program

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def strace() -> None:
    """Skip where strace may not trace, or is not installed; fail without it with CI=true."""
    try:
        program = find_program("strace", package="strace")
    except UnavailableError as reason:
        skip_or_fail(reason, os.environ)
    if subprocess.run([program, "-o", os.devnull, "true"], capture_output=True, check=False).returncode:
        pytest.skip("processes may not be traced here (ptrace)")


def run(jobs: list[Job], folder: Path) -> list[Outcome]:
    """Run jobs, none of which may come to a violation."""
    outcomes = list(run_jobs(jobs, folder))
    assert {(job.loop, outcome.seed): outcome.violation for job, outcome in zip(jobs, outcomes, strict=True)} == {
        (job.loop, outcome.seed): None for job, outcome in zip(jobs, outcomes, strict=True)
    }
    assert all(outcome.counts["events"] for outcome in outcomes)
    return outcomes


def test_publishers_are_killed_raced_paused_and_unheard(tmp_path: Path) -> None:
    kills, race, pauses, answers = run(
        [
            Job(loop="kills", events=40, seconds=5),
            Job(loop="race", events=8, seconds=3),
            Job(loop="pauses", events=4, seconds=1.5),
            Job(loop="answers", events=4, seconds=1.5),
        ],
        tmp_path,
    )
    for outcome in (kills, race, pauses, answers):
        assert outcome.counts["reader looks"] > outcome.counts["events"]
        assert outcome.counts["reader generations"] > 1
    # Most hit a publish at work, or they would show nothing.
    assert kills.counts["killed"] >= kills.counts["events"] // 4
    assert kills.counts["hit while it wrote"] >= kills.counts["events"] // 4
    assert race.counts["refused because the head had moved"] > 0
    assert answers.counts["made, unheard"] > 0


def test_each_call_may_be_the_last_or_fail(strace: None, tmp_path: Path) -> None:
    calls, first, power, first_power = run(
        [
            Job(loop="calls", events=10, seconds=3),
            Job(loop="first calls", events=4, seconds=1.5),
            Job(loop="power", events=1, seconds=2),
            Job(loop="first power", events=1, seconds=1.5),
        ],
        tmp_path,
    )
    for outcome in (calls, first):
        met = sum(outcome.counts.get(fault, 0) for fault in ("killed", "disk full", "disk failing"))
        assert met >= outcome.counts["events"] // 2
    for outcome in (power, first_power):
        assert outcome.counts["moments"] > 10
        assert outcome.counts["states"] > 10


def test_each_canary_is_caught(strace: None, tmp_path: Path) -> None:
    jobs = [
        Job(loop="calls", events=60, canary="head-first"),
        Job(loop="calls", events=60, canary="no-transaction"),
        Job(loop="race", events=20, canary="no-comparison"),
        Job(loop="answers", events=8, canary="blind-retry"),
        Job(loop="power", events=1, canary="no-sync"),
    ]
    outcomes = run_jobs(jobs, tmp_path)
    assert [job.canary for job, outcome in zip(jobs, outcomes, strict=True) if outcome.violation is None] == []
