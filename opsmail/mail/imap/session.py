"""One session with an IMAP server: connected, logged in, and asked for the header of one message after the other."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from opsmail.mail import sasl
from opsmail.mail.destination import Lookup, SocketAddress, canonical_host, locate
from opsmail.mail.endpoint import BearerCredentials, Credentials, Endpoint
from opsmail.mail.failure import Failure, Kind
from opsmail.mail.imap.response import TAG, Response, ResponseParser, ResponseSyntaxError
from opsmail.mail.redaction import Redactor
from opsmail.mail.reply import SHOWN
from opsmail.mail.tls import TrustStores
from opsmail.mail.transcript import Line, Observer
from opsmail.mail.transport import Deadline, Transport
from opsmail.messages import msg

#: Of the answer to one command, so many responses are listened to.
RESPONSES = 1_000
#: Of the messages that a search finds, the last ones are looked at; a Message-ID should find one.
LOOKED_AT = 3
#: What is asked for of a message: how it came, who verified it, and who it is from.
HEADER_FIELDS = "RECEIVED AUTHENTICATION-RESULTS FROM MESSAGE-ID"
# RFC 3501 section 9: what a quoted string holds.
_QUOTABLE = re.compile(r"[ -~]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_MESSAGE_ID = re.compile(rb"^message-id:[ \t\r\n]*(\S+)", re.IGNORECASE | re.MULTILINE)


class Session:
    """A session: `connect`, `log_in`, then `find` as often as needed. Every method raises `Failure`.

    It is used by one thread at a time; `abort` alone may be called from another.

    Args:
        endpoint: the server; TLS comes first, whatever its encryption says.
        trust: holds the TLS contexts.
        lookup: stands in for `socket.getaddrinfo`.
    """

    def __init__(self, endpoint: Endpoint, trust: TrustStores, *, lookup: Lookup | None = None) -> None:
        self.endpoint = endpoint
        #: The address that answered.
        self.peer: SocketAddress | None = None
        #: Hears what is said, without secrets.
        self.observe: Observer = _nobody
        self._trust = trust
        self._lookup = lookup
        self._transport = Transport()
        self._parser = ResponseParser()
        self._heard: deque[Response] = deque()
        self._commands = 0
        self._capabilities: frozenset[str] = frozenset()

    def connect(self, deadline: Deadline) -> None:
        """Connect, verify the server, and hear its greeting and what it can do."""
        addresses = locate(self.endpoint, deadline.remaining(), self._lookup, self._transport.aborted)
        self.peer = self._transport.connect(addresses, deadline)
        self.observe(Line("*", f"connected to {self.peer}"))
        context = self._trust.context(self.endpoint.ca, self.endpoint.minimum_tls)
        facts = self._transport.start_tls(context, canonical_host(self.endpoint.host), deadline)
        self.observe(Line("*", f"{facts.version} {facts.cipher}"))
        greeting = self._hear(deadline)
        if greeting.tag != "*" or greeting.word != "OK":
            raise _refused(greeting)
        capabilities = self._ask("CAPABILITY", deadline)
        self._capabilities = frozenset(
            word for response in capabilities if response.word == "CAPABILITY" for word in response.text.upper().split()
        )

    def log_in(self, login: Credentials | BearerCredentials, deadline: Deadline) -> None:
        """Log in, once, with one mechanism, and open the inbox for reading only."""
        sasl.check(login)
        offered = {word.removeprefix("AUTH=") for word in self._capabilities if word.startswith("AUTH=")}
        script = sasl.choose(offered, login)
        if script is None:
            raise Failure(
                Kind.NO_COMMON_MECHANISM,
                msg(
                    "the server offers {offered}, these credentials need {supported}",
                    offered=", ".join(sorted(offered)) or "-",
                    supported=" / ".join(sasl.supported(login)),
                ),
            )
        self._parser.redact = Redactor([sasl.secret_of(login)])
        self._authenticate(script, deadline)
        self._ask("EXAMINE INBOX", deadline)

    def find(self, message_id: str, deadline: Deadline) -> bytes | None:
        """Return the header fields of the message with this Message-ID, None where it is not there now."""
        # What has arrived meanwhile is told with the answer (RFC 3501, section 6.1.2).
        self._ask("NOOP", deadline)
        found = self._ask(f"UID SEARCH HEADER Message-ID {_quoted(message_id)}", deadline)
        numbers = [word for item in found if item.word == "SEARCH" for word in item.text.split()[1:]]
        for number in reversed([word for word in numbers if _NUMBER.fullmatch(word)][-LOOKED_AT:]):
            fetched = self._ask(f"UID FETCH {number} (BODY.PEEK[HEADER.FIELDS ({HEADER_FIELDS})])", deadline)
            for header in (literal for response in fetched for literal in response.literals):
                # A search looks for a part of the field.
                match = _MESSAGE_ID.search(header)
                if match is not None and match[1].decode("latin-1") == message_id:
                    return header
        return None

    def close(self) -> None:
        """Close the connection; nothing was changed that would have to be finished."""
        self._transport.close()

    def abort(self) -> None:
        """End what another thread waits for here."""
        self._transport.abort()

    # --- how it works

    def _authenticate(self, script: sasl.Script, deadline: Deadline) -> None:
        tag = self._say(f"AUTHENTICATE {script.mechanism}", deadline)
        answered = 0
        for response in self._responses(tag, deadline):
            if response.tag != "+":
                continue
            if answered == len(script.answers):
                raise Failure(
                    Kind.PROTOCOL_ERROR, msg("the server asks for more than the login has; nothing was repeated")
                )
            self.observe(Line("C", "[response]"))
            self._transport.send(sasl.encode(script.answers[answered]) + b"\r\n", deadline)
            answered += 1
        if answered < len(script.responses):
            raise Failure(Kind.PROTOCOL_ERROR, msg("the server accepted the login before it was complete"))

    def _ask(self, command: str, deadline: Deadline) -> list[Response]:
        """Return what the server says besides its acceptance of `command`."""
        told = []
        for response in self._responses(self._say(command, deadline), deadline):
            if response.tag == "+":
                raise _unasked()
            told.append(response)
        return told

    def _say(self, command: str, deadline: Deadline) -> str:
        self._commands += 1
        tag = f"{TAG}{self._commands}"
        self.observe(Line("C", f"{tag} {command}"))
        self._transport.send(f"{tag} {command}\r\n".encode("ascii"), deadline)
        return tag

    def _responses(self, tag: str, deadline: Deadline) -> Iterator[Response]:
        """Yield what comes until the command with this tag is accepted."""
        for _ in range(RESPONSES):
            response = self._hear(deadline)
            if response.tag == tag or (response.tag == "*" and response.word == "BYE"):
                if response.word == "OK":
                    return
                raise _refused(response)
            if response.tag not in ("*", "+"):
                raise _unasked()
            yield response
        raise Failure(Kind.PROTOCOL_ERROR, msg("the server does not stop talking"))

    def _hear(self, deadline: Deadline) -> Response:
        while not self._heard:
            try:
                self._heard += self._parser.feed(self._transport.receive(deadline))
            except ResponseSyntaxError as error:
                raise Failure(
                    Kind.PROTOCOL_ERROR, msg("what the server says is not IMAP: {reason}", reason=str(error))
                ) from None
        response = self._heard.popleft()
        shown = f"{response.tag} {response.text}"
        self.observe(Line("S", shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 1]}…"))
        return response


def _refused(response: Response) -> Failure:
    return Failure(
        Kind.MAILBOX_REFUSED, msg("the server answered {response}", response=response.text[:SHOWN].strip() or "-")
    )


def _unasked() -> Failure:
    return Failure(Kind.PROTOCOL_ERROR, msg("the server answered something that nobody had asked for"))


def _quoted(text: str) -> str:
    if not _QUOTABLE.fullmatch(text):
        raise Failure(Kind.INVALID_MESSAGE, msg("the message's Message-ID cannot be searched for"))
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _nobody(line: Line) -> None:
    """The observer of a session that nobody watches."""
