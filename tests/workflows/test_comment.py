"""The one comment of a pull request: `.github/comment.py`, as the action runs it, against a stand-in for the API."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflows.comments import NUMBER, REPOSITORY, TOKEN, GitHub, github_api

ROOT = Path(os.environ.get("OPSMAIL_TEST_CHECKOUT", Path(__file__).parents[2]))
MARK = "<!-- opsmail check -->"


@pytest.fixture
def github() -> Iterator[GitHub]:
    with github_api() as api:
        yield api


def comment(github: GitHub, folder: Path, body: str) -> str:
    """Run the script as the action does, and return what it printed."""
    file = folder / "comment.md"
    file.write_text(body, "utf-8")
    done = subprocess.run(
        [sys.executable, "-I", ROOT / ".github" / "comment.py", file],
        env={
            "PATH": os.environ["PATH"],
            "GITHUB_API_URL": github.address,
            "GITHUB_REPOSITORY": REPOSITORY,
            "PULL_REQUEST": NUMBER,
            "GITHUB_TOKEN": TOKEN,
            "no_proxy": "*",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    assert TOKEN not in done.stdout
    return done.stdout


def test_it_is_posted_once_and_replaced_from_then_on(github: GitHub, tmp_path: Path) -> None:
    github.add("Please have a look", "User")
    for body in ("one finding: port 465 – não", "no findings", "no findings"):
        assert comment(github, tmp_path, f"{MARK}\n\n{body}\n") == ""
    assert [item["body"] for item in github.comments] == ["Please have a look", f"{MARK}\n\nno findings\n"]
    changes = [request.partition(" ")[0] for request in github.asked if not request.startswith("GET")]
    assert changes == ["POST", "PATCH"]  # and nothing where it already says so


def test_what_people_wrote_is_never_replaced(github: GitHub, tmp_path: Path) -> None:
    github.add(f"{MARK}\n\nI copied this", "User")
    github.add("<!-- opsmail plan -->\n\nthe plan")
    comment(github, tmp_path, f"{MARK}\n\nno findings\n")
    assert [item["body"] for item in github.comments][2:] == [f"{MARK}\n\nno findings\n"]
    assert github.comments[0]["body"].endswith("I copied this")
    assert github.comments[1]["body"].endswith("the plan")


@pytest.mark.parametrize(("others", "pages", "count"), [(99, 1, 100), (100, 2, 101), (250, 3, 251)])
def test_the_last_one_is_found_among_many(github: GitHub, tmp_path: Path, others: int, pages: int, count: int) -> None:
    for _ in range(others):
        github.add("+1", "User")
    github.add(f"{MARK}\n\nold")
    comment(github, tmp_path, f"{MARK}\n\nnew\n")
    assert len(github.comments) == count
    assert github.comments[-1]["body"] == f"{MARK}\n\nnew\n"
    assert len([request for request in github.asked if request.startswith("GET")]) == pages


@pytest.mark.parametrize(
    ("status", "told"), [(403, "403; the job needs `pull-requests: write`"), (404, "404; the job needs"), (500, "500")]
)
def test_a_refusal_is_a_warning_of_the_run(github: GitHub, tmp_path: Path, status: int, told: str) -> None:
    github.refuses = status
    said = comment(github, tmp_path, f"{MARK}\n")
    assert said.startswith("::warning title=opsmail::the comment could not be posted: the API said ")
    assert told in said
    assert "Bad credentials" not in said
    assert said.count("::") == 2


def test_the_token_follows_no_redirect(github: GitHub, tmp_path: Path) -> None:
    github.moved_to = f"{github.address}/elsewhere"
    assert "the API said 301" in comment(github, tmp_path, f"{MARK}\n")
    assert github.asked == []


def test_an_api_that_is_not_there(tmp_path: Path) -> None:
    said = comment(GitHub(address="http://127.0.0.1:1"), tmp_path, f"{MARK}\n")
    assert said == "::warning title=opsmail::the comment could not be posted: URLError\n"
