"""What a CI system says of a run, and when that is reason enough to keep the secrets away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opsmail.cli.ci import Run, current_run
from opsmail.errors import RefusedError
from opsmail.messages import msg

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "ana",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "empresa/mail",
    "GITHUB_RUN_ID": "4711",
    "GITHUB_EVENT_NAME": "push",
}
GITLAB = {"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "bia", "CI_JOB_URL": "https://gitlab.test/-/jobs/1"}
AZURE = {
    "TF_BUILD": "True",
    "BUILD_REQUESTEDFOR": "Caio",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/empresa/",
    "SYSTEM_TEAMPROJECTID": "p1",
    "BUILD_BUILDID": "9",
}
CIRCLE = {"CIRCLECI": "true", "CIRCLE_USERNAME": "dora", "CIRCLE_BUILD_URL": "https://circleci.test/1"}
BUILDKITE = {
    "BUILDKITE": "true",
    "BUILDKITE_BUILD_CREATOR": "edu",
    "BUILDKITE_BUILD_URL": "https://buildkite.test/1",
    "BUILDKITE_REPO": "git@x:empresa/mail",
}
JENKINS = {
    "JENKINS_URL": "https://jenkins.test/",
    "BUILD_USER_ID": "fabi",
    "BUILD_URL": "https://jenkins.test/job/1/",
}


def test_a_person_at_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ana")
    assert current_run({}) == Run("ana", None, None)


def test_a_machine_without_a_name_for_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 987654)
    assert current_run({}).actor == "?"


@pytest.mark.parametrize(
    ("environment", "actor", "url"),
    [
        (GITHUB, "ana", "https://github.com/empresa/mail/actions/runs/4711"),
        (GITHUB | {"GITHUB_TRIGGERING_ACTOR": "rita"}, "rita", "https://github.com/empresa/mail/actions/runs/4711"),
        (GITLAB, "bia", "https://gitlab.test/-/jobs/1"),
        (AZURE, "Caio", "https://dev.azure.com/empresa/p1/_build/results?buildId=9"),
        (CIRCLE, "dora", "https://circleci.test/1"),
        (BUILDKITE, "edu", "https://buildkite.test/1"),
        (BUILDKITE | {"BUILDKITE_PULL_REQUEST_REPO": ""}, "edu", "https://buildkite.test/1"),
        (BUILDKITE | {"BUILDKITE_PULL_REQUEST_REPO": "git@x:empresa/mail"}, "edu", "https://buildkite.test/1"),
        (JENKINS, "fabi", "https://jenkins.test/job/1/"),
    ],
)
def test_a_pipeline(environment: dict[str, str], actor: str, url: str) -> None:
    assert current_run(environment) == Run(actor, url, None)
    current_run(environment).require_trusted()


@pytest.mark.parametrize("environment", [{"GITHUB_ACTIONS": "true"}, {"GITLAB_CI": "true"}, {"TF_BUILD": "True"}])
def test_a_pipeline_that_tells_little(environment: dict[str, str]) -> None:
    assert current_run(environment) == Run("?", None, None)


def test_what_could_not_stand_in_a_statement_is_left_out() -> None:
    run = current_run(GITHUB | {"GITHUB_ACTOR": "a\nb\udcff" + "x" * 200, "GITHUB_SERVER_URL": "ftp://x"})
    assert run.actor == "a?b?" + "x" * 96
    assert run.url is None


@pytest.mark.parametrize(
    "event", ["pull_request_target", "workflow_run", "issue_comment", "pull_request_review", "issues", "fork"]
)
def test_events_that_run_with_secrets_for_anybody(event: str) -> None:
    with pytest.raises(RefusedError, match=f"the event `{event}` runs with secrets"):
        current_run(GITHUB | {"GITHUB_EVENT_NAME": event}).require_trusted()


def pull_request(folder: Path, head: str | None, base: str = "empresa/mail") -> dict[str, str]:
    repository = None if head is None else {"full_name": head}
    event = {"pull_request": {"head": {"repo": repository}, "base": {"repo": {"full_name": base}}}}
    (folder / "event.json").write_text(json.dumps(event))
    return GITHUB | {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(folder / "event.json")}


def test_a_pull_request_of_ones_own_repository(tmp_path: Path) -> None:
    assert current_run(pull_request(tmp_path, "empresa/mail")).untrusted is None


@pytest.mark.parametrize("head", ["atacante/mail", None])
def test_a_pull_request_of_a_fork(tmp_path: Path, head: str | None) -> None:
    with pytest.raises(RefusedError, match="from a fork") as caught:
        current_run(pull_request(tmp_path, head)).require_trusted()
    assert "merged commit" in str(caught.value.hint)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"pull_request":null}'])
def test_an_event_that_does_not_tell_is_a_fork_s(tmp_path: Path, content: bytes) -> None:
    environment = pull_request(tmp_path, "empresa/mail")
    (tmp_path / "event.json").write_bytes(content)
    assert current_run(environment).untrusted is not None
    assert current_run(environment | {"GITHUB_EVENT_PATH": ""}).untrusted is not None


def test_gitlab_s_forks() -> None:
    both = {"CI_MERGE_REQUEST_PROJECT_ID": "1", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1"}
    assert current_run(GITLAB | both).untrusted is None
    forked = current_run(GITLAB | both | {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2"})
    assert forked.untrusted == msg("the merge request comes from a fork")
    assert current_run(GITLAB | {"CI_MERGE_REQUEST_PROJECT_ID": "1"}).untrusted is not None


@pytest.mark.parametrize(("fork", "trusted"), [("False", True), ("True", False), ("", False), ("true", False)])
def test_azure_s_forks(fork: str, trusted: bool) -> None:
    assert (current_run(AZURE | {"SYSTEM_PULLREQUEST_ISFORK": fork}).untrusted is None) is trusted


@pytest.mark.parametrize(
    "environment",
    [
        GITLAB
        | {
            "CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY": "atacante/mail",
            "CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY": "empresa/mail",
        },
        CIRCLE | {"CIRCLE_PR_NUMBER": "7"},
        BUILDKITE | {"BUILDKITE_PULL_REQUEST_REPO": "git@x:atacante/mail"},
        JENKINS | {"CHANGE_FORK": "atacante"},
    ],
)
def test_forks_elsewhere(environment: dict[str, str]) -> None:
    assert current_run(environment).untrusted == msg("the pull request comes from a fork")
