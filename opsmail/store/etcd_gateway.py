"""Questions to etcd by its JSON gateway (https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/).

Nothing is taken from the environment, no redirect is followed, and an answer is read up to a size.
"""

from __future__ import annotations

import json
import select
from collections import deque
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any

from opsmail.messages import Message, msg
from opsmail.secrets import Secret
from opsmail.store.failures import Cause, failure
from opsmail.store.interface import StoreUnavailable
from opsmail.store.server import Server

#: Seconds for a connection, and for each step of an answer. etcd itself gives up a request after 7
#: (https://github.com/etcd-io/etcd/blob/v3.5.0/server/config/config.go, ReqTimeout).
TIMEOUT_SECONDS = 15.0
#: Octets of an answer: as many values of full size as are asked for at once, in base64.
LARGEST_ANSWER = 96 * 1024 * 1024

# https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
_INVALID, _NOT_FOUND, _DENIED, _EXHAUSTED, _PRECONDITION, _OUT_OF_RANGE, _UNAUTHENTICATED = 3, 5, 7, 8, 9, 11, 16
#: With these, nothing was done.
_DECLINED = frozenset({_INVALID, _NOT_FOUND, _DENIED, _EXHAUSTED, _PRECONDITION, _OUT_OF_RANGE, _UNAUTHENTICATED})
#: The token is too old, or the users have changed since it was given.
_LOG_IN_AGAIN = ("invalid auth token", "revision in header is old")


class Unanswered(StoreUnavailable):
    """Whether what was asked for was done is not known."""

    @classmethod
    def because(cls, location: str, reason: Message) -> Unanswered:
        """Return the error for an answer that is none."""
        told = failure(Cause.AWAY, location, reason)
        return cls(told.message, hint=told.hint)


class _Refusal(Exception):  # noqa: N818 - what it is; never leaves this module
    """etcd's own words."""

    def __init__(self, code: object, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Gateway:
    """One etcd. May be used by several threads at once.

    Args:
        server: where it is, and who asks.
        password: of its user.
    """

    def __init__(self, server: Server, password: Secret | None) -> None:
        self._server = server
        self._password = password
        self._tls = server.tls()
        self._idle: deque[HTTPConnection] = deque()
        self._token: str | None = None

    def ask(self, path: str, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a question.

        Args:
            path: below `/v3`.
            question: in the form of JSON that `path` takes.

        Raises:
            Unanswered: there was no answer, or one that leaves open what was done.
            StoreUnavailable: nothing was done, for the reason that it names.
        """
        try:
            try:
                return self._with_token(path, question)
            except _Refusal as refusal:
                if self._server.user is None or not any(words in refusal.message for words in _LOG_IN_AGAIN):
                    raise
                self._token = None
                return self._with_token(path, question)
        except _Refusal as refusal:
            raise self._explained(refusal) from None

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._idle:
            self._idle.popleft().close()

    def _with_token(self, path: str, question: Mapping[str, Any]) -> dict[str, Any]:
        if self._server.user is not None and self._token is None:
            self._token = self._log_in(self._server.user)
        return self._exchange(path, question, self._token)

    def _log_in(self, user: str) -> str:
        try:
            answer = self._exchange("/auth/authenticate", self._login(user), None)
        except _Refusal as refusal:
            # Its code tells a wrong password from a wrong form; there is only one thing to correct.
            raise _Refusal(_DENIED, refusal.message) from None
        except Unanswered as error:
            # What the token was wanted for was not asked yet.
            raise StoreUnavailable(error.message, hint=error.hint) from None
        token = answer.get("token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise self._no_answer("it gave no token")
        return token

    def _login(self, user: str) -> dict[str, str]:
        return {"name": user, "password": "" if self._password is None else self._password.reveal()}

    def _exchange(self, path: str, question: Mapping[str, Any], token: str | None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token else {})
        connection = self._connection()
        try:
            connection.request("POST", f"/v3{path}", json.dumps(question).encode(), headers)
            response = connection.getresponse()
            content = response.read(LARGEST_ANSWER + 1)
        except (OSError, HTTPException) as error:
            connection.close()
            raise self._no_answer(getattr(error, "strerror", None) or type(error).__name__) from None
        if len(content) > LARGEST_ANSWER or response.will_close:
            connection.close()
        else:
            self._idle.append(connection)
        return self._judged(response.status, content)

    def _connection(self) -> HTTPConnection:
        while True:
            try:
                connection = self._idle.popleft()
            except IndexError:
                break
            # What can be read before anything was asked is its end.
            if not select.select([connection.sock], [], [], 0)[0]:
                return connection
            connection.close()
        return self._connect()

    def _connect(self) -> HTTPConnection:
        host, port = str(self._server.host), self._server.port
        if self._tls is None:
            connection = HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        else:
            connection = HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=self._tls)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise failure(Cause.AWAY, str(self._server), msg("{reason}", reason=_reason(error))) from None
        return connection

    def _judged(self, status: int, content: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(content) if len(content) <= LARGEST_ANSWER else None
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self._no_answer(f"status {status} without an answer of etcd's")
        if status != 200:
            raise _Refusal(answer.get("code"), str(answer.get("message") or answer.get("error") or f"status {status}"))
        return answer

    def _no_answer(self, reason: str) -> Unanswered:
        return Unanswered.because(str(self._server), msg("{reason}", reason=reason))

    def _explained(self, refusal: _Refusal) -> StoreUnavailable:
        reason = msg("{reason}", reason=" ".join(refusal.message.split()))
        if refusal.code not in _DECLINED:
            return Unanswered.because(str(self._server), reason)
        if refusal.code in (_DENIED, _UNAUTHENTICATED) or "user name is empty" in refusal.message:
            cause = Cause.DENIED
        elif refusal.code == _EXHAUSTED:
            cause = Cause.FULL if "space exceeded" in refusal.message else Cause.BUSY
        else:
            cause = Cause.AWAY
        return failure(cause, str(self._server), reason)


def _reason(error: OSError) -> str:
    """What is wrong with a certificate says its own field; the rest of the text names lines of the library."""
    return getattr(error, "verify_message", None) or error.strerror or type(error).__name__
