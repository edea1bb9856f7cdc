"""The short run on PostgreSQL, whose side also ends connections."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.reliability.jobs import Job, run_jobs
from tests.servers.databases import DatabaseServer
from tests.servers.postgres import ADMINISTRATOR, DATABASE, new_place

pytestmark = pytest.mark.acceptance


def administrator(server: DatabaseServer) -> str:
    """How the administrator connects, for libpq."""
    return f"host={server.folder} port={server.port} user={ADMINISTRATOR} dbname={DATABASE}"


def test_publishers_are_killed_cut_off_and_raced(postgres_server: DatabaseServer, tmp_path: Path) -> None:
    with ExitStack() as stack:
        killed, cut, raced, unheard = (stack.enter_context(new_place(postgres_server)).dump() for _ in range(4))
        jobs = [
            Job(loop="kills", events=12, seconds=2, place=killed),
            Job(loop="terminations", events=12, seconds=2, place=cut, administrator=administrator(postgres_server)),
            Job(loop="race", events=4, seconds=1, place=raced),
            Job(loop="answers", events=4, seconds=1, place=unheard),
        ]
        outcomes = list(run_jobs(jobs, tmp_path))
    assert [(job.loop, outcome.violation) for job, outcome in zip(jobs, outcomes, strict=True)] == [
        (job.loop, None) for job in jobs
    ]
    assert all(outcome.counts["reader looks"] > outcome.counts["events"] > 0 for outcome in outcomes)
    assert outcomes[0].counts["killed"] > 0
    assert outcomes[1].counts["connections ended"] > 0
