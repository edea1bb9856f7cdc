"""What the CI system says of this run: who started it, where it can be seen, and whether it may be trusted with secrets."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsmail.errors import RefusedError
from opsmail.messages import Message, msg

_MAX_EVENT_BYTES = 4 * 1024 * 1024


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
                hint=msg("run them on the merged commit, in a protected environment; `check` is what pull requests get"),
            )


def current_run(environment: Mapping[str, str]) -> Run:
    """Return what the environment variables of GitHub Actions or GitLab CI tell, or the person at the machine."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return Run(environment.get("GITHUB_ACTOR", "?"), _github_url(environment), _github_untrusted(environment))
    if environment.get("GITLAB_CI") == "true":
        untrusted = None
        if environment.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "") != environment.get("CI_MERGE_REQUEST_PROJECT_ID", ""):
            untrusted = msg("the merge request comes from a fork")
        return Run(environment.get("GITLAB_USER_LOGIN", "?"), environment.get("CI_JOB_URL"), untrusted)
    return Run(_person(), None, None)


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name for this user id, as in many containers
        return "?"


def _github_url(environment: Mapping[str, str]) -> str | None:
    parts = [environment.get(name) for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    if not all(parts):
        return None
    return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}"


def _github_untrusted(environment: Mapping[str, str]) -> Message | None:
    event = environment.get("GITHUB_EVENT_NAME", "")
    if event in ("pull_request_target", "workflow_run", "issue_comment"):
        return msg("the event `{event}` runs with secrets for code that anyone may have written", event=event)
    if event != "pull_request":
        return None
    head, base = _repositories(environment.get("GITHUB_EVENT_PATH", ""))
    if head is None or head != base:
        return msg("the pull request comes from a fork")
    return None


def _repositories(path: str) -> tuple[str | None, str | None]:
    """Return the names of a pull request's head and base repository; None where the event does not tell."""
    try:
        with Path(path).open("rb") as file:
            event: Any = json.loads(file.read(_MAX_EVENT_BYTES))
        request = event["pull_request"]
        return request["head"]["repo"]["full_name"], request["base"]["repo"]["full_name"]
    except (OSError, ValueError, KeyError, TypeError):
        return None, None
