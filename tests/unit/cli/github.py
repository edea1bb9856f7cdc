"""A stand-in for the part of GitHub's API that tells who reviewed a run, on https at localhost.

The real one is not to be had. Source of the path, the headers and the form of the answer:
https://docs.github.com/en/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.hostile.peer import Connection, Peer
from tests.unit.mail.oauth.identity import Act, http, root, tls

TOKEN = "ghs_c4n4ry0fTheJob"
REPOSITORY, RUN = "empresa/operadores", "42"
PATH = f"/api/v3/repos/{REPOSITORY}/actions/runs/{RUN}/approvals"
NO_TOKEN = http(401, {"message": "Bad credentials"})


def authority() -> str:
    """The certificate that the stand-in is trusted by."""
    return root().pem


def review(login: Any, state: str = "approved", *environments: Any) -> dict[str, Any]:
    """One entry of a review history, as much of it as GitHub's example has; for `default` unless others are named."""
    named = [{"id": 1, "name": name, "html_url": "https://github.test/x"} for name in environments or ("default",)]
    return {"state": state, "comment": "ok", "environments": named, "user": {"login": login, "id": 7, "type": "User"}}


@dataclass
class GitHub:
    """A running double.

    Args:
        peer: serves it.
        answer: to who asks rightly: a review history, or the octets of an answer, or an act.
    """

    peer: Peer
    answer: list[Any] | bytes | Act = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def variables(self, commit: str) -> dict[str, str]:
        """What the runner and the step's `env:` set in a run about a commit."""
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_ACTOR": "bot-that-merges",
            "GITHUB_SERVER_URL": "https://github.test",
            "GITHUB_API_URL": f"https://localhost:{self.peer.port}/api/v3",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": RUN,
            "GITHUB_SHA": commit,
            "GITHUB_TOKEN": TOKEN,
        }

    def serve(self, connection: Connection) -> None:
        method, path, _ = connection.hear().decode().split(" ")
        headers = dict(line.split(": ", 1) for line in iter(lambda: connection.hear().decode(), ""))
        self.asked.append({"method": method, "path": path, **headers})
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            connection.say(NO_TOKEN)
        elif path != PATH:
            connection.say(http(404, {"message": "Not Found"}))
        elif isinstance(self.answer, list):
            connection.say(http(200, json.dumps(self.answer)))
        elif isinstance(self.answer, bytes):
            connection.say(self.answer)
        else:
            self.answer(connection)


@contextmanager
def github(answer: list[Any] | bytes | Act | None = None) -> Iterator[GitHub]:
    """Run a double."""
    context = tls()

    def serve(connection: Connection) -> None:
        connection.start_tls(context)
        double.serve(connection)

    double = GitHub(Peer(serve), [] if answer is None else answer)
    try:
        yield double
    finally:
        double.peer.stop()
