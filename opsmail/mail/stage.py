"""One stage while it runs: its deadline, what is said and heard, and the failures below made into its error."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from opsmail.mail.events import Command, Event, Refused
from opsmail.mail.failure import Failure, Kind, Stage, StageError
from opsmail.mail.protocol import SubmissionProtocol
from opsmail.mail.reply import Reply
from opsmail.mail.transcript import Line, Observer
from opsmail.mail.transport import Deadline, Transport
from opsmail.messages import msg

#: Makes the next command of a conversation; called when it is certain that nothing else has come in.
MakeCommand = Callable[[], Command]


class _Unaccepted(Exception):  # noqa: N818 (it never leaves this module)
    """Carries a refusal to the end of the stage."""

    def __init__(self, refused: Refused) -> None:
        super().__init__()
        self.refused = refused


class StageTurn:
    """A context manager in which one stage talks with the server.

    Args:
        stage: which one; its errors name it.
        deadline: by when it ends.
        transport: carries the bytes.
        protocol: understands them.
        observe: hears what is said.
    """

    def __init__(
        self, stage: Stage, deadline: Deadline, transport: Transport, protocol: SubmissionProtocol, observe: Observer
    ) -> None:
        self.deadline = deadline
        #: Whether the server has the whole message and its answer is not here yet.
        self.handed_over = False
        self._stage = stage
        self._transport = transport
        self._protocol = protocol
        self._observe = observe

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, _Unaccepted):
            reply, command = error.refused.reply, error.refused.command
            detail = msg("the server answered {reply}", reply=str(reply))
            raise StageError(self._stage, Kind.REPLY, detail, reply=reply, command=command) from None
        if isinstance(error, Failure):
            self._observe(Line("*", f"{error.kind.value}: {error.detail}"))
            raise error.at(self._stage, outcome_unknown=self.handed_over) from None

    def ask(self, make: MakeCommand) -> Reply:
        """Send the command of `make` and return the reply that accepts it."""
        return self.accepted(self.exchange(make))

    def exchange(self, make: MakeCommand) -> Event:
        """Send the command of `make` and return what comes of it."""
        self.say(make)
        return self.hear()

    def say(self, make: MakeCommand) -> None:
        """Send the command of `make`, unless the server has said something that nobody asked for."""
        unasked = self._transport.pending(self.deadline)
        if unasked:
            event = self._understand(unasked)
            if isinstance(event, Refused):
                raise _Unaccepted(event)
            raise Failure(Kind.PROTOCOL_ERROR, msg("the server said something that nothing had asked for"))
        command = make()
        self._observe(Line("C", command.shown))
        try:
            self._transport.send(command.wire, self.deadline)
        except Failure as failure:
            if failure.kind is Kind.DISCONNECTED:
                self._hear_last_words()
            raise

    def hear(self) -> Event:
        """Return the event of the awaited reply."""
        while True:
            event = self._understand(self._transport.receive(self.deadline))
            if event is not None:
                return event

    def accepted(self, event: Event) -> Reply:
        """Return the reply of an accepting `event`; any other ends the stage."""
        if isinstance(event, Refused):
            raise _Unaccepted(event)
        return event.reply

    def _understand(self, data: bytes) -> Event | None:
        event = self._protocol.receive(data)
        if event is not None:
            for line in _as_lines(event.reply):
                self._observe(Line("S", line))
        return event

    def _hear_last_words(self) -> None:
        """A server that closes while we still send has often said why; that tells more than the broken connection."""
        with suppress(Failure):
            self.accepted(self.hear())


def _as_lines(reply: Reply) -> list[str]:
    status = f"{reply.enhanced} " if reply.enhanced else ""
    last = len(reply.lines) - 1
    return [
        f"{reply.code}{' ' if index == last else '-'}{status}{text}".rstrip() for index, text in enumerate(reply.lines)
    ]
