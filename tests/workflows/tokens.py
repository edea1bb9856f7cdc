"""A stand-in for the service that gives a job of GitHub Actions its identity token."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

#: The third part of each token, where a signature would be.
SIGNATURE = "bm9ib2R5LXNpZ25lZC10aGlz"


@dataclass
class TokenService:
    """What a runner is told of it, and what it was asked for."""

    address: str
    bearer: str = "of-the-job"
    asked: list[str] = field(default_factory=list)


def token(audience: str) -> str:
    """Return the identity token of a job for somebody; nobody here looks at its signature."""
    parts = ({"alg": "RS256"}, {"aud": audience, "sub": "repo:empresa/operadores:environment:production"})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), SIGNATURE]
    )


@contextmanager
def token_service(status: int = 200) -> Iterator[TokenService]:
    """Answer with tokens for whom they are asked for, or with a refusal (another status than 200)."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers["Authorization"] == f"bearer {service.bearer}"
            service.asked.append(self.path)
            self.send_response(status if known else 401)
            self.end_headers()
            audience = parse_qs(urlsplit(self.path).query)["audience"][0]
            self.wfile.write(json.dumps({"value": token(audience)}).encode())

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service = TokenService(f"http://127.0.0.1:{server.server_address[1]}/token?api-version=2.0")
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield service
        finally:
            server.shutdown()
            serving.join()
