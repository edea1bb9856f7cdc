"""The submission side of SMTP without any I/O: bytes in, events and commands out (RFC 5321, RFC 6409).

One command is outstanding at a time and gets exactly one reply; anything a server sends beyond that means that the two
sides no longer talk about the same thing, and ends the conversation. A violation is final: the object raises from then
on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto

from opsmail.addresses import Address, AddressError, parse_address, parse_domain
from opsmail.mail import sasl
from opsmail.mail.capabilities import parse_capabilities
from opsmail.mail.events import Accepted, Challenged, Command, Event, Refused
from opsmail.mail.failure import Failure, Kind
from opsmail.mail.reply import Limits, Redact, Reply, ReplyParser, ReplySyntaxError, readable
from opsmail.messages import Message, msg

#: What we call ourselves when nobody says better. Our own host's name is not told: it would be an internal name in a
#: header of the message. An address literal is what RFC 5321 section 4.1.4 wants of a client without a name; the
#: sender's domain is better where it is known, because some relays (Google's among them) turn generic names away.
NEUTRAL_NAME = "[127.0.0.1]"

_PRINTABLE = re.compile(rb"[\x20-\x7e\x80-\xff]*")
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")


class ConversationError(RuntimeError):
    """A method was called at the wrong moment: a defect of the caller, never something a server can cause."""


class State(Enum):
    """Where the conversation is, between two commands."""

    CONNECTED = auto()
    GREETED = auto()
    CAPABLE = auto()
    TLS_WANTED = auto()
    MAIL_GIVEN = auto()
    RECIPIENTS_GIVEN = auto()
    CONTENT_WANTED = auto()
    CHALLENGED = auto()
    CLOSED = auto()
    BROKEN = auto()


_GOING_ON = frozenset(State) - {State.CLOSED, State.BROKEN}

# What each command's success is called, and where it leads.
_EXPECTED: Mapping[str, tuple[frozenset[int], State]] = {
    "banner": (frozenset({220}), State.GREETED),
    "EHLO": (frozenset({250}), State.CAPABLE),
    "STARTTLS": (frozenset({220}), State.TLS_WANTED),
    "AUTH": (frozenset({235}), State.CAPABLE),
    "MAIL": (frozenset({250}), State.MAIL_GIVEN),
    "RCPT": (frozenset({250, 251, 252}), State.RECIPIENTS_GIVEN),
    "DATA": (frozenset({354}), State.CONTENT_WANTED),
    "content": (frozenset({250}), State.CAPABLE),
    "QUIT": (frozenset({221}), State.CLOSED),
}


class SubmissionProtocol:
    """One conversation, from the banner to QUIT.

    Args:
        client_name: what EHLO says: a domain name or an address literal.
        limits: how much of a reply is accepted.

    Raises:
        AddressError: the client's name is neither.
    """

    def __init__(self, client_name: str = NEUTRAL_NAME, limits: Limits = Limits()) -> None:
        self._client_name = client_name if client_name == NEUTRAL_NAME else parse_domain(client_name)
        self._parser = ReplyParser(limits)
        self._awaited: str | None = "banner"
        self._before = State.CONNECTED
        self._script = sasl.Script("", ())
        self._utf8 = False
        self._answered = 0
        self._violation: tuple[Kind, Message] | None = None
        self.state = State.CONNECTED
        #: Whether the bytes go through verified TLS; only the transport can know, see `secured`.
        self.secure = False
        #: EHLO keywords in upper case and their parameters. Those told before TLS are forgotten with `secured`.
        self.capabilities: Mapping[str, str] = {}
        #: The error that a bearer mechanism's server gave in its last challenge.
        self.authentication_error: str | None = None

    # --- bytes in

    @property
    def may_quit(self) -> bool:
        """Whether QUIT makes sense: no reply is awaited, and the conversation goes on."""
        return self._awaited is None and self.state in _GOING_ON

    @property
    def heard(self) -> bool:
        """Whether part of the awaited reply has arrived."""
        return self._parser.begun

    def redact_with(self, redact: Redact) -> None:
        """Let every later reply go through `redact` before it is part of an event or an error."""
        self._parser.redact = redact

    def receive(self, data: bytes) -> Event | None:
        """Return the event that `data` completes, None while the reply goes on.

        Raises:
            Failure: the server broke the protocol, or does not speak it.
        """
        self._check_unbroken()
        first = not self._parser.begun and self._awaited == "banner"
        try:
            reply, rest = self._parser.feed(data)
        except ReplySyntaxError as error:
            raise self._not_a_reply(data if first else b"", error) from None
        if reply is None:
            return None
        if self._awaited is None:
            return self._unasked(reply)
        if rest:
            if self._awaited == "STARTTLS":
                raise self._broken(
                    Kind.TLS_INJECTION, msg("the server's answer to STARTTLS was followed by more, still in clear")
                )
            raise self._broken(Kind.PROTOCOL_ERROR, msg("the server sent more replies than there were commands"))
        return self._take(self._awaited, reply)

    def secured(self) -> None:
        """Note that verified TLS carries the conversation now, and forget what came before (RFC 3207 section 4.2)."""
        self._check_unbroken()
        if self.state is State.TLS_WANTED:
            self.state = State.GREETED
        elif self.state is not State.CONNECTED:
            raise ConversationError("TLS begins before the banner or after STARTTLS")
        self.secure = True
        self.capabilities = {}

    # --- commands out

    def ehlo(self) -> Command:
        """Ask what the server can do."""
        return self._say("EHLO", f"EHLO {self._client_name}", State.GREETED)

    def starttls(self) -> Command:
        """Ask for TLS; after its acceptance the transport makes the handshake and calls `secured`."""
        if self.secure:
            raise ConversationError("TLS is already there")
        return self._say("STARTTLS", "STARTTLS", State.CAPABLE)

    def auth(self, script: sasl.Script) -> Command:
        """Begin the exchange of `script`; each `Challenged` event is answered with `answer`.

        Raises:
            ConversationError: there is no verified TLS.
        """
        if not self.secure:
            raise ConversationError("credentials are sent over verified TLS only")
        self._check_state(State.CAPABLE)
        self._script = script
        self._answered = 0
        self.authentication_error = None
        line = f"AUTH {script.mechanism}".encode("ascii")
        if script.initial:
            with_response = line + b" " + sasl.encode(script.responses[0])
            if len(with_response) + 2 <= sasl.COMMAND_LINE:
                self._answered = 1
                return self._command("AUTH", with_response, f"AUTH {script.mechanism} [response]")
        return self._command("AUTH", line, f"AUTH {script.mechanism}")

    def answer(self) -> Command:
        """Answer the challenge that has just come."""
        self._check_state(State.CHALLENGED)
        self._answered += 1
        # There is one: `_challenge` lets no more challenges pass than the script has answers.
        return self._command("AUTH", sasl.encode(self._script.answers[self._answered - 1]), "[response]")

    def mail(self, sender: str, *, size: int | None = None, smtputf8: bool = False, eight_bit: bool = False) -> Command:
        """Name the sender.

        Args:
            sender: the bare address.
            size: octets of the message, told where the server wants to know (RFC 1870).
            smtputf8: whether the message or a recipient needs SMTPUTF8 (RFC 6531).
            eight_bit: whether the message has bytes beyond ASCII (RFC 6152).

        Raises:
            Failure: the address is none, or the server lacks what is needed.
        """
        address = _address(sender, Kind.INVALID_SENDER)
        self._utf8 = smtputf8 or address.needs_smtputf8
        line = f"MAIL FROM:<{address}>"
        limit = self.capabilities.get("SIZE")
        if size is not None and limit is not None:
            self._check_size(size, limit)
            line += f" SIZE={size}"
        if eight_bit or self._utf8:
            line += " BODY=8BITMIME"
        if self._utf8:
            if "SMTPUTF8" not in self.capabilities:
                raise Failure(
                    Kind.SMTPUTF8_MISSING, msg("an address is beyond ASCII, and the server does not take such")
                )
            line += " SMTPUTF8"
        return self._say("MAIL", line, State.CAPABLE)

    def rcpt(self, recipient: str) -> Command:
        """Name one recipient, a bare address.

        Raises:
            Failure: the address is none, or the server lacks what it needs.
        """
        address = _address(recipient, Kind.INVALID_RECIPIENT)
        if address.needs_smtputf8 and not self._utf8:
            # The parameter belongs to MAIL, which is said: the caller should have asked for it there.
            raise Failure(Kind.SMTPUTF8_MISSING, msg("a recipient's address has characters beyond ASCII"))
        return self._say("RCPT", f"RCPT TO:<{address}>", State.MAIL_GIVEN, State.RECIPIENTS_GIVEN)

    def data(self) -> Command:
        """Ask to hand over the message."""
        return self._say("DATA", "DATA", State.RECIPIENTS_GIVEN)

    def content(self, message: bytes) -> Command:
        """Hand over the message; whatever its line ends and dots, on the wire it is one (RFC 5321 section 4.5.2)."""
        self._check_state(State.CONTENT_WANTED)
        # No bare CR or LF leaves us: servers disagree about what ends a line, and that is how one message is smuggled
        # into another.
        lines = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
        wire = (b"\r\n" + lines).replace(b"\r\n.", b"\r\n..")[2:]
        end = b".\r\n" if wire.endswith(b"\r\n") or not wire else b"\r\n.\r\n"
        self._await("content")
        return Command(wire + end, f"[message of {len(message)} octets]")

    def quit(self) -> Command:
        """Say goodbye; allowed between any two commands."""
        return self._say("QUIT", "QUIT", *_GOING_ON)

    # --- how it works

    def _say(self, awaited: str, line: str, *states: State) -> Command:
        self._check_state(*states)
        return self._command(awaited, line.encode(), line)

    def _command(self, awaited: str, line: bytes, shown: str) -> Command:
        # Every argument was checked where it came in. This is the last look at the line, so that no later change can
        # let one through.
        if not _PRINTABLE.fullmatch(line):
            raise ConversationError("a command with control characters")
        self._await(awaited)
        return Command(line + b"\r\n", shown)

    def _await(self, awaited: str) -> None:
        self._awaited = awaited
        self._before = self.state

    def _check_unbroken(self) -> None:
        if self._violation is not None:
            raise Failure(*self._violation)

    def _check_state(self, *states: State) -> None:
        self._check_unbroken()
        if self._awaited is not None or self.state not in states:
            raise ConversationError(f"not now: {self.state.name}, waiting for {self._awaited}")

    def _broken(self, kind: Kind, detail: Message) -> Failure:
        self.state = State.BROKEN
        self._violation = kind, detail
        return Failure(kind, detail)

    def _not_a_reply(self, beginning: bytes, error: ReplySyntaxError) -> Failure:
        if beginning.startswith(_TLS_RECORDS):
            return self._broken(
                Kind.WRONG_TLS_MODE, msg("the server answered with TLS where it was expected to speak first, in clear")
            )
        if self._awaited == "banner":
            shown = readable(beginning[:60])
            return self._broken(
                Kind.NOT_SMTP, msg("the server does not greet as a mail server does: {beginning}", beginning=shown)
            )
        return self._broken(Kind.PROTOCOL_ERROR, msg("the server's reply is malformed: {reason}", reason=error.reason))

    def _take(self, awaited: str, reply: Reply) -> Event:
        codes, following = _EXPECTED[awaited]
        self._awaited = None
        if reply.severity >= 4:
            self.state = State.CAPABLE if awaited in ("AUTH", "content") else self._before
            return Refused(reply, awaited)
        if awaited == "AUTH" and reply.code == 334:
            return self._challenge(reply)
        if reply.code not in codes:
            raise self._unexpected(awaited, reply)
        if awaited == "AUTH" and self._answered < len(self._script.responses):
            raise self._broken(Kind.PROTOCOL_ERROR, msg("the server accepted the login before it was complete"))
        if awaited == "EHLO":
            self.capabilities = parse_capabilities(reply)
        self.state = following
        return Accepted(reply)

    def _unasked(self, reply: Reply) -> Refused:
        # RFC 5321 section 3.8: a server that shuts down may say 421 at any time.
        if reply.code != 421:
            raise self._broken(
                Kind.PROTOCOL_ERROR, msg("the server said {code} when nothing had been asked", code=reply.code)
            )
        self.state = State.CLOSED
        return Refused(reply, "")

    def _challenge(self, reply: Reply) -> Challenged:
        if self._answered >= len(self._script.answers):
            raise self._broken(
                Kind.PROTOCOL_ERROR, msg("the server asks for more than the login has; nothing was repeated")
            )
        if self._answered == len(self._script.responses):
            self.authentication_error = sasl.error_text(reply.whole_text)
        self.state = State.CHALLENGED
        return Challenged(reply)

    def _unexpected(self, awaited: str, reply: Reply) -> Failure:
        return self._broken(
            Kind.PROTOCOL_ERROR, msg("the server answered {command} with {code}", command=awaited, code=reply.code)
        )

    @staticmethod
    def _check_size(size: int, limit: str) -> None:
        # RFC 1870 section 4: zero or no number means that there is no fixed limit.
        if limit.isascii() and limit.isdigit() and len(limit) <= 18 and 0 < int(limit) < size:
            raise Failure(
                Kind.MESSAGE_TOO_LARGE,
                msg("the message has {size} octets, the server takes {limit}", size=size, limit=limit),
            )


def _address(text: str, kind: Kind) -> Address:
    try:
        return parse_address(text)
    except AddressError as error:
        raise Failure(kind, error.message) from None
