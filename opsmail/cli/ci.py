"""What the CI system says of this run: who started it, where it can be seen, and whether it may have secrets."""

from __future__ import annotations

import getpass
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from opsmail.errors import RefusedError
from opsmail.messages import Message, msg
from opsmail.values import dataclass

_MAX_EVENT_BYTES = 4 * 1024 * 1024
_LONGEST_ACTOR = 100
_LINK = re.compile(r"https?://[!-~]{1,500}")
#: Events of GitHub Actions that run with secrets, for code or texts that anyone may have written.
_OPEN_EVENTS = frozenset(
    {
        *("pull_request_target", "pull_request_review", "pull_request_review_comment", "workflow_run"),
        *("issues", "issue_comment", "commit_comment", "discussion", "discussion_comment", "fork", "watch"),
    }
)
_FORK = msg("the pull request comes from a fork")


@dataclass(frozen=True, slots=True)
class Run:
    """The run that opsmail is part of.

    Args:
        actor: who started it.
        url: where it can be seen; None outside CI.
        untrusted: why it must not have secrets, None when nothing speaks against it.
    """

    actor: str
    url: str | None
    untrusted: Message | None

    def require_trusted(self) -> None:
        """Return when this run may read secrets and send or publish.

        Raises:
            RefusedError: it runs for code that somebody from outside may have written.
        """
        if self.untrusted is not None:
            raise RefusedError(
                msg("live tests and publish do not run here: {reason}", reason=self.untrusted),
                hint=msg("run them on the merged commit, in a protected environment; pull requests get `check`"),
            )


def current_run(environment: Mapping[str, str]) -> Run:
    """Return what the environment variables of the CI system tell, or the person at the machine."""
    for variable, value, read in _SYSTEMS:
        found = environment.get(variable)
        if found and value in ("", found):
            return read(environment)
    return _run(_person(), None, None)


def _run(actor: str | None, url: str | None, untrusted: Message | None) -> Run:
    """Return a run whose actor and link can stand in a statement, whatever the variables hold."""
    name = "".join(character if character.isprintable() else "?" for character in actor or "?")
    return Run(name[:_LONGEST_ACTOR], url if url is not None and _LINK.fullmatch(url) else None, untrusted)


def _person() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name for this user id, as in many containers
        return None


def _github(environment: Mapping[str, str]) -> Run:
    # Whoever runs an old run again is the one who acts now.
    actor = environment.get("GITHUB_TRIGGERING_ACTOR") or environment.get("GITHUB_ACTOR")
    return _run(actor, _github_url(environment), _github_doubt(environment))


def _gitlab(environment: Mapping[str, str]) -> Run:
    return _run(environment.get("GITLAB_USER_LOGIN"), environment.get("CI_JOB_URL"), _gitlab_doubt(environment))


def _azure(environment: Mapping[str, str]) -> Run:
    fork = environment.get("SYSTEM_PULLREQUEST_ISFORK", "False") != "False"
    return _run(environment.get("BUILD_REQUESTEDFOR"), _azure_url(environment), _FORK if fork else None)


def _circle(environment: Mapping[str, str]) -> Run:
    fork = bool(environment.get("CIRCLE_PR_NUMBER"))  # only builds of forks have it
    return _run(environment.get("CIRCLE_USERNAME"), environment.get("CIRCLE_BUILD_URL"), _FORK if fork else None)


def _buildkite(environment: Mapping[str, str]) -> Run:
    theirs = environment.get("BUILDKITE_PULL_REQUEST_REPO")
    fork = bool(theirs) and theirs != environment.get("BUILDKITE_REPO")
    actor, url = environment.get("BUILDKITE_BUILD_CREATOR"), environment.get("BUILDKITE_BUILD_URL")
    return _run(actor, url, _FORK if fork else None)


def _jenkins(environment: Mapping[str, str]) -> Run:
    fork = bool(environment.get("CHANGE_FORK"))
    return _run(environment.get("BUILD_USER_ID"), environment.get("BUILD_URL"), _FORK if fork else None)


#: The variable that tells a CI system, its value (empty: any), and what reads the others.
_SYSTEMS: Sequence[tuple[str, str, Callable[[Mapping[str, str]], Run]]] = (
    ("GITHUB_ACTIONS", "true", _github),
    ("GITLAB_CI", "true", _gitlab),
    ("TF_BUILD", "True", _azure),
    ("CIRCLECI", "true", _circle),
    ("BUILDKITE", "true", _buildkite),
    ("JENKINS_URL", "", _jenkins),
)


def _github_url(environment: Mapping[str, str]) -> str:
    server, repository, run = (
        environment.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    )
    return f"{server}/{repository}/actions/runs/{run}"


def _azure_url(environment: Mapping[str, str]) -> str:
    collection, project, build = (
        environment.get(name, "") for name in ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECTID", "BUILD_BUILDID")
    )
    return f"{collection}{project}/_build/results?buildId={build}"


def _github_doubt(environment: Mapping[str, str]) -> Message | None:
    event = environment.get("GITHUB_EVENT_NAME", "")
    if event in _OPEN_EVENTS:
        return msg("the event `{event}` runs with secrets for what anyone may have written", event=event)
    if event != "pull_request":
        return None
    head, base = _repositories(environment.get("GITHUB_EVENT_PATH", ""))
    return _FORK if head is None or head != base else None


def _gitlab_doubt(environment: Mapping[str, str]) -> Message | None:
    ours, theirs = (environment.get(f"CI_EXTERNAL_PULL_REQUEST_{side}_REPOSITORY") for side in ("TARGET", "SOURCE"))
    if ours != theirs:  # a repository on GitHub whose pipelines run on GitLab
        return _FORK
    source = environment.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID")
    target = environment.get("CI_MERGE_REQUEST_PROJECT_ID")
    return msg("the merge request comes from a fork") if source != target else None


def _repositories(path: str) -> tuple[str | None, str | None]:
    """Return the names of a pull request's head and base repository; None where the event does not tell."""
    try:
        with Path(path).open("rb") as file:
            event: Any = json.loads(file.read(_MAX_EVENT_BYTES))
        request = event["pull_request"]
        return request["head"]["repo"]["full_name"], request["base"]["repo"]["full_name"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None, None
