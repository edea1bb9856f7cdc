"""MSAL's way to the network: one request to a pinned host, by a deadline, up to a size, over verified TLS.

Redirects are not followed, and no proxy, certificate or credential is taken from the environment: the settings name the
proxy.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import field
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from opsmail.mail.destination import Lookup, resolve
from opsmail.mail.failure import Failure, Kind
from opsmail.mail.http import Request, Response, UnusableAnswer, exchange
from opsmail.mail.oauth.answers import OAuthError
from opsmail.mail.oauth.provider import Pins, Route
from opsmail.mail.oauth.proxy import Proxy
from opsmail.mail.redaction import Redactor
from opsmail.mail.tls import TrustStores
from opsmail.mail.transport import Deadline, Transport
from opsmail.messages import msg
from opsmail.operator.model import TlsVersion
from opsmail.values import dataclass

#: Under this name Microsoft notes the id of a request.
CORRELATION = "client-request-id"
#: What a form holds in confidence: a refusal may repeat it.
CONFIDENTIAL = ("client_secret", "client_assertion", "refresh_token", "device_code", "code")
#: The most that is read of an answer, in octets, its header included; a token has some thousand.
LONGEST_ANSWER = 64 * 1024
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as MSAL reads it."""

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class PinnedHttp:
    """MSAL's `http_client`. For one thread at a time; `abort` alone may be called from another.

    An answer that is no OAuth answer raises here, so that MSAL neither logs nor interprets it.

    Args:
        pins: where requests may go.
        trust: TLS contexts.
        stopped: set once nothing may be asked any more.
        proxy: leads to hosts that speak TLS; what a machine asks itself goes straight.
        lookup: stands in for `socket.getaddrinfo`.
    """

    def __init__(
        self,
        pins: Pins,
        trust: TrustStores,
        stopped: threading.Event,
        *,
        proxy: Proxy | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        self._pins = pins
        self._trust = trust
        self._stopped = stopped
        self._proxy = proxy
        self._lookup = lookup
        self._lock = threading.Lock()
        self._transport: Transport | None = None
        #: By when the requests that follow are answered.
        self.deadline = Deadline(0)
        #: What a refusal must not repeat.
        self.redact = Redactor(())
        #: The id by which the provider's support finds the requests that follow.
        self.correlation_id = ""

    def get(
        self, url: str, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> Answer:
        """Return the answer to a GET.

        Raises:
            Failure: there is none, or it is none that can be used. Azure Arc's challenge (401) is one that can.
        """
        parts = urlsplit(url)
        query = "&".join(filter(None, (parts.query, urlencode(_given(params)))))
        answer = self._exchange("GET", parts._replace(query=query), None, headers or {})
        if answer.status_code in (200, 401):
            return answer
        raise self._refusal(answer)

    def post(
        self, url: str, data: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> Answer:
        """Return the answer to a form, a refusal (4xx with a JSON object) included.

        Raises:
            Failure: there is none, or it is none that can be used.
        """
        form = _given(data)
        self.redact = Redactor(_as_text(form[name]) for name in CONFIDENTIAL if name in form)
        told = {**(headers or {}), "Content-Type": _FORM, CORRELATION: self.correlation_id}
        return self._exchange("POST", urlsplit(url), urlencode(form).encode("ascii"), told)

    def close(self) -> None:
        """Nothing is kept open between requests; MSAL asks for this method."""

    def abort(self) -> None:
        """Make the request that another thread waits for end at once."""
        with self._lock:
            if self._transport is not None:
                self._transport.abort()

    def _exchange(self, method: str, url: SplitResult, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        route = self._route(url)
        transport = Transport()
        with self._lock:
            self._transport = transport
        if self._stopped.is_set():
            transport.abort()
        try:
            self._connect(transport, route)
            request = Request(
                host=route.host,
                port=route.port,
                tls=route.tls,
                method=method,
                target=url.path + (f"?{url.query}" if url.query else ""),
                headers=headers,
                body=body,
            )
            return self._answer(transport, request)
        finally:
            with self._lock:
                self._transport = None
            transport.close()

    def _route(self, url: SplitResult) -> Route:
        try:
            route = self._pins.route(url)
        except ValueError:  # a port that is no number
            route = None
        if route is None:
            raise Failure(
                Kind.FOREIGN_ENDPOINT,
                msg("a token would be asked for at `{place}`, which is not approved", place=_place(url.geturl())),
            )
        return route

    def _connect(self, transport: Transport, route: Route) -> None:
        if self._proxy is not None and route.tls:
            self._proxy.connect(transport, f"{route.host}:{route.port}", self.deadline, self._lookup)
        else:
            self._connect_straight(transport, route)
        if route.tls:
            transport.start_tls(self._trust.context(route.ca, TlsVersion.TLS_1_2), route.host, self.deadline)

    def _connect_straight(self, transport: Transport, route: Route) -> None:
        addresses = (
            (route.address,)
            if route.address is not None
            else resolve(
                route.host,
                route.port,
                private=route.private,
                seconds=self.deadline.remaining(),
                lookup=self._lookup,
                stop=transport.aborted,
            )
        )
        transport.connect(addresses, self.deadline)

    def _answer(self, transport: Transport, request: Request) -> Answer:
        try:
            response = exchange(transport, self.deadline, request, longest=LONGEST_ANSWER)
        except UnusableAnswer as unusable:
            raise _unusable(unusable.reason) from None
        return self._judged(response)

    def _judged(self, response: Response) -> Answer:
        status = response.status
        if 300 <= status < 400:
            place = _place(response.headers.get("Location", ""))
            raise Failure(
                Kind.FOREIGN_ENDPOINT,
                msg("it sends its callers to `{place}` ({status}), which is not followed", place=place, status=status),
            )
        answer = Answer(status, _text(response.content), dict(response.headers.items()))
        if status == 401 or (status < 429 and _object(answer.text) is not None):
            return answer
        raise self._refusal(answer)

    def _refusal(self, answer: Answer) -> Failure:
        """Return what an answer that is no use to MSAL means."""
        told = _object(answer.text)
        if told is not None and "error" in told:
            oauth = OAuthError.parse(told, self.redact, self.correlation_id)
            busy = answer.status_code == 429 or answer.status_code >= 500
            kind = Kind.IDENTITY_PROVIDER_FAILED if busy else Kind.OAUTH_ERROR
            return Failure(kind, _told(oauth, answer.status_code), oauth=oauth)
        return _unusable(msg("it answered {status} with what is no OAuth answer", status=answer.status_code))


def _given(fields: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the fields of a form that have a value: MSAL leaves some at None, and means that they are not sent."""
    return {name: value for name, value in (fields or {}).items() if value is not None}


def _as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _text(content: bytes) -> str:
    """Return a body as text; RFC 8259 section 8.1 leaves UTF-8 as the only encoding."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _object(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a text is, None for any other text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _place(url: str) -> str:
    """Return the host of a URL that somebody else wrote, or what there is instead, as it may be shown."""
    _, separator, rest = url.partition("://")
    return ascii(rest.partition("/")[0] if separator else url)[1:-1][:100] or "-"


def _told(oauth: OAuthError, status: int) -> Any:
    return msg("it answered {status}: {error}", status=status, error=str(oauth))


def _unusable(reason: Any) -> Failure:
    return Failure(Kind.IDENTITY_PROVIDER_FAILED, msg("no token from the identity provider: {reason}", reason=reason))
