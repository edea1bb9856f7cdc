"""A stand-in for Vault: as much of its HTTP API as the adapter uses, over TLS on the loopback address.

Source of the paths, headers and answers: https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2,
https://developer.hashicorp.com/vault/api-docs/auth/approle, https://developer.hashicorp.com/vault/api-docs/auth/jwt
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

TOKEN, ROLE_ID, SECRET_ID, ROLE, IDENTITY_TOKEN = "hvs.token", "role-4711", "secret-id-0815", "opsmail", "e.y.J"


@dataclass
class VaultDouble:
    """One Vault.

    Args:
        secrets: `mount/path` to its fields; None for a secret whose newest version was deleted.
        namespace: what requests have to name.
        sealed: it answers nothing else.
        elsewhere: it sends every caller there.
        padding: octets of nonsense in each answer.
        identity: the identity token that it takes; None for `IDENTITY_TOKEN`.
    """

    secrets: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    namespace: str | None = None
    sealed: bool = False
    elsewhere: str | None = None
    padding: int = 0
    identity: str | None = None
    address: str = ""
    ca: str = ""
    requests: list[str] = field(default_factory=list)

    def answer(  # noqa: PLR0911 - one return for each of Vault's answers
        self, method: str, path: str, headers: Mapping[str, str], body: Any
    ) -> tuple[int, dict[str, Any]]:
        """Return status and body, as Vault would."""
        self.requests.append(f"{method} {path}")
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if headers.get("X-Vault-Namespace") != self.namespace:
            return 404, {"errors": ["no handler for route"]}
        if path.startswith("/v1/auth/"):
            identity = self.identity or IDENTITY_TOKEN
            known = {
                "/v1/auth/approle/login": {"role_id": ROLE_ID, "secret_id": SECRET_ID},
                "/v1/auth/jwt/login": {"role": ROLE, "jwt": identity},
                "/v1/auth/gitlab/login": {"role": ROLE, "jwt": identity},
            }
            if known.get(path) != body:
                return 400, {"errors": [f"invalid login {body}"]}
            return 200, {"auth": {"client_token": TOKEN}}
        if headers.get("X-Vault-Token") != TOKEN:
            return 403, {"errors": ["permission denied"]}
        mount, _, name = path.removeprefix("/v1/").partition("/data/")
        key = f"{mount}/{name}"
        if key not in self.secrets:
            return 404, {"errors": []}
        data = self.secrets[key]
        metadata = {"version": 3, "deletion_time": "" if data is not None else "2026-11-01T10:00:00Z"}
        return (404 if data is None else 200), {"data": {"data": data, "metadata": metadata}}


@contextmanager
def running(vault: VaultDouble, folder: Path) -> Iterator[VaultDouble]:
    """Serve a Vault until the block ends; its address and CA file stand in it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(folder / "vault-ca.pem")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.respond(None)

        def do_POST(self) -> None:
            self.respond(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def respond(self, body: Any) -> None:
            if vault.elsewhere is not None:
                self.send_response(307)
                self.send_header("Location", vault.elsewhere)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            status, answer = vault.answer(self.command, self.path, dict(self.headers), body)
            content = json.dumps(answer).encode() + b" " * vault.padding
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:
                self.close_connection = True  # the caller has read enough

        def handle(self) -> None:
            with suppress(OSError):  # a caller that does not trust this authority hangs up
                super().handle()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    vault.address, vault.ca = f"https://localhost:{server.server_address[1]}", str(folder / "vault-ca.pem")
    try:
        yield vault
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
