"""A stand-in for the part of GitHub's API that keeps the comments of a pull request; the real one is not to be had."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghs_of_the_job"
REPOSITORY, NUMBER = "empresa/operadores", "7"
PLACE = f"/repos/{REPOSITORY}/issues/{NUMBER}/comments"


@dataclass
class GitHub:
    """As much of the API as comments need: it pages as GitHub does, and refuses what GitHub refuses."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refuses: int = 0
    moved_to: str = ""
    address: str = ""

    def add(self, body: str, kind: str = "Bot") -> None:
        self.comments.append({"id": len(self.comments) + 1, "body": body, "user": {"type": kind}})

    def answer(self, method: str, target: str, content: dict[str, str]) -> tuple[int, Any]:
        self.asked.append(f"{method} {target}")
        place = urlsplit(target)
        if method == "GET" and place.path == PLACE:
            query = {name: int(value) for name, (value,) in parse_qs(place.query).items()}
            start = (query["page"] - 1) * query["per_page"]
            return 200, self.comments[start : start + query["per_page"]]
        if method == "POST" and place.path == PLACE:
            self.add(content["body"])
            return 201, self.comments[-1]
        assert (method, place.path.rpartition("/")[0]) == ("PATCH", f"/repos/{REPOSITORY}/issues/comments")
        comment = self.comments[int(place.path.rpartition("/")[2]) - 1]
        comment["body"] = content["body"]
        return 200, comment


@contextmanager
def github_api() -> Iterator[GitHub]:
    """Run it on a free port of the loopback address."""
    api = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            status, document = 401, {"message": "::error::Bad credentials"}
            if api.moved_to:
                status = 301
            elif api.refuses:
                status = api.refuses
            elif self.headers["Authorization"] == f"Bearer {TOKEN}":
                status, document = api.answer(self.command, self.path, content)
            self.send_response(status)
            if api.moved_to:
                self.send_header("Location", api.moved_to)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 - the server looks for these names

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        api.address = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
