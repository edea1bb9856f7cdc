"""The form's server: on this machine only, for whoever holds the key that the command printed.

Another page in the same browser can send requests here, and a name can be made to lead here (DNS rebinding). So each
request has to name this very address, each that does something has to come from this very page and carry the session's
key, and the key that starts a session works once.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from gettext import NullTranslations
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opsmail.errors import OpsmailError, RefusedError
from opsmail.form.editor import Editor
from opsmail.form.messages import Messages
from opsmail.form.page import render
from opsmail.form.values import Values
from opsmail.messages import msg

_HOST = "127.0.0.1"
_MAX_BODY = 64 * 1024
#: Seconds that a browser may take for a request.
_SECONDS = 30.0
_MOST_VALUES = 100


class FormServer(ThreadingHTTPServer):
    """Serves the form until it is shut down.

    Args:
        editor: what it can do.
        language: of its texts.
        port: on 127.0.0.1; 0 for any that is free.
    """

    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, editor: Editor, language: NullTranslations, port: int = 0) -> None:
        super().__init__((_HOST, port), _Handler)
        self.editor = editor
        self.messages = Messages(language)
        self.page = render(language, allow_test=editor.send is not None).encode()
        self.place = f"{_HOST}:{self.server_address[1]}"
        self._once = secrets.token_urlsafe(32)
        self._session: str | None = None
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """The address to open, with the key that works once; what is behind `#` is sent to no server."""
        return f"http://{self.place}/#{self._once}"

    def begin(self, once: str) -> str | None:
        """Return the key of a new session for the one that works once; None for another one, or a second time."""
        with self._lock:
            if self._session is not None or not hmac.compare_digest(once.encode(), self._once.encode()):
                return None
            self._session = secrets.token_urlsafe(32)
            return self._session

    def is_session(self, key: str) -> bool:
        """Whether a key is that of the session."""
        session = self._session
        return session is not None and hmac.compare_digest(key.encode(), session.encode())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that hangs up."""


class _Refusal(Exception):  # noqa: N818 - an answer on its way
    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: FormServer
    protocol_version = "HTTP/1.1"
    server_version = "opsmail"
    sys_version = ""
    timeout = _SECONDS

    def do_GET(self) -> None:
        self._guarded(self._get)

    def do_POST(self) -> None:
        self._guarded(self._post)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            self._require_host()
            work()
        except _Refusal as refusal:
            # What is left of the request is not read, so nothing else can come on this connection.
            self.close_connection = True
            self._json(refusal.status, {"error": refusal.status.phrase, "hint": None})

    def _get(self) -> None:
        if self.path != "/":
            raise _Refusal(HTTPStatus.NOT_FOUND)
        self._answer(HTTPStatus.OK, "text/html; charset=utf-8", self.server.page)

    def _post(self) -> None:
        if self.headers.get("Origin") != f"http://{self.server.place}":
            raise _Refusal(HTTPStatus.FORBIDDEN)
        if self.headers.get("Content-Type") != "application/json":
            raise _Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        asked = self._body()
        if self.path == "/begin":
            key = self.server.begin(_text(asked, "once"))
            if key is None:
                raise _Refusal(HTTPStatus.FORBIDDEN)
            self._json(HTTPStatus.OK, {"key": key})
            return
        if not self.server.is_session(self.headers.get("Authorization", "").removeprefix("Bearer ")):
            raise _Refusal(HTTPStatus.UNAUTHORIZED)
        action = _ACTIONS.get(self.path)
        if action is None and self.path != "/test":
            raise _Refusal(HTTPStatus.NOT_FOUND)
        try:
            if action is None:
                self._test(_text(asked, "path"))
            else:
                self._json(HTTPStatus.OK, action(self.server, asked))
        except OpsmailError as error:
            self._json(HTTPStatus.CONFLICT, self.server.messages.error(error))

    def _test(self, path: str) -> None:
        """Answer with a line for each stage when it ends, and a last one for the whole test (JSON Lines)."""
        messages = self.server.messages
        lines = _Lines(self)
        try:
            result = self.server.editor.test(path, lambda stage: lines.add(messages.stage(stage)))
        except OpsmailError as error:
            if not lines.begun:
                raise
            lines.add(messages.error(error))
        else:
            lines.add(messages.result(result))

    def log_message(self, format: str, *args: object) -> None:
        """Print no requests: the terminal is for what the person has to know."""

    def _require_host(self) -> None:
        """Refuse a request that does not name this very address, whatever led here (RFC 9110, section 7.2)."""
        if self.headers.get_all("Host") != [self.server.place]:
            raise _Refusal(HTTPStatus.MISDIRECTED_REQUEST)

    def _body(self) -> Mapping[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or "Transfer-Encoding" in self.headers:
            raise _Refusal(HTTPStatus.LENGTH_REQUIRED)
        if len(length) > len(str(_MAX_BODY)) or int(length) > _MAX_BODY:
            raise _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            asked = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            raise _Refusal(HTTPStatus.BAD_REQUEST)
        return asked

    def _json(self, status: HTTPStatus, document: Mapping[str, Any]) -> None:
        self._answer(status, "application/json", json.dumps(document).encode())

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.begin_answer(status, kind, len(body))
        self.wfile.write(body)

    def begin_answer(self, status: HTTPStatus, kind: str, length: int | None) -> None:
        """Send all of an answer that stands before its content; without a length that ends with the connection."""
        self.close_connection = self.close_connection or length is None
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


class _Lines:
    """An answer of which each line is sent when it is there; the first line begins it.

    Args:
        handler: of the request.
    """

    def __init__(self, handler: _Handler) -> None:
        self._handler = handler
        self.begun = False

    def add(self, document: Mapping[str, Any]) -> None:
        """Send a line. Whoever has hung up misses it: the test itself goes on to its end."""
        with suppress(OSError):
            if not self.begun:
                self.begun = True
                self._handler.begin_answer(HTTPStatus.OK, "application/jsonl", None)
            self._handler.wfile.write(json.dumps(document).encode() + b"\n")
            self._handler.wfile.flush()


def _text(asked: Mapping[str, Any], name: str) -> str:
    found = asked.get(name)
    return found if isinstance(found, str) else ""


def _values(asked: Mapping[str, Any]) -> Values:
    values = asked.get("values")
    if not isinstance(values, dict) or len(values) > _MOST_VALUES:
        raise RefusedError(msg("the page asked for something that the form does not know"))
    if not all(isinstance(value, str | bool) for value in values.values()):
        raise RefusedError(msg("the page asked for something that the form does not know"))
    return values


def _operators(server: FormServer, _asked: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"paths": list(server.editor.paths()), "fields": server.messages.fields()}


def _show(server: FormServer, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    return server.messages.shown(server.editor.show(_text(asked, "path")))


def _check(server: FormServer, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    draft = server.editor.draft(_text(asked, "path") or None, _values(asked))
    messages = server.messages
    return {"findings": messages.findings(draft.findings), "difference": messages.difference(draft.difference)}


def _save(server: FormServer, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    path, state = _text(asked, "path") or None, _text(asked, "state")
    return server.messages.shown(server.editor.save(path, _values(asked), state))


_ACTIONS: Mapping[str, Callable[[FormServer, Mapping[str, Any]], Mapping[str, Any]]] = {
    "/operators": _operators,
    "/show": _show,
    "/check": _check,
    "/save": _save,
}
