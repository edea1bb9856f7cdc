"""The one comment of a pull request: `comment.py FILE` posts a Markdown file, or puts it in the place of the last one.

The first line of the file is a mark that is not shown; the comment of a program that starts with it is the last one.
Sources: GitHub's REST API, "List issue comments", "Create" and "Update an issue comment", version 2022-11-28.

Variables: GITHUB_API_URL, GITHUB_REPOSITORY, PULL_REQUEST (its number) and GITHUB_TOKEN. What keeps the comment from
being posted is a warning of the run: what is wrong in the change is told by the check itself.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SECONDS = 30
_PER_PAGE, _MOST_PAGES = 100, 10


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token goes nowhere else; where the API has moved, that is told as an error."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


class Comments:
    """The comments of one pull request.

    Args:
        api: where the API is.
        repository: OWNER/NAME.
        number: of the pull request.
        token: with the right to write to pull requests.
    """

    def __init__(self, api: str, repository: str, number: int, token: str) -> None:
        self._repository = f"{api}/repos/{repository}"
        self._number = number
        self._token = token
        self._opener = urllib.request.build_opener(_NoRedirects)

    def last(self, mark: str) -> dict[str, Any] | None:
        """Return the comment of a program that starts with `mark`, None where there is none."""
        own = (item for item in self._all() if item["user"]["type"] == "Bot" and item["body"].startswith(mark))
        return next(own, None)

    def post(self, body: str, last: dict[str, Any] | None) -> None:
        """Post a comment, or put it in the place of the last one."""
        if last is None:
            self._ask("POST", f"{self._repository}/issues/{self._number}/comments", {"body": body})
        elif last["body"] != body:
            self._ask("PATCH", f"{self._repository}/issues/comments/{int(last['id'])}", {"body": body})

    def _all(self) -> Iterator[dict[str, Any]]:
        for page in range(1, _MOST_PAGES + 1):
            place = f"{self._repository}/issues/{self._number}/comments?per_page={_PER_PAGE}&page={page}"
            items = self._ask("GET", place, None)
            yield from items
            if len(items) < _PER_PAGE:
                return

    def _ask(self, method: str, address: str, content: dict[str, str] | None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the runner says where its API is
            address,
            data=None if content is None else json.dumps(content).encode(),
            method=method,
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        with self._opener.open(request, timeout=_SECONDS) as answer:
            return json.loads(answer.read())


def _main(file: str) -> None:
    body = Path(file).read_text(encoding="utf-8")
    mark = body.partition("\n")[0]
    given = os.environ
    comments = Comments(
        given["GITHUB_API_URL"], given["GITHUB_REPOSITORY"], int(given["PULL_REQUEST"]), given["GITHUB_TOKEN"]
    )
    try:
        comments.post(body, comments.last(mark))
    except urllib.error.HTTPError as error:
        right = "; the job needs `pull-requests: write`" if error.code in (403, 404) else ""
        print(f"::warning title=opsmail::the comment could not be posted: the API said {error.code}{right}")
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        # What an answer says is not repeated: a line of it could be a command to the runner.
        print(f"::warning title=opsmail::the comment could not be posted: {type(error).__name__}")


if __name__ == "__main__":
    _main(sys.argv[1])
