"""What the CI system says of this run: who started it, where it can be seen, and whether it may have secrets."""

from __future__ import annotations

import getpass
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsmail.errors import RefusedError
from opsmail.messages import Message, msg

_MAX_EVENT_BYTES = 4 * 1024 * 1024
_LONGEST_ACTOR = 100
_LINK = re.compile(r"https?://[!-~]{1,500}")
#: Events of GitHub Actions that run with secrets, for code or texts that anyone may have written.
_OPEN_EVENTS = frozenset({"pull_request_target", "workflow_run", "issue_comment"})


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
    if environment.get("GITHUB_ACTIONS") == "true":
        # Whoever runs an old run again is the one who acts now.
        actor = environment.get("GITHUB_TRIGGERING_ACTOR") or environment.get("GITHUB_ACTOR")
        return _run(actor, _github_url(environment), _github_doubt(environment))
    if environment.get("GITLAB_CI") == "true":
        return _run(environment.get("GITLAB_USER_LOGIN"), environment.get("CI_JOB_URL"), _gitlab_doubt(environment))
    if environment.get("TF_BUILD") == "True":
        fork = environment.get("SYSTEM_PULLREQUEST_ISFORK", "False") != "False"
        doubt = msg("the pull request comes from a fork") if fork else None
        return _run(environment.get("BUILD_REQUESTEDFOR"), _azure_url(environment), doubt)
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
    if head is None or head != base:
        return msg("the pull request comes from a fork")
    return None


def _gitlab_doubt(environment: Mapping[str, str]) -> Message | None:
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
